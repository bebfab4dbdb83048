"""Writes this installation's `build-details.json` (PEP 739): what is true of it wherever it stands.

All paths are relative, as the format allows: `base_prefix` to the folder that the file is in, the
others to `base_prefix`. So the same build makes the same bytes at any prefix, and they stay true
when it is moved. CPython writes such a file from 3.14 on, with absolute paths and, of a
free-threaded 3.14, the name of an interpreter that the other build of the pair has, too. What else
it has in that file is kept.

The format: https://packaging.python.org/en/latest/specifications/build-details/v1.0/
"""

import importlib.machinery
import json
import os
import sys
import sysconfig
from pathlib import Path

STDLIB = Path(sysconfig.get_path("stdlib"))
PREFIX = Path(sysconfig.get_config_var("installed_base"))
CONFIGURED = Path(sysconfig.get_config_var("BINDIR")).parent
"""The prefix that the Makefile's variables name, whatever it is now."""

SERIES = sysconfig.get_python_version()
INTERPRETER = f"bin/python{SERIES}{sys.abiflags}"
"""The one name that no other build has."""


def below(path: str) -> str | None:
    """A path of the Makefile's, relative to the prefix; None of what is not there."""
    if path and Path(path).is_relative_to(CONFIGURED):
        name = Path(path).relative_to(CONFIGURED)
        return str(name) if (PREFIX / name).exists() else None
    return None


def known(section: dict[str, object]) -> dict[str, object]:
    """The keys that have a value: the format has the others left out rather than null."""
    return {key: value for key, value in section.items() if value not in (None, {})}


def version(info: object) -> dict[str, object]:
    """A version as `sys.version_info` has it."""
    fields = ("major", "minor", "micro", "releaselevel", "serial")
    return {field: getattr(info, field) for field in fields}


def stable_abi_suffix() -> str | None:
    """The suffix of modules for the stable ABI that this build has, if it has one.

    A free-threaded build has one from 3.15 on, of another name (PEP 803). Before that it looks for
    `.abi3.so` like any other, and could not use what it finds.
    """
    own = ".abi3t.so" if sysconfig.get_config_var("Py_GIL_DISABLED") else ".abi3.so"
    return own if own in importlib.machinery.EXTENSION_SUFFIXES else None


def libpython() -> dict[str, object]:
    """The libraries that are installed; the Makefile names them whether they are or not."""
    named = sysconfig.get_config_var
    folder, stable = named("LIBDIR"), named("PY3LIBRARY")
    found = known({"static": below(f"{folder}/{named('LIBRARY')}")})
    if named("Py_ENABLE_SHARED"):
        found |= known(
            {
                "dynamic": below(f"{folder}/{named('LDLIBRARY')}"),
                "dynamic_stableabi": below(f"{folder}/{stable}") if stable else None,
                "link_extensions": bool(named("LIBPYTHON")),
            }
        )
    return found


def details() -> dict[str, object]:
    """The document, but for what CPython adds to it; a section without a value is empty."""
    named = sysconfig.get_config_var
    return {
        "schema_version": "1.0",
        "base_prefix": os.path.relpath(PREFIX, STDLIB),
        "base_interpreter": INTERPRETER,
        "platform": sysconfig.get_platform(),
        "language": {"version": SERIES, "version_info": version(sys.version_info)},
        "implementation": {
            **vars(sys.implementation),
            "version": version(sys.implementation.version),
        },
        "abi": known(
            {
                "flags": list(sys.abiflags),
                "extension_suffix": named("EXT_SUFFIX"),
                "stable_abi_suffix": stable_abi_suffix(),
            }
        ),
        "suffixes": {
            "source": importlib.machinery.SOURCE_SUFFIXES,
            "bytecode": importlib.machinery.BYTECODE_SUFFIXES,
            "extensions": importlib.machinery.EXTENSION_SUFFIXES,
        },
        "libpython": libpython(),
        "c_api": known(
            {"headers": below(named("INCLUDEPY")), "pkgconfig_path": below(named("LIBPC") or "")}
        ),
    }


if not (PREFIX / INTERPRETER).exists():
    raise SystemExit(f"there is no {INTERPRETER} in {PREFIX}")
place = STDLIB / "build-details.json"
upstream = json.loads(place.read_text("utf-8")) if place.exists() else {}
# What CPython knows and we do not comes last.
document = known(upstream | details())
unfinished = place.with_suffix(".new")
unfinished.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
unfinished.replace(place)
