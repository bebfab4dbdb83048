"""A signature that is valid, and of somebody else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.driver import NEW, Ftbuild
from tests.openpgp import Keys, keys


@pytest.fixture(scope="module")
def secret() -> Iterator[Keys]:
    with keys() as made:
        yield made


@pytest.mark.parametrize("policy", ["prefer", "require"])
def test_a_valid_signature_of_the_wrong_identity_fails(
    ftbuild: Ftbuild, secret: Keys, policy: str
) -> None:
    """Also where the mirror has the stranger's key beside it, under the name of the right one."""
    right, wrong = secret.make(f"manager-{policy}"), secret.make(f"stranger-{policy}")
    secret.public(right, ftbuild.recipes / "keys/manager.asc")
    signer = {"openpgp": right, "key": "keys/manager.asc"}
    (ftbuild.recipes / "signers.yaml").write_text(json.dumps({"signers": {"3.97": signer}}))
    tarball = ftbuild.mirror / f"Python-{NEW}.tar.xz"
    signature = tarball.with_name(f"{tarball.name}.asc")
    secret.public(wrong, ftbuild.mirror / "keys/manager.asc")
    signature.write_bytes(secret.sign(wrong, tarball.read_bytes()))
    done = ftbuild("fetch", NEW, "--signature", policy, code=1)
    assert "not with" in done.err
    signature.write_bytes(secret.sign(right, tarball.read_bytes()))
    assert "signed by" in ftbuild("fetch", NEW, "--signature", policy).out
