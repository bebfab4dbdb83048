"""`build-details.json` (PEP 739) of an installation from which something is left out."""

from __future__ import annotations

import json
from collections.abc import Collection

NAME = "build-details.json"
"""The file's name; it is in the directory of the standard library."""

_LIBRARY = "libpython"


def without(document: bytes, there: Collection[str]) -> bytes:
    """The file as it is true where not everything is there.

    Only libraries are ever left out (an image has no use for a static one). A file with absolute
    paths, as CPython writes it, stays as it is.

    Args:
        document: The file.
        there: The names of files and links, relative to the prefix.
    """
    details = json.loads(document)
    libraries = details.get(_LIBRARY, {})
    gone = [
        key
        for key, path in libraries.items()
        if isinstance(path, str) and not path.startswith("/") and path not in there
    ]
    if not gone:
        return document
    kept = {key: value for key, value in libraries.items() if key not in gone}
    # In the same place: the order of keys is part of the bytes.
    described = {key: kept if key == _LIBRARY else value for key, value in details.items()}
    if not kept:
        del described[_LIBRARY]
    return json.dumps(described, indent=2).encode() + b"\n"
