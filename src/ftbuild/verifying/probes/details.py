"""What this installation's `build-details.json` (PEP 739) says and where its paths lead.

Prints one JSON object: the file as it is, where each of its paths leads to by the rules of the
format, and what the interpreter itself says of the same things.
"""

import importlib.machinery
import json
import os
import sys
import sysconfig
from pathlib import Path

PATHS = (
    ("base_interpreter",),
    ("libpython", "dynamic"),
    ("libpython", "dynamic_stableabi"),
    ("libpython", "static"),
    ("c_api", "headers"),
    ("c_api", "pkgconfig_path"),
)
"""The keys of paths that are relative to `base_prefix`, if they are relative."""


def value(document: object, keys: tuple[str, ...]) -> str | None:
    """The path at some keys of a document that may be anything."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, str) else None


def led(*parts: str | Path) -> str:
    """Where a path leads to, links followed; empty where there is nothing."""
    path = os.path.join(*parts)  # noqa: PTH118 - an absolute part replaces those before it
    return os.path.realpath(path) if os.path.exists(path) else ""  # noqa: PTH110


place = Path(sysconfig.get_path("stdlib"), "build-details.json")
text = place.read_text("utf-8", "replace") if place.exists() else ""
try:
    document = json.loads(text)
except ValueError:
    document = None
named = value(document, ("base_prefix",)) or ""
base = os.path.join(place.parent, named)  # noqa: PTH118
found = {".".join(keys): (value(document, keys), keys) for keys in PATHS}
leads = {key: led(base, path) for key, (path, _) in found.items() if path is not None}
variables = sysconfig.get_config_vars()
print(
    json.dumps(
        {
            "place": str(place),
            "text": text,
            "prefix": os.path.realpath(sys.base_prefix),
            "base_prefix": led(base),
            "named": [named, *(path for path, _ in found.values() if path is not None)],
            "leads": leads,
            "headers": os.path.realpath(sysconfig.get_path("include")),
            "interpreter": os.path.realpath(sys.executable),
            "own": {
                "platform": sysconfig.get_platform(),
                "language": {
                    "version": sysconfig.get_python_version(),
                    "version_info": dict(
                        zip(
                            ("major", "minor", "micro", "releaselevel", "serial"),
                            sys.version_info,
                            strict=True,
                        )
                    ),
                },
                "implementation": {
                    "name": sys.implementation.name,
                    "cache_tag": sys.implementation.cache_tag,
                    "hexversion": sys.implementation.hexversion,
                },
                "abi": {
                    "flags": list(sys.abiflags),
                    "extension_suffix": variables["EXT_SUFFIX"],
                },
                "suffixes": {
                    "source": importlib.machinery.SOURCE_SUFFIXES,
                    "bytecode": importlib.machinery.BYTECODE_SUFFIXES,
                    "extensions": importlib.machinery.EXTENSION_SUFFIXES,
                },
            },
        }
    )
)
