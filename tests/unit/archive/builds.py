"""Builds to be packed: those of tests.builders with files of the test's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftbuild.model.manifest import Installation
from ftbuild.model.versions import Variant
from ftbuild.store.layout import Layout
from ftbuild.store.prefixes import complete
from ftbuild.store.tree import hash_tree
from tests.builders import build, changed, specification, with_python


def installed(
    layout: Layout,
    files: Mapping[str, bytes],
    variant: Variant = Variant.FREE_THREADED,
    *,
    script: str = "exit",
    **asked: Any,
) -> Installation:
    """An installation with these files; `$prefix` in a content stands for its prefix.

    Its interpreter is a shell script.
    """
    prefix = layout.store / specification(variant, **asked).store_name("fast")
    made = with_python(build(prefix, variant, **asked), script)
    python3 = prefix / "bin/python3"
    python3.unlink(missing_ok=True)
    python3.symlink_to(made.python.name)
    for name, content in files.items():
        path = prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.replace(b"$prefix", str(prefix).encode()))
    tree = hash_tree(prefix)
    made = changed(
        made,
        "result",
        size=tree.size,
        files=tree.count,
        files_sha256=tree.sha256,
        links=tree.links,
    )
    return complete(prefix, made.manifest, tree)
