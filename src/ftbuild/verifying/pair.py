"""Do the two builds of a pair differ in `--disable-gil` and what follows from it, and in no more?

From the manifests alone: the same question can be asked of builds on two hosts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from ftbuild.model.manifest import Installation, Manifest
from ftbuild.model.report import Check, Report, Status, expect
from ftbuild.model.spec import Compiler
from ftbuild.model.versions import Variant, series_of
from ftbuild.verifying.commands import options

_DISABLE_GIL = "--disable-gil"

_UNMATCHED = "Numbers measured on this pair would compare more than the GIL: build both again."

_VALUELESS = re.compile(
    r"(?P<option>-fprofile-use|-fprofile-instr-use)=.*|(?P<jobs>-flto)=[0-9]+"
    r"|(?P<list>suppressions)=[^:]*"
)
"""What differs without being another way to build: each build has a profile of its own, `-flto=N`
says how many jobs the link may use, and CPython keeps a list of the data races it knows of for
each of the two builds."""


def compare(gil: Installation, free_threaded: Installation) -> Report:
    """Compare the manifests of the GIL build and the free-threaded build of one release."""
    left, right = gil.manifest, free_threaded.manifest

    def same(name: str, of: Callable[[Manifest], Iterable[str]]) -> Check:
        return _same(f"pair.{name}", tuple(of(left)), tuple(of(right)))

    def same_after(name: str, of: Callable[[Manifest], Iterable[str]]) -> Check:
        """The same once each build's own names and what follows from --disable-gil are gone."""
        plain = (tuple(_plain(of(side.manifest), side)) for side in (gil, free_threaded))
        return _same(f"pair.{name}", *plain)

    return Report(
        kind="pair",
        subject=left.name.removeprefix("cpython-"),
        checks=(
            expect(
                "pair.variants",
                f"{Variant.GIL} and {Variant.FREE_THREADED}",
                f"{left.spec.variant} and {right.spec.variant}",
            ),
            same("version", lambda m: (m.spec.version,)),
            same("source", lambda m: (m.spec.source_sha256, f"{m.used.source_size} bytes")),
            same("compiler", lambda m: (m.spec.compiler, *_tools(m.used.compiler))),
            same("make", lambda m: (m.used.make.path, m.used.make.version)),
            same("profile", lambda m: (m.spec.profile,)),
            same("asked", _asked),
            same_after("flags", lambda m: m.spec.flags),
            same_after("configure-args", lambda m: m.spec.configure_args),
            same_after("configure", lambda m: m.used.configure),
            same_after("environment", lambda m: _items(m.used.environment)),
            same("libraries", lambda m: (f"{x.name} {x.version}" for x in m.spec.libraries)),
            same("modules", lambda m: m.used.promised),
            same("missing-modules", lambda m: m.result.missing),
            same("host", lambda m: (m.used.system, m.used.machine, m.used.libc)),
            same("ftbuild", lambda m: (m.used.ftbuild,)),
            same("achieved", _achieved),
            same_after("compile-flags", lambda m: options(m.used.compile_command)),
            same_after("link-flags", lambda m: options(m.used.link_command)),
            expect(
                "pair.abiflags",
                f"'t' and {left.spec.abiflags!r}",
                f"{right.spec.abiflags[:1]!r} and {right.spec.abiflags[1:]!r}",
            ),
        ),
    )


def _asked(manifest: Manifest) -> tuple[str, ...]:
    spec = manifest.spec
    return (
        f"pgo={spec.pgo}",
        f"lto={spec.lto}",
        f"debug={spec.debug}",
        f"sanitizer={spec.sanitizer}",
        f"debug_info={spec.debug_info}",
        f"training={' '.join(spec.stage_flags.training)}",
    )


def _achieved(manifest: Manifest) -> tuple[str, ...]:
    result = manifest.result
    trained = result.training_profile is not None
    return f"pgo={result.pgo}", f"lto={result.lto}", f"trained={trained}"


def _tools(compiler: Compiler) -> tuple[str, ...]:
    return compiler.path, *_items(compiler.tools)


def _items(mapping: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in sorted(mapping.items()))


def _plain(words: Iterable[str], installation: Installation) -> Iterable[str]:
    """Words without what names the build itself and without what `--disable-gil` brings."""
    manifest = installation.manifest
    series = series_of(manifest.spec.version)
    release = manifest.spec.version
    own = (
        (str(installation.prefix), "{prefix}"),
        (manifest.digest, "{digest}"),
        (manifest.digest[:8], "{digest}"),
        # Directories and libraries: cpython-3.14.7t, include/python3.14t, -lpython3.14t.
        (f"{release}t", release),
        (f"{series}t", series),
    )
    for word in words:
        if word == _DISABLE_GIL:
            continue
        plain = word
        for mine, neutral in own:
            plain = plain.replace(mine, neutral)
        yield _VALUELESS.sub(lambda match: match[match.lastgroup or 0], plain)


def _same(name: str, gil: tuple[str, ...], free_threaded: tuple[str, ...]) -> Check:
    """A check that passes when both are equal, and else shows what only one of them has."""
    if gil == free_threaded:
        return Check(name=name, status=Status.PASSED, found=_summary(gil))
    mine, theirs = Counter(gil), Counter(free_threaded)
    only_mine = tuple((mine - theirs).elements()) or gil
    only_theirs = tuple((theirs - mine).elements()) or free_threaded
    return Check(
        name=name,
        status=Status.FAILED,
        expected=f"GIL build: {_summary(only_mine)}",
        found=f"free-threaded build: {_summary(only_theirs)}",
        reason=_UNMATCHED,
    )


def _summary(words: tuple[str, ...]) -> str:
    return " ".join(words) or "nothing"
