"""Where an archive comes from: an in-toto Statement v1 with SLSA provenance v1.

It says what the manifest in the archive says, in the words that others' tools read, and adds the
hash of the archive itself. docs/provenance.md describes every field, which makes `BUILD_TYPE` mean
something.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ftbuild.model.manifest import Manifest

SUFFIX = ".provenance.json"
"""What follows the archive's name. Not `.intoto.jsonl`: that is for signed envelopes."""

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:x-ftbuild:build:v1"
"""The meaning of the parameters; another number where that changes."""

BUILDER = "urn:x-ftbuild:builder:local"
"""An ftbuild that somebody ran on a machine of theirs. Who that was, a signature tells."""


def statement(manifest: Manifest, *, sha256: str, name: str) -> dict[str, Any]:
    """The statement on an archive. Equal archives have equal statements.

    Args:
        manifest: The manifest in the archive.
        sha256: Hash of the archive.
        name: The archive's name.
    """
    used = manifest.used
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": sha256}}],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": _asked(manifest),
                "internalParameters": _chosen(manifest),
                "resolvedDependencies": _dependencies(manifest),
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"ftbuild": used.ftbuild}},
                "metadata": {
                    "invocationId": f"{manifest.digest}@{used.started}",
                    "startedOn": used.started.replace("+00:00", "Z"),
                },
            },
        },
    }


def _asked(manifest: Manifest) -> dict[str, Any]:
    """What whoever asked for the build had a say in."""
    spec = manifest.spec
    return {
        "implementation": "cpython",
        "version": spec.version,
        "variant": spec.variant.value,
        "profile": spec.profile,
        "configureArguments": list(spec.configure_args),
        "debugInformation": spec.debug_info,
    }


def _chosen(manifest: Manifest) -> dict[str, Any]:
    """What followed from that, from the catalogue, and from the machine."""
    spec, used, result = manifest.spec, manifest.used, manifest.result
    return {
        "digest": manifest.digest,
        "configure": list(used.configure),
        "flags": list(spec.flags),
        "stageFlags": _plain(spec.stage_flags),
        "environment": dict(used.environment),
        "pgo": result.pgo,
        "lto": result.lto,
        "training": {"origin": used.training, "sha256": result.training_profile},
        "toolchain": {"compiler": _plain(used.compiler), "make": _plain(used.make)},
        "libraries": _plain(spec.libraries),
        "platform": {
            "system": used.system,
            "machine": used.machine,
            "libc": used.libc,
            "kernel": used.kernel,
        },
    }


def _dependencies(manifest: Manifest) -> list[dict[str, Any]]:
    """What was taken from elsewhere: the source, and a training profile that was given."""
    spec, used = manifest.spec, manifest.used
    source: dict[str, Any] = {"name": f"Python-{spec.version}.tar.xz"}
    if used.upstream:
        source["uri"] = used.upstream
    source["digest"] = {"sha256": spec.source_sha256}
    # The catalogue's pin decides what is built; this server or file happened to have it.
    source["annotations"] = {"obtainedFrom": used.origin}
    if spec.profile_data is None:
        return [source]
    return [source, {"name": "training profile", "digest": {"sha256": spec.profile_data}}]


def _plain(value: object) -> Any:
    """A value as JSON has it: with lists, not tuples."""
    return msgspec.json.decode(msgspec.json.encode(value))
