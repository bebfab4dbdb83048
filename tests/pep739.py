"""The schema of `build-details.json` 1.0 without its prose.

From PEP 739 (public domain or CC0-1.0), which is where
https://packaging.python.org/en/latest/specifications/build-details/v1.0/ has it from.
"""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

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

VALIDATOR = Draft202012Validator(SCHEMA)
