"""The schema of `build-details.json` 1.0 without its prose, and what it takes to validate by it.

From PEP 739 (public domain or CC0-1.0), which is where
https://packaging.python.org/en/latest/specifications/build-details/v1.0/ has it from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_VERSION_INFO = {
    "type": "object",
    "required": ["major", "minor", "micro", "releaselevel", "serial"],
    "additionalProperties": False,
    "properties": {
        "major": {"type": "number"},
        "minor": {"type": "number"},
        "micro": {"type": "number"},
        "releaselevel": {"type": "string", "enum": ["alpha", "beta", "candidate", "final"]},
        "serial": {"type": "number"},
    },
}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["schema_version", "base_prefix", "platform", "language", "implementation"],
    "additionalProperties": False,
    "properties": {
        "schema_version": {"type": "string", "const": "1.0"},
        "base_prefix": {"type": "string"},
        "base_interpreter": {"type": "string"},
        "platform": {"type": "string"},
        "language": {
            "type": "object",
            "required": ["version"],
            "additionalProperties": False,
            "properties": {"version": {"type": "string"}, "version_info": _VERSION_INFO},
        },
        "implementation": {
            "type": "object",
            "required": ["name", "version", "hexversion", "cache_tag"],
            "additionalProperties": True,
            "properties": {"name": {"type": "string"}, "version": _VERSION_INFO},
        },
        "abi": {
            "type": "object",
            "required": ["flags"],
            "additionalProperties": False,
            "properties": {
                "flags": {"type": "array"},
                "extension_suffix": {"type": "string"},
                "stable_abi_suffix": {"type": "string"},
            },
        },
        "suffixes": {"type": "object"},
        "libpython": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "dynamic": {"type": "string"},
                "dynamic_stableabi": {"type": "string"},
                "static": {"type": "string"},
                "link_extensions": {"type": "boolean"},
            },
        },
        "c_api": {
            "type": "object",
            "required": ["headers"],
            "additionalProperties": False,
            "properties": {"headers": {"type": "string"}, "pkgconfig_path": {"type": "string"}},
        },
        "arbitrary_data": {"type": "object", "additionalProperties": True},
    },
}

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "boolean": bool,
}


def violations(
    document: Any, schema: dict[str, Any] = SCHEMA, where: str = "the file"
) -> Iterator[str]:
    """Where a document is not as the schema has it."""
    if not isinstance(document, _TYPES[schema["type"]]):
        yield f"{where} is no {schema['type']}"
        return
    if document not in schema.get("enum", [document]):
        yield f"{where} is {document!r}"
    if document != schema.get("const", document):
        yield f"{where} is {document!r}"
    properties: dict[str, Any] = schema.get("properties", {})
    for key in schema.get("required", ()):
        if isinstance(document, dict) and key not in document:
            yield f"{where} lacks {key}"
    for key, value in document.items() if isinstance(document, dict) else ():
        if key in properties:
            yield from violations(value, properties[key], key)
        elif not schema.get("additionalProperties", True):
            yield f"{where} has {key}"
