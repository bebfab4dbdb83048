"""What an image promises beyond what its builds do: names, users, text, bytecode, contents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ftbuild import process
from ftbuild.images.names import Flavour
from ftbuild.images.verifying.containers import Container
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, Status, expect, skipped
from ftbuild.model.versions import Variant, series_of
from ftbuild.verifying.environments import pip_place
from ftbuild.verifying.probing import PROBES, Context, NoAnswer, ask, complaint

ANYBODY = "28431:28431"
"""A user and a group that no distribution knows: what platforms run images as that trust none."""

_ABSENT = "not there"
_NOT_FOUND = 127

_COMPILER = re.compile(r"(.+-)?(cc|gcc|c\+\+|g\+\+|c[89]9|clang|clang\+\+|tcc)(-[0-9]+)?")
"""The names of C compilers: `x86_64-linux-gnu-gcc-14`."""

_WHERE = ("/usr/local/bin", "/usr/bin", "/bin")


class _Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `probes/surroundings.py`."""

    prefix: str
    user: str
    locale: str
    files: str


class _Bytecode(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `probes/bytecode.py`.

    Attributes:
        sources: How many modules there are.
        wanting: The first of those without bytecode that counts.
        count: How many these are.
    """

    sources: int
    wanting: tuple[str, ...]
    count: int


def bytecode(installation: Installation, context: Context) -> tuple[Check, ...]:
    """Every module that was installed has bytecode that its interpreter takes.

    Where files cannot be written it would be compiled anew at each start.
    """
    name = "image.bytecode"
    found = ask(installation, context, "bytecode.py", installation.prefix, kind=_Bytecode)
    if isinstance(found, NoAnswer):
        return (found.failed(name, "bytecode of every module"),)
    wanting = f", not of {', '.join(found.wanting)}" if found.wanting else ""
    return (
        expect(
            name,
            f"bytecode of {found.sources} modules",
            f"bytecode of {found.sources - found.count} modules{wanting}",
        ),
    )


def names(
    container: Container, builds: Sequence[Installation], primary: Installation
) -> tuple[Check, ...]:
    """The names on the PATH: each runs the build that it says, or none.

    `python3.14` is never the free-threaded build, also where there is no other.
    """
    by_variant = {build.spec.variant: build for build in builds}
    series = series_of(primary.spec.version)
    wanted: dict[str, Installation | None] = {"3": primary, "": primary}
    for variant in Variant:
        wanted[f"{series}{variant.suffix}"] = by_variant.get(variant)
    checks = []
    for suffix, build in wanted.items():
        prefix = str(build.prefix) if build else _ABSENT
        checks += [
            expect(f"names.python{suffix}", prefix, _python(container, f"python{suffix}")),
            expect(f"names.pip{suffix}", prefix, _pip(container, f"pip{suffix}", builds)),
        ]
    return tuple(checks)


def text(container: Container, *, user: str) -> tuple[Check, ...]:
    """Python starts for a user without a home, and takes text and file names for UTF-8.

    Args:
        container: Where it runs, in the image's own environment.
        user: `UID:GID` of that user.
    """
    uid = user.partition(":")[0]
    found = _surroundings(container, "python3", user=user)
    if isinstance(found, str):
        return (Check(name="users.any", status=Status.FAILED, expected="starts", found=found),)
    return (
        expect("users.any", f"starts as user {uid}", f"starts as user {found.user}"),
        expect("text.locale", "utf-8", found.locale.lower()),
        expect("text.file-names", "utf-8", found.files.lower()),
    )


def compilers(container: Container, flavour: str) -> tuple[Check, ...]:
    """There is a compiler where the flavour says so, and none where it does not.

    Args:
        container: Where they are looked for.
        flavour: The image's flavour, by its label; empty where it has none.
    """
    name = "image.compilers"
    if flavour not in set(Flavour):
        return (skipped(name, "no label of the image tells its flavour"),)
    listed = container.run("ls", *_WHERE).stdout.splitlines()
    found = sorted({word for word in listed if _COMPILER.fullmatch(word)})
    wanted = flavour != Flavour.SLIM
    return (
        Check(
            name=name,
            status=Status.PASSED if bool(found) == wanted else Status.FAILED,
            expected="a compiler" if wanted else "none",
            found=", ".join(found) or "none",
        ),
    )


def _python(container: Container, name: str) -> str:
    """The prefix of the Python that a name runs."""
    found = _surroundings(container, name)
    return found if isinstance(found, str) else found.prefix


def _pip(container: Container, name: str, builds: Sequence[Installation]) -> str:
    """The prefix of the build whose pip a name runs."""
    done = _homeless(container, name, "--version")
    if not done.ok:
        return _why(done)
    place = pip_place(done.stdout.strip())
    below = (str(build.prefix) for build in builds if place and build.prefix in place.parents)
    return next(below, done.stdout.strip())


def _surroundings(container: Container, name: str, *, user: str = "") -> _Surroundings | str:
    """What an interpreter says of itself and its surroundings, or how it failed."""
    # -P: what lies beside the probe is not to be imported.
    done = _homeless(container, name, "-P", "-B", PROBES / "surroundings.py", user=user)
    if not done.ok:
        return _why(done)
    try:
        return msgspec.json.decode(done.stdout, type=_Surroundings)
    except msgspec.DecodeError as error:
        return f"an answer that cannot be read: {error}"


def _homeless(container: Container, *words: str | Path, user: str = "") -> process.Completed:
    """Run a command by its name on the image's PATH, without a home directory."""
    return container.run("/usr/bin/env", "-u", "HOME", *words, user=user)


def _why(done: process.Completed) -> str:
    return _ABSENT if done.returncode == _NOT_FOUND else complaint(done)
