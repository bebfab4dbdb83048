"""What can come of looking at a signature."""

from __future__ import annotations

from typing import Literal

import msgspec

Means = Literal["Sigstore", "OpenPGP"]
Tool = Literal["gpg", "sigstore"]


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature that holds.

    Attributes:
        means: How it was made.
        signer: Who signed: the name in the key, or the identity in the certificate.
        key: What it was judged by: the primary key's fingerprint, or the identity's issuer.
        made: The day it was made, `2026-06-10` (UTC).
        origin: Who delivered it, fit to print; None where it was in the cache.
    """

    means: Means
    signer: str
    key: str
    made: str
    origin: str | None = None


class Unsigned(msgspec.Struct, frozen=True, kw_only=True):
    """No signature was found that could be judged; none was found to be bad.

    Attributes:
        reasons: Why, one for each kind of signature.
        lacks: What would have to be installed to judge more.
    """

    reasons: tuple[str, ...]
    lacks: tuple[Tool, ...] = ()


class Bad(Exception):
    """A signature does not hold; the text says why, to be put behind its name."""


class Foreign(Bad):
    """It is no signature at all. From an origin, such as a login page: as good as nothing."""


class Unjudged(Exception):
    """A signature cannot be judged here, which says nothing against it."""
