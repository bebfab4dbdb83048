from __future__ import annotations

import msgspec
import pytest

from ftbuild.bench import facts
from tests.unit.bench.examples import BIG, FREE, SMALL, results


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({}, "physical cores", "8"),
        ({"governor": None}, "frequency governor", "unknown"),
        ({"turbo": None}, "turbo", "unknown"),
        ({"turbo": False}, "turbo", "no"),
        ({"virtual": "KVM"}, "virtual machine", "KVM"),
        ({"virtual": None}, "virtual machine", "no"),
        ({"container": "docker"}, "container", "docker"),
        ({"quota": 1.5}, "CPU quota", "1.5"),
        ({"quota": None}, "CPU quota", "none"),
        ({"memory": None}, "memory", "unknown"),
        ({"load": 0.0}, "load at the start", "0.00"),
    ],
)
def test_nothing_is_not_the_same_as_unknown(
    changes: dict[str, object], name: str, said: str
) -> None:
    assert facts.host(msgspec.structs.replace(BIG, **changes))[name] == said


def test_every_field_has_a_fact() -> None:
    # A field that is added and forgotten here would be a difference that nobody sees.
    assert len(facts.host(SMALL)) == len(SMALL.__struct_fields__)
    assert len(facts.build(FREE)) == len(FREE.__struct_fields__)
    method = results().method
    assert len(facts.method(method)) == len(method.__struct_fields__)
