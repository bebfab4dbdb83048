from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.fetch.sources import Sources
from ftbuild.model.recipes import Signer
from ftbuild.provision import POLICIES, World, policy, vouched
from ftbuild.store.layout import Layout

from .worlds import NEW, world


def signed_by(made: World, signer: Signer) -> World:
    """The world with a signer of its series."""
    known = msgspec.structs.replace(made.catalogue, signers={"3.97": signer})
    sources = Sources(
        catalogue=known,
        cache=made.layout.sources,
        mirrors=(),
        given={},
        env=made.env,
        emit=made.emit,
        stop=made.stop,
        offline=True,
    )
    return msgspec.structs.replace(made, catalogue=known, sources=sources)


def test_policies() -> None:
    assert [policy(word) for word in POLICIES] == ["require", "prefer", "off"]
    with pytest.raises(UsageError, match="not 'always'"):
        policy("always")


def test_nobody_vouches(layout: Layout) -> None:
    made, _ = world(layout, NEW)
    with pytest.raises(EnvironmentFault, match="recipes name nobody") as caught:
        vouched(NEW, made)
    assert "--mirror" in caught.value.hint


def test_the_command_that_installs_gpg(layout: Layout, tmp_path: Path) -> None:
    if shutil.which("apt-get") is None:
        pytest.skip("the command is apt's here")
    (tmp_path / "apt-get").symlink_to("/bin/true")
    made, _ = world(layout, NEW)
    made = msgspec.structs.replace(made, env={"PATH": str(tmp_path)})
    signer = Signer(openpgp="A" * 40, key="/nowhere")
    with pytest.raises(EnvironmentFault, match="gpg is not installed") as caught:
        vouched(NEW, signed_by(made, signer))
    assert "apt-get install -y gnupg." in caught.value.hint
