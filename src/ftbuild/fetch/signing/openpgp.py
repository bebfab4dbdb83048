"""OpenPGP: a detached signature, judged by gpg with one key that is pinned.

gpg runs in a home of its own that holds this key and nothing else: the user's keys, what they
trust and their options have no say. It starts no agent and asks no network. What counts is what it
reports line by line (`--status-fd`, described in GnuPG's doc/DETAILS); its exit status alone would
accept a key that is not the pinned one, and a key that had expired when it signed.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ftbuild import process
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.fetch.signing.verdict import Bad, Foreign, Signature

_OPTIONS = (
    *("--batch", "--no-tty", "--no-options", "--no-greeting", "--quiet"),
    *("--no-autostart", "--disable-dirmngr", "--no-auto-key-retrieve", "--no-auto-check-trustdb"),
    *("--trust-model", "always", "--display-charset", "utf-8"),
)
_TIMEOUT = 120.0
"""Seconds for one run of gpg, which hashes 36 MB at most."""

_REPORT = "[GNUPG:] "
"""What gpg's status lines begin with."""

_OUTCOMES = {"GOODSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "BADSIG", "ERRSIG"}
"""Of these gpg reports exactly one for each signature."""

_BINARY = "00"
"""Class of a signature over the bytes as they are; a text signature overlooks line endings."""

_HASHES = {"8", "9", "10"}
"""SHA-256, SHA-384, SHA-512 (RFC 9580, section 9.5)."""

_NO_KEY = "9"
"""ERRSIG's reason where the key is not there."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What gpg reports on one signature.

    Attributes:
        outcome: GOODSIG and its like, or empty where it did not get that far.
        words: What follows the outcome: a key, a name.
        valid: What follows VALIDSIG, empty if there is none.
    """

    outcome: str = ""
    words: tuple[str, ...] = ()
    valid: tuple[str, ...] = ()


class Expiry(msgspec.Struct, frozen=True, kw_only=True):
    """When keys expire: fingerprint to seconds since the epoch; those that do not are left out."""

    seconds: dict[str, int]

    def of(self, *fingerprints: str) -> int | None:
        """The earliest of several keys' ends."""
        return min((self.seconds[f] for f in fingerprints if f in self.seconds), default=None)


def program(env: Mapping[str, str]) -> str | None:
    """Where gpg is, or None where it is not installed."""
    return shutil.which("gpg", path=env.get("PATH"))


def judge(
    signature: bytes, tarball: Path, *, key: Path, fingerprint: str, env: Mapping[str, str]
) -> Signature:
    """Tell that a tarball was signed with the pinned key while that was valid.

    Args:
        signature: The content of the signature file.
        tarball: The file it is to be over.
        key: The file with the pinned key.
        fingerprint: That of its primary key.
        env: The caller's environment, for PATH.

    Raises:
        Foreign: It is no signature.
        Bad: It does not hold.
        UsageError: The key's file does not hold the pinned key.
        EnvironmentFault: gpg cannot be run.
    """
    gpg = program(env)
    if gpg is None:
        raise EnvironmentFault("gpg is not installed", hint="Install GnuPG.")
    with tempfile.TemporaryDirectory(prefix="ftbuild-gpg-") as home:
        # The directory's mode is 0700, which gpg asks for.
        own = {"PATH": env.get("PATH", ""), "LC_ALL": "C", "HOME": home, "GNUPGHOME": home}

        def ran(*words: str | Path) -> str:
            argv = (gpg, *_OPTIONS, "--homedir", home, *words)
            done = process.capture(argv, env=own, timeout=_TIMEOUT)
            if done.timed_out or done.returncode < 0:
                raise EnvironmentFault(f"gpg ended with {done.ending}", hint=done.stderr.strip())
            return done.stdout

        detached = Path(home) / "signature"
        detached.write_bytes(signature)
        imported = ran("--status-fd", "1", "--import", key.absolute())
        if _REPORT not in imported:
            raise EnvironmentFault(
                f"{gpg} does not do what GnuPG does", hint="Install GnuPG, or put it first on PATH."
            )
        if not _imported(imported, fingerprint):
            raise UsageError(
                f"{key} does not hold the key {fingerprint}",
                hint="signers.yaml names both: a fingerprint, and the file with that key.",
            )
        expiry = expiries(ran("--with-colons", "--list-keys"))
        said = ran("--status-fd", "1", "--verify", detached, tarball.absolute())
    return verdict(claims(said), fingerprint=fingerprint, expiry=expiry)


def claims(status: str) -> tuple[Claim, ...]:
    """What gpg's status lines say on each signature, in order."""
    found: list[Claim] = []
    for line in status.splitlines():
        if not line.startswith(_REPORT):
            continue
        keyword, *words = line.split()[1:] or [""]
        if keyword == "NEWSIG":
            found.append(Claim())
        elif keyword in _OUTCOMES:
            last = found.pop() if found and not found[-1].outcome else Claim()
            found.append(msgspec.structs.replace(last, outcome=keyword, words=tuple(words)))
        elif keyword == "VALIDSIG" and found:
            found[-1] = msgspec.structs.replace(found[-1], valid=tuple(words))
    return tuple(found)


def expiries(listing: str) -> Expiry:
    """When keys expire, from `gpg --with-colons --list-keys`."""
    seconds: dict[str, int] = {}
    ends = ""
    for line in listing.splitlines():
        kind, *fields = line.split(":")
        if kind in {"pub", "sub"}:
            ends = fields[5] if fields[5:] and _SECONDS.fullmatch(fields[5]) else ""
        elif kind == "fpr" and ends and fields[8:]:
            seconds[fields[8]] = int(ends)
            ends = ""
    return Expiry(seconds=seconds)


def verdict(found: tuple[Claim, ...], *, fingerprint: str, expiry: Expiry) -> Signature:
    """What claims amount to, against the fingerprint that is pinned.

    Raises:
        Foreign: There is none.
        Bad: There are several, or it does not hold.
    """
    if not found:
        raise Foreign("is not a detached OpenPGP signature")
    if len(found) > 1:
        raise Bad(f"holds {len(found)} signatures where one is expected")
    (claim,) = found
    _refuse_failed(claim, fingerprint)
    _refuse_weak(claim)
    signing, made, primary = claim.valid[0], int(claim.valid[2]), claim.valid[-1]
    if primary != fingerprint:
        raise Bad(f"was made with the key {primary}, not with {fingerprint}, which is pinned")
    end = expiry.of(signing, primary)
    if claim.outcome == "EXPKEYSIG" and (end is None or made >= end):
        ended = f" on {_day(end)}" if end is not None else ""
        raise Bad(
            f"was made on {_day(made)}, when the pinned key {fingerprint} had expired{ended}; "
            "if its owner made it last longer, the newer copy belongs into recipes/keys"
        )
    return Signature(
        means="OpenPGP", signer=" ".join(claim.words[1:]), key=primary, made=_day(made)
    )


def _refuse_failed(claim: Claim, fingerprint: str) -> None:
    """Raise `Bad` where gpg itself does not take a signature for good."""
    if claim.outcome == "BADSIG":
        raise Bad("is not of this file: its bytes are others")
    if claim.outcome == "ERRSIG" and claim.words[5:6] == (_NO_KEY,):
        which = claim.words[6] if claim.words[6:] not in {(), ("-",)} else claim.words[0]
        raise Bad(f"was made with the key {which}, not with {fingerprint}, which is pinned")
    if claim.outcome == "REVKEYSIG":
        raise Bad("was made with a key that has been revoked")
    if claim.outcome == "EXPSIG":
        raise Bad("has expired")
    whole = len(claim.valid) >= _FIELDS and _SECONDS.fullmatch(claim.valid[2])
    if claim.outcome not in {"GOODSIG", "EXPKEYSIG"} or not whole:
        raise Bad("cannot be checked: gpg makes no sense of it")


_FIELDS = 10
_SECONDS = re.compile("[0-9]{1,11}")
"""Since 1970, up to the year 5138: what time cannot be told of is none."""
"""Words of VALIDSIG: fingerprint, date, seconds, expiry, version, reserved, key algorithm, hash
algorithm, class, primary key's fingerprint."""


def _refuse_weak(claim: Claim) -> None:
    """Raise `Bad` where a signature covers less than the bytes as they are."""
    if claim.valid[8] != _BINARY:
        raise Bad("is over text, not over the bytes as they are")
    if claim.valid[7] not in _HASHES:
        raise Bad("is over a hash that is weaker than SHA-256")


def _imported(status: str, fingerprint: str) -> bool:
    lines = (line.split() for line in status.splitlines())
    return any(words[1:2] == ["IMPORT_OK"] and words[-1] == fingerprint for words in lines)


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
