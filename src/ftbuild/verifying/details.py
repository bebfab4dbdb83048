"""Does `build-details.json` (PEP 739) tell the truth, wherever the installation stands?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import msgspec

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, Status, expect, skipped
from ftbuild.verifying.probing import Context, NoAnswer, ask

_STAGE = "details"
"""The stage of a build that writes the file; builds of older versions of ftbuild lack it."""

_OLDER = (
    "an older ftbuild made this build, which has no such file, or CPython's own that names the "
    "prefix; build it again with --force"
)

_MEND = "Something changed it, or what it names: `ftbuild build … --force` builds it again."


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `probes/details.py`.

    Attributes:
        place: Where the file should be.
        text: What is in it; empty if it is not there.
        prefix: The interpreter's prefix, without links, as all paths that lead somewhere.
        base_prefix: Where the prefix in the file leads to; empty if there is nothing.
        named: Its paths as they stand in it.
        leads: By key, where the others lead to; empty where there is nothing.
        headers: Where the interpreter says that its headers are.
        interpreter: The interpreter itself.
        own: What it says of itself, in the shape of the file.
    """

    place: str
    text: str
    prefix: str
    base_prefix: str
    named: tuple[str, ...]
    leads: dict[str, str]
    headers: str
    interpreter: str
    own: dict[str, dict[str, Any] | str]


class _Language(msgspec.Struct, frozen=True, kw_only=True):
    version: str


class _Implementation(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    version: dict[str, int | str]
    hexversion: int
    cache_tag: str


class _Abi(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    flags: tuple[str, ...]
    extension_suffix: str | msgspec.UnsetType = msgspec.UNSET
    stable_abi_suffix: str | msgspec.UnsetType = msgspec.UNSET


class _Libpython(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    dynamic: str | msgspec.UnsetType = msgspec.UNSET
    dynamic_stableabi: str | msgspec.UnsetType = msgspec.UNSET
    static: str | msgspec.UnsetType = msgspec.UNSET
    link_extensions: bool | msgspec.UnsetType = msgspec.UNSET


class _Capi(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    headers: str
    pkgconfig_path: str | msgspec.UnsetType = msgspec.UNSET


class _Details(msgspec.Struct, frozen=True, kw_only=True):
    """The file, as version 1 of its format has it and as an installation needs it."""

    schema_version: str
    base_prefix: str
    base_interpreter: str
    platform: str
    language: _Language
    implementation: _Implementation
    abi: _Abi
    suffixes: dict[str, tuple[str, ...]]
    libpython: _Libpython | msgspec.UnsetType = msgspec.UNSET
    c_api: _Capi | msgspec.UnsetType = msgspec.UNSET


def details(installation: Installation, context: Context) -> tuple[Check, ...]:
    """The file is there and as its format has it, and what it says is so.

    Every path in it is relative and leads to something below the prefix; the rest is what the
    interpreter says of itself.
    """
    if all(stage.name != _STAGE for stage in installation.manifest.used.stages):
        return (skipped("details.file", _OLDER),)
    found = ask(installation, context, "details.py", kind=_Found)
    if isinstance(found, NoAnswer):
        return (found.failed("details.file", "an interpreter that can be asked"),)
    if not found.text:
        return (_failed("details.file", found.place, "not there"),)
    try:
        decoded = msgspec.json.decode(found.text, type=_Details)
    except msgspec.DecodeError as error:
        return (_failed("details.format", "version 1 of the format", str(error)),)
    return (
        expect("details.format", "1", decoded.schema_version.partition(".")[0], _MEND),
        _none("details.relative", (path for path in found.named if path.startswith("/"))),
        _none("details.paths", _astray(found)),
        expect("details.interpreter", f"bin/{installation.python.name}", decoded.base_interpreter),
        _none("details.true", _untrue(installation, found, decoded)),
    )


def _astray(found: _Found) -> Iterator[str]:
    """The paths that lead nowhere, out of the prefix, or to something else than they should."""
    if found.base_prefix != found.prefix:
        yield "base_prefix"
    expected = {"base_interpreter": found.interpreter, "c_api.headers": found.headers}
    for key, path in (dict.fromkeys(expected, "") | found.leads).items():
        below = path and PurePosixPath(path).is_relative_to(found.prefix)
        if not below or path != expected.get(key, path):
            yield key


def _untrue(installation: Installation, found: _Found, decoded: _Details) -> Iterator[str]:
    """The keys whose values are not what the interpreter says."""
    yield from _differing(found.own, msgspec.json.decode(found.text))
    suffixes = decoded.suffixes.get("extensions", ())
    # A free-threaded build looks for `.abi3.so` before 3.15 and cannot use it: PEP 803.
    own = ".abi3t.so" if installation.free_threaded else ".abi3.so"
    if decoded.abi.stable_abi_suffix != (own if own in suffixes else msgspec.UNSET):
        yield "abi.stable_abi_suffix"


def _differing(own: Mapping[str, Any], said: Any, above: str = "") -> Iterator[str]:
    for key, value in own.items():
        other = said.get(key) if isinstance(said, dict) else None
        if isinstance(value, dict):
            yield from _differing(value, other, f"{above}{key}.")
        elif value != other:
            yield f"{above}{key}"


def _none(name: str, wrong: Iterator[str]) -> Check:
    return expect(name, "none wrong", ", ".join(wrong) or "none wrong", _MEND)


def _failed(name: str, expected: str, found: str) -> Check:
    return Check(name=name, status=Status.FAILED, expected=expected, found=found, reason=_MEND)
