"""What configure found out about this host, kept for the next build of the same kind.

Autoconf's own cache: a run of 3.14.7's configure takes 20 seconds of processor time without and 2
with it. It is handed over through `config.site` and not as `--cache-file`, which sysconfig would
show among the arguments of configure for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ftbuild.files import write_atomically
from ftbuild.model.spec import BuildSpec, Host
from ftbuild.model.versions import Variant
from ftbuild.store.layout import Layout

_CACHE = "config.cache"

_NOT_TO_BE_KEPT = ("ac_cv_wl_no_as_needed=", "ac_cv_gcc_asm_for_x64=")
"""Answers with which CPython's configure goes another way than without: finding out the first has
a side effect, and the second is used before it is found out."""


def cache_place(spec: BuildSpec, host: Host, variables: Mapping[str, str], layout: Layout) -> Path:
    """Where the answers for a build lie, or will: by everything that configure can see.

    Both builds of a pair have one place: what `--disable-gil` changes, configure does not cache.
    """
    pair = msgspec.structs.replace(
        spec,
        variant=Variant.GIL,
        flags=tuple(flag for flag in spec.flags if flag != "--disable-gil"),
        profile_data=None,
    )
    seen = (pair.digest, host.compiler, host.libc, host.system, sorted(variables.items()))
    key = hashlib.sha256(msgspec.json.encode(seen, order="sorted")).hexdigest()
    return layout.configure / f"{spec.version}-{key[:16]}.cache"


def prepare_configure(place: Path, tree: Path, site: Path) -> None:
    """Have configure begin with the answers kept at a place, and write down its own.

    Args:
        place: Of `cache_place`.
        tree: The build directory, which is there.
        site: The file that CONFIG_SITE names.

    Raises:
        OSError: They cannot be written.
    """
    site.write_text(f"cache_file={_CACHE}\n")
    if place.is_file():
        (tree / _CACHE).write_bytes(place.read_bytes())


def keep_configured(place: Path, tree: Path) -> None:
    """Keep what configure found out for a build that came to a good end.

    Raises:
        OSError: It cannot be written.
    """
    found = tree / _CACHE
    if place.is_file() or not found.is_file():
        return
    lines = found.read_text(errors="surrogateescape").splitlines(keepends=True)
    kept = "".join(line for line in lines if not line.startswith(_NOT_TO_BE_KEPT))
    write_atomically(place, kept.encode("utf-8", "surrogateescape"))
