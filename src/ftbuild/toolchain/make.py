"""GNU make: where it is, its version, whether it speaks `fifo:` jobservers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ftbuild.errors import EnvironmentFault
from ftbuild.model.spec import Make
from ftbuild.toolchain.programs import numbers, said, which

_VERSION = re.compile(r"^GNU Make (\d+(?:\.\d+)*)", re.MULTILINE)
_FIFO = (4, 4)
"""The first version with `--jobserver-auth=fifo:PATH` and `--jobserver-style`."""


def find_make(*, env: Mapping[str, str]) -> Make:
    """The newest GNU make among `make` and `gmake`: macOS has 3.81, Homebrew adds a new `gmake`.

    Raises:
        EnvironmentFault: There is none, or only a make of another kind.
    """
    programs = {path.resolve(): path for name in ("gmake", "make") if (path := which(name, env))}
    found: list[Make] = []
    for path in programs.values():
        version = _VERSION.search(said(path, "--version", env=env))
        if version is not None:
            fifo = numbers(version[1]) >= _FIFO
            found.append(Make(path=str(path), version=version[1], fifo=fifo))
    if found:
        return max(found, key=lambda make: numbers(make.version))
    if programs:
        others = " and ".join(map(str, programs.values()))
        raise EnvironmentFault(
            f"no GNU make: {others} is another kind",
            hint="Install GNU make, as `make` or `gmake`; CPython's Makefile runs with no other.",
        )
    raise EnvironmentFault(
        "there is no make on PATH",
        hint="`ftbuild doctor` gives the command that installs it.",
    )
