"""Checks provenance and bills of materials against the bytes of the archives they are about."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ftbuild.archive.read import Unpacked, unpack_build
from ftbuild.attest import provenance, sbom
from ftbuild.attest.judge import judge_sbom, judge_statement, value_at
from ftbuild.errors import EnvironmentFault, Refused, UsageError
from ftbuild.files import expand_home, read_file
from ftbuild.model.archive import RECORD_SUFFIX, SUFFIX, decode_record
from ftbuild.model.events import Emit, Noted
from ftbuild.model.manifest import Manifest
from ftbuild.model.recipes import Catalogue
from ftbuild.model.report import Check, Report, Status, expect, skipped
from ftbuild.model.text import sanitise_line
from ftbuild.store.layout import Layout
from ftbuild.store.tree import digest
from ftbuild.store.work import scratch_or_temporary

_MEND = "`ftbuild pack` writes it; or copy it from where the archive came from."


def verify(
    words: Sequence[str],
    *,
    catalogue: Catalogue,
    layout: Layout,
    emit: Emit,
    stop: threading.Event,
) -> tuple[Report, ...]:
    """Check what is said of archives against what is in them.

    Args:
        words: Archives, and directories, of which all archives are meant.
        catalogue: The pins of sources.
        layout: The root, in which archives are unpacked for a look.
        emit: Receives progress.
        stop: Ends it when set.

    Returns:
        A report on each archive.

    Raises:
        UsageError: A word names no archive.
        EnvironmentFault: An archive cannot be read, or there is no space to unpack one.
        Interrupted: `stop` was set.
    """
    archives = dict.fromkeys(archive for word in words for archive in _archives(word))
    reports = []
    with scratch_or_temporary(layout) as work:
        for archive in archives:
            emit(Noted(text=f"looking into {archive.name}"))
            reports.append(_verified(archive, work / "unpacked", catalogue, stop))
    return tuple(reports)


def _archives(word: str) -> tuple[Path, ...]:
    path = expand_home(Path(word)).absolute()
    if path.is_dir():
        found = tuple(sorted(each for each in path.glob(f"*{SUFFIX}") if each.is_file()))
        if not found:
            raise UsageError(f"{word} holds no archive", hint=f"The name of one ends in {SUFFIX}.")
        return found
    if not path.is_file():
        raise UsageError(f"{word}: there is no such file or directory")
    return (path,)


def _verified(archive: Path, into: Path, catalogue: Catalogue, stop: threading.Event) -> Report:
    try:
        sha256 = digest(archive)
    except OSError as error:
        raise EnvironmentFault(f"{archive} cannot be read: {error.strerror}") from error
    try:
        opened = unpack_build(archive, into, stop=stop)
    except Refused as error:
        failed = _failed("archive.files", "every file as packed", error.message, error.hint)
        checks: tuple[Check, ...] = (failed, *_unopened(archive, sha256))
    else:
        checks = _checks(archive, sha256, opened, catalogue)
    finally:
        shutil.rmtree(into, ignore_errors=True)
    return Report(kind="attest", subject=archive.name, checks=tuple(map(_printable, checks)))


def _checks(
    archive: Path, sha256: str, opened: Unpacked, catalogue: Catalogue
) -> tuple[Check, ...]:
    manifest = opened.manifest
    return (
        Check(
            name="archive.files",
            status=Status.PASSED,
            found=f"{len(opened.digests)} files as they were packed",
        ),
        _record(archive, sha256, manifest),
        _pin(manifest, catalogue),
        *_document(
            _beside(archive, provenance.SUFFIX),
            "provenance.file",
            # The digest says which archive is meant; that it was renamed since is no fault.
            lambda said: provenance.statement(
                manifest, sha256=sha256, name=_name(said) or archive.name
            ),
            judge_statement,
        ),
        *_document(
            _beside(archive, sbom.SUFFIX),
            "sbom.file",
            lambda _: sbom.sbom(manifest, sha256=sha256),
            judge_sbom,
        ),
        _linked(opened),
    )


def _unopened(archive: Path, sha256: str) -> tuple[Check, ...]:
    """What can be told of an archive that cannot be opened: whether the documents are about it."""
    checks = []
    for name, suffix, of in (
        ("provenance.subject", provenance.SUFFIX, _subject_digest),
        ("sbom.subject", sbom.SUFFIX, _component_digest),
    ):
        path = _beside(archive, suffix)
        with contextlib.suppress(Refused):
            checks.append(expect(name, sha256, of(_read(path)), f"{path.name}."))
    return tuple(checks)


def _record(archive: Path, sha256: str, manifest: Manifest) -> Check:
    """The record, by which `ftbuild build` decides whether it wants the archive."""
    path = _beside(archive, RECORD_SUFFIX)
    name, same = "archive.record", "the archive's hash and manifest"
    try:
        record = decode_record(read_file(path))
    except FileNotFoundError:
        return skipped(name, f"there is no {path.name}")
    except (Refused, OSError) as error:
        return _failed(name, same, str(error), f"{path.name}.")
    if record.sha256 != sha256:
        return _failed(name, same, f"the hash {record.sha256}, not {sha256}", f"{path.name}.")
    if record.manifest != manifest:
        return _failed(name, same, "another manifest", f"{path.name}.")
    return Check(name=name, status=Status.PASSED, found=same)


def _pin(manifest: Manifest, catalogue: Catalogue) -> Check:
    """The source's hash, against the one that ftbuild itself would build."""
    spec = manifest.spec
    release = catalogue.releases.get(spec.version)
    if release is None:
        return skipped("source.pin", f"{spec.version} is not a release in the catalogue")
    return expect(
        "source.pin",
        release.sha256,
        spec.source_sha256,
        f"It was not built from the {spec.version} that the catalogue knows.",
    )


def _linked(opened: Unpacked) -> Check:
    """What the binaries in the archive are linked with, against what the manifest says of it."""
    name, recorded = "archive.linked", opened.manifest.used.linked
    if recorded is None:
        return skipped(name, "its manifest does not say: it is of an older ftbuild, or not of ELF")
    from ftbuild.archive.elf import libraries, needs_below  # noqa: PLC0415 - 100 ms

    needs = needs_below(opened.top, opened.digests)
    there = libraries({file: need.libraries for file, need in needs.items()})
    listed = {library.name for library in recorded}
    wrong = [f"{there[library]} needs {library}" for library in sorted(there.keys() - listed)]
    wrong += [f"nothing needs {library}" for library in sorted(listed - there.keys())]
    if wrong:
        return _failed(name, "the libraries that its manifest lists", "; ".join(wrong), "")
    return Check(name=name, status=Status.PASSED, found=f"{len(there)} libraries")


def _document(
    path: Path,
    name: str,
    true: Callable[[Any], dict[str, Any]],
    judge: Callable[[Any, Any, str], tuple[Check, ...]],
) -> tuple[Check, ...]:
    try:
        said = _read(path)
    except Refused as error:
        return (_failed(name, f"{path.name} beside the archive", error.message, error.hint),)
    try:
        return judge(said, true(said), f"{path.name}.")
    except (ValueError, RecursionError) as error:
        return (_failed(name, "a document that ftbuild wrote", str(error), ""),)


def _read(path: Path) -> Any:
    """A JSON document, which means the same to all who read it.

    Raises:
        Refused: There is none.
    """
    try:
        return json.loads(read_file(path).decode(), object_pairs_hook=_unambiguous)
    except FileNotFoundError:
        raise Refused("no such file", hint=_MEND) from None
    except OSError as error:
        raise Refused(f"it cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"no JSON: {error}", hint=_MEND) from error


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of two equal keys, some readers take the first and others the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in an object")
    return found


def _subject(said: Any) -> dict[str, Any]:
    """The one subject of a statement; nothing where it has none, or several."""
    subjects = said.get("subject") if isinstance(said, dict) else None
    one = subjects[0] if isinstance(subjects, list) and len(subjects) == 1 else None
    return one if isinstance(one, dict) else {}


def _name(said: Any) -> str:
    """The name that a statement has for its subject; empty where it has none."""
    name = _subject(said).get("name")
    return name if isinstance(name, str) else ""


def _subject_digest(said: Any) -> object:
    hashes = _subject(said).get("digest")
    return hashes.get("sha256") if isinstance(hashes, dict) else None


def _component_digest(said: Any) -> object:
    hashes = value_at(said, ("metadata", "component", "hashes"))
    first = hashes[0] if isinstance(hashes, list) and hashes else None
    return first.get("content") if isinstance(first, dict) else None


def _failed(name: str, expected: str, found: str, reason: str) -> Check:
    return Check(name=name, status=Status.FAILED, expected=expected, found=found, reason=reason)


def _printable(check: Check) -> Check:
    """A check fit to print, whoever made the archive and the documents that it quotes."""
    return msgspec.structs.replace(check, found=sanitise_line(check.found))


def _beside(archive: Path, suffix: str) -> Path:
    return archive.with_name(archive.name + suffix)
