from __future__ import annotations

import ast
import sys

import pytest

from ftbuild.verify.probing import PROBES


@pytest.mark.parametrize("name", sorted(path.name for path in PROBES.glob("*.py")))
def test_a_probe_needs_the_standard_library_alone(name: str) -> None:
    imported = set()
    for node in ast.walk(ast.parse((PROBES / name).read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).partition(".")[0])
    assert imported <= sys.stdlib_module_names
