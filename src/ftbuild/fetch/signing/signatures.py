"""Finds the signature of a source, at the origins of the source itself, and has it judged.

Sigstore goes first where both kinds are known: its identity does not expire, and it is what CPython
has settled on (PEP 761). One good signature is enough. One that does not hold ends the matter,
whatever another may say. One that cannot be had, or not be judged here, is none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from ftbuild.errors import Refused
from ftbuild.fetch import wire
from ftbuild.fetch.cache import keep, recall
from ftbuild.fetch.download import Downloads
from ftbuild.fetch.missed import Missed
from ftbuild.fetch.origins import Origin, printable
from ftbuild.fetch.signing import bundles, openpgp
from ftbuild.fetch.signing.verdict import Bad, Foreign, Means, Signature, Tool, Unjudged, Unsigned
from ftbuild.model.events import Emit, Warned
from ftbuild.model.recipes import Signer

LIMIT = 1 << 18
"""Bytes that a signature file may have. CPython's are of 1,000 (OpenPGP) and 6,000 (Sigstore)."""

_Judge = Callable[[bytes], Signature]


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A source that is in the cache, and whose signature is looked for.

    Attributes:
        tarball: The file; signatures are kept beside it.
        sha256: Its hash, verified.
        signer: Who is to have signed it.
        origins: Where the tarball may be had; its signature is beside it there.
    """

    tarball: Path
    sha256: str
    signer: Signer
    origins: tuple[Origin, ...]


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """How signatures are looked for.

    Attributes:
        downloads: Asks origins; None when offline.
        missed: Remembers what no origin had; None to ask in any case.
        mirrors: The user's, by which that is remembered.
        env: The caller's environment, for PATH.
        emit: Receives warnings.
    """

    downloads: Downloads | None
    missed: Missed | None
    mirrors: tuple[str, ...]
    env: Mapping[str, str]
    emit: Emit


class _Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of signature that the signer is known to make."""

    means: Means
    suffix: str
    tool: Tool
    judge: _Judge
    there: bool


class _Missing(Exception):
    """There is no signature of a kind; the text says what was asked."""


def find(source: Signed, search: Search) -> Signature | Unsigned:
    """The first good signature of a source, or why there is none.

    Raises:
        Refused: One was found that does not hold.
        UsageError: The recipes are wrong about a key.
        EnvironmentFault: A tool that is installed does not work.
        Interrupted: The search was stopped.
    """
    kinds = _kinds(source, search.env)
    reasons: list[str] = []
    for kind in kinds:
        name = f"{source.tarball.name}{kind.suffix}"
        if not kind.there:
            reasons.append(f"{kind.means}: {_WITHOUT[kind.tool]}")
            continue
        try:
            return _judged(source.tarball.with_name(name), kind, source, search)
        except _Missing as missing:
            reasons.append(f"{kind.means}: {missing}")
        except Unjudged as unjudged:
            reasons.append(f"{kind.means}: {name} {unjudged}")
    if not kinds:
        reasons.append("the recipes name nobody who signs this series")
    lacks = tuple(kind.tool for kind in kinds if not kind.there)
    return Unsigned(reasons=tuple(reasons), lacks=lacks)


_WITHOUT: dict[Tool, str] = {
    "gpg": "gpg is not installed",
    "sigstore": "the extra ftbuild[sigstore] is not installed",
}


def _kinds(source: Signed, env: Mapping[str, str]) -> tuple[_Kind, ...]:
    signer = source.signer
    found = []
    if signer.identity is not None and signer.issuer is not None:
        identity, issuer = signer.identity, signer.issuer
        found.append(
            _Kind(
                means="Sigstore",
                suffix=".sigstore",
                tool="sigstore",
                there=bundles.available(),
                judge=lambda content: bundles.judge(
                    content, sha256=source.sha256, identity=identity, issuer=issuer
                ),
            )
        )
    if signer.openpgp is not None and signer.key is not None:
        fingerprint, key = signer.openpgp, Path(signer.key)
        found.append(
            _Kind(
                means="OpenPGP",
                suffix=".asc",
                tool="gpg",
                there=openpgp.program(env) is not None,
                judge=lambda content: openpgp.judge(
                    content, source.tarball, key=key, fingerprint=fingerprint, env=env
                ),
            )
        )
    return tuple(found)


def _judged(path: Path, kind: _Kind, source: Signed, search: Search) -> Signature:
    """The verdict on the signature in the cache, else on the first that an origin delivers."""
    cached = recall(path, limit=LIMIT)
    if cached is not None:
        try:
            return kind.judge(cached)
        except Bad as bad:
            if search.downloads is None:
                raise _refused(str(path), bad) from None
            search.emit(Warned(text=f"{path} {bad}: removed, to be fetched again"))
            with contextlib.suppress(OSError):
                path.unlink()
    return _fetched(path, kind, source, search)


def _fetched(path: Path, kind: _Kind, source: Signed, search: Search) -> Signature:
    """The verdict on the first signature that an origin delivers."""
    name = path.name
    if search.downloads is None:
        raise _Missing(f"{name} is not in the cache, and ftbuild is offline")
    if search.missed is not None and search.missed.lately(name, search.mirrors):
        raise _Missing(f"no origin had {name} within the last hour")
    said = []
    for tarball in source.origins:
        origin = msgspec.structs.replace(tarball, url=f"{tarball.url}{kind.suffix}")
        address = printable(origin.url)
        try:
            content = search.downloads.read(origin, limit=LIMIT)
            signature = kind.judge(content)
        except wire.Failed as failed:
            said.append(f"\n    {address}  {failed.said}")
        except Foreign as foreign:
            said.append(f"\n    {address}  {foreign}")
        except Bad as bad:
            raise _refused(address, bad) from None
        else:
            keep(path, content)
            return msgspec.structs.replace(signature, origin=address)
    if search.missed is not None:
        search.missed.remember(name, search.mirrors)
    raise _Missing(f"no origin has {name}{''.join(said)}")


def _refused(where: str, bad: Bad) -> Refused:
    return Refused(
        f"{where} {bad}",
        hint="Find out what that signature is before the source is used. The pin in the recipes "
        "is another matter: `--signature off` goes by it alone.",
    )
