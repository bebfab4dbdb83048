"""Sigstore: a bundle, judged by the library `sigstore` without network.

The extra `ftbuild[sigstore]` brings it; nothing else imports it. The root of trust is the one that
the library ships, not the copy in the user's home, which sigstore itself uses unverified offline.
"""

from __future__ import annotations

import logging
import warnings
from importlib.resources import as_file, files
from importlib.util import find_spec
from typing import TYPE_CHECKING

import msgspec

from ftbuild.errors import EnvironmentFault
from ftbuild.fetch.signing.verdict import Bad, Foreign, Signature, Unjudged

if TYPE_CHECKING:
    from sigstore.verify import Verifier

_ROOT = ("_store", "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json")
"""Where the library keeps Sigstore's public root of trust."""

_LONGEST = 300
"""Characters of the library's words that are passed on."""


class _Proof(msgspec.Struct, rename="camel"):
    checkpoint: dict[str, object] | None = None


class _Entry(msgspec.Struct, rename="camel"):
    inclusion_proof: _Proof | None = None


class _Material(msgspec.Struct, rename="camel"):
    tlog_entries: list[_Entry]


class _Outline(msgspec.Struct, rename="camel"):
    """As much of a bundle as tells whether it can be verified offline."""

    verification_material: _Material


def available() -> bool:
    """Whether the extra is installed."""
    return find_spec("sigstore") is not None


def judge(bundle: bytes, *, sha256: str, identity: str, issuer: str) -> Signature:
    """Tell that a file was signed by an identity that an issuer vouched for.

    Args:
        bundle: The content of the bundle.
        sha256: The hash of the file.
        identity: Who must have signed.
        issuer: Who must have vouched for it.

    Raises:
        Foreign: It is no bundle.
        Bad: The bundle does not hold, or is somebody else's.
        Unjudged: It is of the older kind that cannot be verified without network.
        EnvironmentFault: The library is not there, or without its root of trust.
    """
    _refuse_older(bundle)
    # What sigstore and cryptography have to say on the side is not for this terminal.
    logging.getLogger("sigstore").addHandler(logging.NullHandler())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verifier = _verifier()
        from sigstore.hashes import Hashed  # noqa: PLC0415 - half a second
        from sigstore.models import Bundle  # noqa: PLC0415
        from sigstore.verify.policy import Identity  # noqa: PLC0415

        digest = bytes.fromhex(sha256)
        try:
            read = Bundle.from_json(bundle)
            verifier.verify_artifact(
                Hashed.model_validate({"algorithm": "SHA2_256", "digest": digest}),
                read,
                Identity(identity=identity, issuer=issuer),
            )
            made = read.signing_certificate.not_valid_before_utc
        except Exception as error:  # noqa: BLE001 - whatever a bundle makes it raise, it is no
            raise Bad(f"is not {identity}'s signature of this file: {_words(error)}") from None
    return Signature(means="Sigstore", signer=identity, key=issuer, made=made.date().isoformat())


def _refuse_older(bundle: bytes) -> None:
    """Raise `Unjudged` for a bundle that lacks the log's signed checkpoint.

    CPython's bundles of 2024 and before are of this kind. To call such a bundle bad would be
    wrong; to take it for none gives nothing away that withholding it would not.
    """
    try:
        outline = msgspec.json.decode(bundle, type=_Outline)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Foreign(f"is not a Sigstore bundle: {error}") from None
    for entry in outline.verification_material.tlog_entries:
        if entry.inclusion_proof is None or entry.inclusion_proof.checkpoint is None:
            raise Unjudged("is of the older kind that cannot be verified offline")


def _verifier() -> Verifier:
    try:
        from sigstore.models import TrustedRoot  # noqa: PLC0415 - see above
        from sigstore.verify import Verifier  # noqa: PLC0415
    except ImportError as error:
        raise EnvironmentFault(
            f"the library sigstore cannot be used: {error}",
            hint="pip install 'ftbuild[sigstore]'",
        ) from error
    with as_file(files("sigstore").joinpath(*_ROOT)) as root:
        if not root.is_file():
            raise EnvironmentFault(
                "the library sigstore has no root of trust where it is known to keep it",
                hint="pip install --upgrade 'ftbuild[sigstore]' brings a release that has.",
            )
        return Verifier(trusted_root=TrustedRoot.from_file(str(root)))


def _words(error: Exception) -> str:
    """The first line of what the library said, fit to print."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return "".join(char if char.isprintable() else "?" for char in line)[:_LONGEST]
