from __future__ import annotations

import pytest

from ftbuild.bench.arms import Arm
from ftbuild.bench.offers import OFFERS, Offer, offers
from ftbuild.errors import UsageError
from ftbuild.model.versions import Variant


@pytest.mark.parametrize("offer", OFFERS.values(), ids=list(OFFERS))
def test_a_workload_says_what_it_is(offer: Offer) -> None:
    script = offer.script
    assert script.SUMMARY
    assert script.UNIT
    assert script.REVISION >= 1
    for name in ("prepare", "shards", "work", "merge", "check"):
        assert callable(getattr(script, name)), name


def test_what_threads_share_is_not_offered_to_processes() -> None:
    assert Arm.PROCESSES not in OFFERS["logs-shared-dict"].arms
    assert Arm.PROCESSES in OFFERS["logs"].arms


def test_workloads_are_run_in_one_order_however_they_are_named() -> None:
    assert [offer.name for offer in offers(("http", "logs"))] == ["logs", "http"]


def test_an_unknown_workload_has_a_nearest_one() -> None:
    with pytest.raises(UsageError) as raised:
        offers(("mandlebrot",))
    assert raised.value.hint.startswith("Did you mean mandelbrot?")


def test_each_arm_is_one_way_of_running_one_build() -> None:
    assert {(arm.variant, arm.gil, arm.mode) for arm in Arm} == {
        (Variant.GIL, True, "threads"),
        (Variant.FREE_THREADED, False, "threads"),
        (Variant.FREE_THREADED, True, "threads"),
        (Variant.GIL, True, "processes"),
    }
    assert [arm.flags for arm in Arm] == [(), ("-Xgil=0",), ("-Xgil=1",), ()]
