from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftbuild.fetch.signing import Bad, Signature, Unjudged
from ftbuild.fetch.signing.bundles import judge

DATA = Path(__file__).with_name("data")
BUNDLE = (DATA / "conformance.sigstore.json").read_bytes()
OLDER = (DATA / "Python-3.12.5.tgz.sigstore").read_bytes()
SHA256 = "a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf"
IDENTITY = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/"
    "workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
ISSUER = "https://token.actions.githubusercontent.com"


@pytest.fixture
def _library() -> None:
    pytest.importorskip("sigstore", reason="the extra ftbuild[sigstore] is not installed")


pytestmark = pytest.mark.usefixtures("_library")


def judged(
    bundle: bytes = BUNDLE,
    *,
    sha256: str = SHA256,
    identity: str = IDENTITY,
    issuer: str = ISSUER,
) -> Signature:
    return judge(bundle, sha256=sha256, identity=identity, issuer=issuer)


def test_the_right_identity(capfd: pytest.CaptureFixture[str]) -> None:
    assert judged() == Signature(means="Sigstore", signer=IDENTITY, key=ISSUER, made="2024-03-19")
    assert capfd.readouterr() == ("", "")


def test_the_wrong_identity() -> None:
    with pytest.raises(Bad, match=r"is not hugo@python\.org's signature of this file: .*beacon"):
        judged(identity="hugo@python.org")


def test_the_wrong_issuer() -> None:
    with pytest.raises(Bad, match=ISSUER):
        judged(issuer="https://github.com/login/oauth")


def test_another_file() -> None:
    with pytest.raises(Bad, match="digest mismatch"):
        judged(sha256="0" * 64)


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("MEUCICY", "MEUCICZ"),  # the signature
        ("79571823", "79571824"),  # the entry's place in the log
        ('"MIIIM', '"MIIIN'),  # the certificate
        ("1J7hR", "2J7hR"),  # the proof that the log holds it
        ("version=0.3", "version=0.9"),
        ("messageSignature", "dsseEnvelope"),
    ],
)
def test_a_damaged_bundle(part: str, other: str) -> None:
    text = BUNDLE.decode()
    assert part in text
    with pytest.raises(Bad, match="signature of this file"):
        judged(text.replace(part, other, 1).encode())


@pytest.mark.parametrize("junk", [b"", b"{}", b"[]", BUNDLE[:2000], b"\xff", b"<html>"])
def test_what_is_no_bundle(junk: bytes) -> None:
    with pytest.raises(Bad, match="is not a Sigstore bundle"):
        judged(junk)


def test_no_log_entry_at_all() -> None:
    bundle = json.loads(BUNDLE)
    bundle["verificationMaterial"]["tlogEntries"] = []
    with pytest.raises(Bad):
        judged(json.dumps(bundle).encode())


def test_a_bundle_of_the_older_kind_says_nothing_either_way() -> None:
    with pytest.raises(Unjudged, match="older kind"):
        judged(OLDER, identity="thomas@python.org", issuer="https://accounts.google.com")
