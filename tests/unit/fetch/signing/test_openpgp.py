from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.fetch.signing import Bad, Signature
from ftbuild.fetch.signing.openpgp import Claim, Expiry, claims, expiries, judge, verdict
from tests.openpgp import Keys, keys

CONTENT = b"the bytes of a tarball\n"
FPR = "7169605F62C751356D054A26A821E680E5FA6305"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Keys as they are by now, and what was signed with them before."""

    good: str
    ended: str
    revoked: str
    public: dict[str, Path]
    signed: dict[str, bytes]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    folder = tmp_path_factory.mktemp("public")
    with keys() as secret:
        yield _case(secret, folder)


def _case(secret: Keys, folder: Path) -> Case:
    good = secret.make("good", at="20250101T000000")
    other = secret.make("other")
    ended = secret.make("ended", at="20200101T000000")
    revoked = secret.make("revoked")
    one = secret.sign(good, CONTENT, at="20250601T120000")
    signed = {
        "good": one,
        "other": secret.sign(other, CONTENT),
        "before": secret.sign(ended, CONTENT, at="20200601T000000"),
        "after": secret.sign(ended, CONTENT, at="20220601T000000"),
        "revoked": secret.sign(revoked, CONTENT),
        "text": secret.gpg("--textmode", "--armor", "-u", good, "-o", "-", "-b", stdin=CONTENT),
        "clear": secret.sign(good, CONTENT, how="--clear-sign"),
        "inline": secret.sign(good, CONTENT, how="--sign"),
        "sha1": secret.gpg(
            *("--digest-algo", "SHA1", "--armor", "-u", good, "-o", "-", "-b"), stdin=CONTENT
        ),
        "two": secret.gpg("-u", good, "-u", other, "-o", "-", "--armor", "-b", stdin=CONTENT),
    }
    secret.expire(ended, "20210101T000000", at="20200102T000000")
    secret.revoke(revoked)
    fingerprints = {"good": good, "ended": ended, "revoked": revoked}
    public = {key: secret.public(key, folder / f"{name}.asc") for name, key in fingerprints.items()}
    return Case(good=good, ended=ended, revoked=revoked, public=public, signed=signed)


def judged(case: Case, signature: bytes, key: str, content: bytes = CONTENT) -> Signature:
    tarball = case.public[key].with_name("tarball")
    tarball.write_bytes(content)
    return judge(
        signature, tarball, key=case.public[key], fingerprint=key, env={"PATH": os.environ["PATH"]}
    )


def test_a_good_signature(case: Case) -> None:
    assert judged(case, case.signed["good"], case.good) == Signature(
        means="OpenPGP", signer="good <good@example.org>", key=case.good, made="2025-06-01"
    )


def test_what_was_signed_before_the_key_expired_counts(case: Case) -> None:
    assert judged(case, case.signed["before"], case.ended).made == "2020-06-01"


def test_what_was_signed_later_does_not(case: Case) -> None:
    with pytest.raises(Bad, match=r"was made on 2022-06-01, when .* had expired on 2021-01-01"):
        judged(case, case.signed["after"], case.ended)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("other", "was made with the key [0-9A-F]{40}, not with [0-9A-F]{40}, which is pinned"),
        ("before", "was made with the key"),
        ("text", "is over text"),
        ("clear", "is not a detached OpenPGP signature"),
        ("inline", "is not a detached OpenPGP signature"),
        ("sha1", "is over a hash that is weaker"),
        ("two", "holds 2 signatures"),
    ],
)
def test_what_is_not_the_pinned_keys_signature_of_the_file(
    case: Case, name: str, says: str
) -> None:
    with pytest.raises(Bad, match=says):
        judged(case, case.signed[name], case.good)


def test_a_revoked_key(case: Case) -> None:
    with pytest.raises(Bad, match="revoked"):
        judged(case, case.signed["revoked"], case.revoked)


def test_other_bytes(case: Case) -> None:
    with pytest.raises(Bad, match="is not of this file"):
        judged(case, case.signed["good"], case.good, CONTENT[:-1])


@pytest.mark.parametrize("junk", [b"", b"\0" * 300, b"<html>not found</html>", "key"])
def test_what_is_no_signature(case: Case, junk: bytes | str) -> None:
    content = junk if isinstance(junk, bytes) else case.public[case.good].read_bytes()
    with pytest.raises(Bad, match=r"is not a detached OpenPGP signature|cannot be checked"):
        judged(case, content, case.good)


def test_a_damaged_one(case: Case) -> None:
    lines = case.signed["good"].decode().splitlines()
    lines[3] = lines[3][::-1]
    with pytest.raises(Bad):
        judged(case, "\n".join(lines).encode(), case.good)


def test_a_further_key_beside_the_pinned_one_has_no_say(case: Case, tmp_path: Path) -> None:
    both = tmp_path / "both.asc"
    both.write_bytes(b"".join(case.public[key].read_bytes() for key in (case.good, case.ended)))
    tarball = tmp_path / "tarball"
    tarball.write_bytes(CONTENT)
    for signature, key, other in (
        ("before", case.good, case.ended),
        ("good", case.ended, case.good),
    ):
        with pytest.raises(Bad, match=f"was made with the key {other}, not with {key}"):
            judge(
                case.signed[signature],
                tarball,
                key=both,
                fingerprint=key,
                env={"PATH": os.environ["PATH"]},
            )


def test_a_file_without_the_pinned_key(case: Case) -> None:
    with pytest.raises(UsageError, match="does not hold the key"):
        judge(
            case.signed["good"],
            case.public[case.good],
            key=case.public[case.ended],
            fingerprint=case.good,
            env={"PATH": os.environ["PATH"]},
        )


def test_no_gpg(case: Case) -> None:
    path = case.public[case.good]
    with pytest.raises(EnvironmentFault, match="gpg is not installed"):
        judge(b"", path, key=path, fingerprint=case.good, env={"PATH": "/nowhere"})


@pytest.mark.parametrize("script", ["exit 0", "exit 1", "echo hello"])
def test_another_program_of_that_name(case: Case, tmp_path: Path, script: str) -> None:
    (tmp_path / "gpg").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "gpg").chmod(0o755)
    path = case.public[case.good]
    with pytest.raises(EnvironmentFault, match="gpg does not do what GnuPG does"):
        judge(b"", path, key=path, fingerprint=case.good, env={"PATH": str(tmp_path)})


# What gpg 2.2.40 reports on the signature of CPython 3.13.14, its key having expired since.
RECORDED = f"""\
[GNUPG:] NEWSIG
[GNUPG:] KEYEXPIRED 1782998657
[GNUPG:] KEY_CONSIDERED {FPR} 0
[GNUPG:] SIG_ID lrvbPAA9RjMBFO94IMp1yvfuVg4 2026-06-10 1781101673
[GNUPG:] EXPKEYSIG A821E680E5FA6305 Thomas Wouters <thomas@python.org>
[GNUPG:] NOTATION_NAME issuer-fpr@notations.openpgp.fifthhorseman.net
[GNUPG:] VALIDSIG {FPR} 2026-06-10 1781101673 0 4 0 1 10 00 {FPR}
[GNUPG:] KEYEXPIRED 1782998657
"""
LISTING = f"""\
tru::1:1795410347:0:3:1:5
pub:e:4096:1:A821E680E5FA6305:1426072182:1782998657::-:::sc::::::23::0:
fpr:::::::::{FPR}:
uid:e::::1664833397::7F54::Thomas Wouters <thomas@python.org>::::::::::0:
sub:e:4096:1:22EF7ACB211508C5:1426072182:1782998671:::::e::::::23:
fpr:::::::::2770054CA07604BEC801EE7222EF7ACB211508C5:
"""


def test_what_gpg_reports_on_a_real_one() -> None:
    found = verdict(claims(RECORDED), fingerprint=FPR, expiry=expiries(LISTING))
    assert found.signer == "Thomas Wouters <thomas@python.org>"
    assert found.made == "2026-06-10"


def test_an_expired_key_of_which_the_end_is_not_known() -> None:
    with pytest.raises(Bad, match="had expired;"):
        verdict(claims(RECORDED), fingerprint=FPR, expiry=Expiry(seconds={}))


@pytest.mark.parametrize(
    ("outcome", "words", "says"),
    [
        ("EXPSIG", ("K", "name"), "has expired"),
        ("ERRSIG", ("K", "1", "10", "00", "0", "9", "-"), "was made with the key K"),
        ("ERRSIG", ("K", "1", "10", "00", "0", "4"), "makes no sense"),
        ("GOODSIG", ("K", "name"), "makes no sense"),
    ],
)
def test_outcomes_that_are_hard_to_come_by(outcome: str, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(Bad, match=says):
        verdict((Claim(outcome=outcome, words=words),), fingerprint=FPR, expiry=Expiry(seconds={}))


LINES = st.lists(
    st.sampled_from(RECORDED.splitlines())
    | st.sampled_from(["[GNUPG:]", "[GNUPG:] BADSIG A", "[GNUPG:] GOODSIG A b", "noise"])
)


@given(LINES)
def test_a_good_verdict_takes_one_signature_that_is_valid(lines: list[str]) -> None:
    found = claims("\n".join(lines))
    try:
        verdict(found, fingerprint=FPR, expiry=expiries(LISTING))
    except Bad:
        return
    assert [claim.outcome for claim in found] in (["EXPKEYSIG"], ["GOODSIG"])
    assert any("VALIDSIG" in line for line in lines)


@pytest.mark.parametrize("listing", ["pub", "pub:u:255:22:A:1:soon:\nfpr", "fpr:x", "pub:" * 30])
def test_a_listing_that_makes_no_sense_tells_of_no_end(listing: str) -> None:
    assert expiries(listing).seconds == {}


def test_a_time_that_is_none() -> None:
    told = RECORDED.replace(" 1781101673 0", " then 0")
    with pytest.raises(Bad, match="makes no sense"):
        verdict(claims(told), fingerprint=FPR, expiry=Expiry(seconds={}))
