from __future__ import annotations

import msgspec
import pytest

from ftbuild.building.resolve import specify, want
from ftbuild.errors import UsageError
from ftbuild.fetch import Unavailable
from ftbuild.model.events import Event, Warned
from ftbuild.model.versions import BOTH, Variant, parse_request, parse_requests
from ftbuild.provision import Options, World
from ftbuild.provision.choose import job_for, linked, obtain, resolve
from ftbuild.store.layout import Layout
from tests.builders import HOST, store

from .worlds import NEW, OLD, world


def names(world: World, *requests: str, options: Options | None = None) -> list[str]:
    found = resolve(parse_requests(requests), options or Options(), world, HOST)
    return [job.name.removeprefix("cpython-") for job in found]


def warnings(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Warned)]


def install(world: World, version: str, variant: Variant) -> None:
    """Install what this world would build of a release."""
    spec = specify(
        version,
        variant,
        catalogue=world.catalogue,
        profile="fast",
        host=HOST,
        configure_args=(),
    )
    store(world.layout, **msgspec.structs.asdict(spec))


def test_a_series_means_the_newest_release_that_can_be_had(layout: Layout) -> None:
    made, events = world(layout, OLD, NEW)
    assert names(made, "3.97") == [NEW, f"{NEW}t"]
    assert not warnings(events)


def test_which_may_be_an_older_one_and_that_is_said(layout: Layout) -> None:
    made, events = world(layout, OLD)
    assert names(made, "3.97t") == [f"{OLD}t"]
    (warning,) = warnings(events)
    assert f"3.97 is {OLD} here: no origin has {NEW}" in warning


def test_both_builds_of_a_pair_are_of_the_same_release(layout: Layout) -> None:
    made, events = world(layout, OLD)
    assert names(made, "3.97t", "3.97+gil") == [f"{OLD}t", OLD]
    assert len(warnings(events)) == 1


def test_each_build_is_made_once(layout: Layout) -> None:
    made, _ = world(layout, NEW)
    assert names(made, "3.97", "3.97t", NEW) == [NEW, f"{NEW}t"]


def test_a_profile_is_another_build(layout: Layout) -> None:
    made, _ = world(layout, NEW)
    requests = ("3.97t", "3.97t+tsan")
    assert names(made, *requests) == [f"{NEW}t", f"{NEW}t+tsan"]
    assert names(made, *requests, options=Options(profile="debug")) == [
        *(f"{NEW}t+debug", f"{NEW}t+tsan"),
    ]


def test_an_exact_release_is_not_asked_for_before_it_is_built(layout: Layout) -> None:
    made, _ = world(layout)
    assert names(made, f"{NEW}t") == [f"{NEW}t"]


def test_nothing_can_be_had(layout: Layout) -> None:
    made, _ = world(layout)
    with pytest.raises(Unavailable, match=NEW):
        names(made, "3.97")


def test_what_the_catalogue_does_not_have(layout: Layout) -> None:
    made, _ = world(layout)
    with pytest.raises(UsageError, match=r"Python 3\.14 is not in the catalogue"):
        names(made, "3.14")


def test_what_is_there_needs_no_source(layout: Layout) -> None:
    made, events = world(layout)
    wanted = want(parse_request("3.97"), made.catalogue, None)
    assert obtain(wanted, made, there=lambda version: version == NEW) == NEW
    assert not events


def test_an_installed_pair_needs_no_source_either(layout: Layout) -> None:
    made, _ = world(layout)
    for variant in BOTH:
        install(made, NEW, variant)
    jobs = resolve(parse_requests(["3.97"]), Options(), made, HOST)
    assert all(linked(job, made) for job in jobs)
    with pytest.raises(Unavailable):
        resolve(parse_requests(["3.97"]), Options(force=True), made, HOST)


def test_half_a_pair_is_not_enough(layout: Layout) -> None:
    made, _ = world(layout, OLD)
    install(made, NEW, Variant.GIL)
    assert names(made, "3.97") == [OLD, f"{OLD}t"]


def test_a_build_that_lost_its_name_is_not_done(layout: Layout) -> None:
    made, _ = world(layout, NEW)
    job = job_for(store(layout, version=NEW, linked=False).spec, made)
    assert linked(job, made) is None
