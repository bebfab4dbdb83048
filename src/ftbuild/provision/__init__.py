"""The one place that sequences: have it? → archive, or fetch and build → verify → link.

`provide` takes requests to installed builds: `choose` makes requests definite, `archives` takes
what is packed already, `make` makes the rest, `prove` verifies them. `install` installs archives
that are named. All they need to know of the world comes in as a `World`; all they
do goes through fetch, the engine, verify and the store.
"""

from ftbuild.provision.archives import Packed, pack
from ftbuild.provision.authentic import POLICIES, Brought, fetch_sources, policy, vouched
from ftbuild.provision.choose import obtain, repeat
from ftbuild.provision.install import install
from ftbuild.provision.make import Outcome
from ftbuild.provision.prove import check, judge_pairs
from ftbuild.provision.provide import Summary, provide, rehearse, specify, upgrade
from ftbuild.provision.training import copied, stored_profiles
from ftbuild.provision.training import given as given_profiles
from ftbuild.provision.world import Options, World

__all__ = [
    "POLICIES",
    "Brought",
    "Options",
    "Outcome",
    "Packed",
    "Summary",
    "World",
    "check",
    "copied",
    "fetch_sources",
    "given_profiles",
    "install",
    "judge_pairs",
    "obtain",
    "pack",
    "policy",
    "provide",
    "rehearse",
    "repeat",
    "specify",
    "stored_profiles",
    "upgrade",
    "vouched",
]
