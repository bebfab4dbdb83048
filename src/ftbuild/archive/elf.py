"""What the ELF files of a build ask of the system that is to run them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

import msgspec
from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from packaging.version import Version

MAGIC = b"\x7fELF"

_GLIBC = "GLIBC_"
_VERSIONS = 10_000
"""Versions of symbols that are looked at: the interpreter needs 25, a damaged file billions."""
_RUN_PATHS = {"DT_RPATH": "rpath", "DT_RUNPATH": "runpath"}


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What one file needs.

    Attributes:
        libc: The versions of glibc whose symbols it uses: `2.34`.
        run_path: The directories where the loader looks for its libraries, as they stand in it.
        libraries: The names of the libraries it is linked with: `libssl.so.3`.
    """

    libc: tuple[str, ...]
    run_path: tuple[str, ...]
    libraries: tuple[str, ...]


def needs_of(path: Path) -> Needs:
    """What a file needs; nothing where it is no ELF file after all, or a damaged one.

    Raises:
        OSError: It cannot be read.
    """
    try:
        sections = tuple(ELFFile(io.BytesIO(path.read_bytes())).iter_sections())
        return Needs(
            libc=tuple(_versions(sections)),
            run_path=tuple(_run_path(sections)),
            libraries=tuple(_libraries(sections)),
        )
    except (ELFError, ValueError, OverflowError):  # the latter two: it points out of itself
        return Needs(libc=(), run_path=(), libraries=())


def needs_below(top: Path, names: Iterable[str]) -> dict[str, Needs]:
    """What each ELF file among the files below a directory needs.

    Raises:
        OSError: One cannot be read.
    """
    return {name: needs_of(top / name) for name in names if _is_elf(top / name)}


def libraries(needed: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The libraries that are to come from the system, each with a file that needs it.

    Args:
        needed: By the names of files, the libraries each is linked with. A library that is one of
            these files is nobody else's.
    """
    own = {name.rpartition("/")[2] for name in needed}
    return {
        library: name
        for name, wanted in sorted(needed.items(), reverse=True)
        for library in sorted(wanted)
        if library not in own
    }


def newest(versions: Iterable[str]) -> str | None:
    """The newest of some versions of glibc, or None of none."""
    return max(versions, key=Version, default=None)


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _versions(sections: Iterable[object]) -> Iterable[str]:
    wanted = (
        symbol.name
        for section in sections
        if isinstance(section, GNUVerNeedSection)
        for _, symbols in section.iter_versions()
        for symbol in symbols
    )
    for name in islice(wanted, _VERSIONS):
        # Not GLIBC_PRIVATE, which is of no version, nor GLIBC_ABI_DT_RELR.
        if name.startswith(_GLIBC) and name[len(_GLIBC) :][:1].isdigit():
            yield name.removeprefix(_GLIBC)


def _run_path(sections: Iterable[object]) -> Iterable[str]:
    for section in sections:
        if isinstance(section, DynamicSection):
            for tag in section.iter_tags():
                attribute = _RUN_PATHS.get(tag.entry.d_tag)
                if attribute is not None:
                    yield from str(getattr(tag, attribute)).split(":")


def _libraries(sections: Iterable[object]) -> Iterable[str]:
    for section in sections:
        if isinstance(section, DynamicSection):
            for tag in section.iter_tags("DT_NEEDED"):
                yield str(getattr(tag, "needed"))  # noqa: B009 - made when it is asked for
