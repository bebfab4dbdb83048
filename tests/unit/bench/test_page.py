from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import msgspec
import pytest

from ftbuild.bench.arms import Arm
from ftbuild.bench.page import digits, embedded, inline, page
from ftbuild.bench.results import Pair, Results, Workload
from ftbuild.bench.verdict import verdict
from tests.unit.bench.examples import FREE, GIL, SMALL, UNLIKE, results
from tests.unit.bench.test_verdict import FTSCALINGBENCH, PYPERFORMANCE

VOID = {"meta", "br", "hr", "img", "link"}
HOSTILE = "</script><script>alert(1)</script><!--&"


class Read(HTMLParser):
    """What a page holds: its text, the JSON, identifiers and addresses; elements must nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.json = ""
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.scripts = 0
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.scripts += tag == "script"
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"src", "href", "xlink:href"}:
                self.addresses.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.json += data
        elif self.open and self.open[-1] != "style":
            self.text.append(data.strip())


@pytest.fixture(scope="module")
def doubtful() -> Results:
    """A measurement in which everything is to be told, of a workload with a hostile name."""
    document = results(
        ("logs",),
        (1, 2, 4),
        machine=SMALL,
        failures={("logs", Arm.FREE, 2): HOSTILE},
        pair=Pair(gil=GIL, free_threaded=FREE, unlike=(UNLIKE,)),
        suites=(PYPERFORMANCE, FTSCALINGBENCH),
    )
    hostile = Workload(
        name="logs", summary=HOSTILE, amount=7, unit="rows", options={"pattern": HOSTILE}
    )
    return msgspec.structs.replace(document, workloads=(hostile,))


@pytest.fixture(scope="module")
def read(doubtful: Results) -> Read:
    return Read(page(doubtful))


def test_the_page_says_the_verdict_and_every_fact(doubtful: Results, read: Read) -> None:
    said = " ".join(" ".join(read.text).split())
    for part in (
        verdict(doubtful),
        "These builds are no matched pair",
        "Intel(R) Xeon(R) Platinum 8375C",
        "--disable-gil --enable-optimizations --with-lto",
        GIL.digest,
        FREE.files_sha256,
        "pgo=False trained=False",
        "Shaded: more workers than CPUs",
        "pyperformance 1.14.0",
        "object_cfunction",
        "no wheel",
    ):
        assert part in said


def test_nothing_of_a_measurement_becomes_markup(read: Read) -> None:
    assert read.scripts == 1
    assert any(HOSTILE in text for text in read.text)


def test_the_data_come_back_from_the_page(doubtful: Results, read: Read) -> None:
    assert msgspec.json.decode(read.json, type=Results) == doubtful
    assert "<" not in embedded(doubtful)


def test_the_page_needs_nothing_else(read: Read) -> None:
    assert all(address.startswith("#") for address in read.addresses)
    assert {address[1:] for address in read.addresses} <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))


def test_the_plots_take_the_colours_of_the_page(doubtful: Results) -> None:
    text = page(doubtful)
    drawn = "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    assert "var(--free)" in drawn
    assert not set(re.findall(r"#[0-9a-f]{6}\b", drawn)) - {"#000000", "#ffffff"}
    used = set(re.findall(r"var\(--(\w+)\)", text))
    light, dark = re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    for colours in (light, dark):
        assert used <= set(re.findall(r"--(\w+):", colours))


def test_a_measurement_of_suites_alone_has_a_page_without_figures() -> None:
    text = page(results((), suites=(PYPERFORMANCE,)))
    assert "<svg" not in text
    assert "nbody" in text


def test_identifiers_of_two_plots_differ() -> None:
    document = '<?xml version="1.0"?><svg width="1"><g id="a"/><use xlink:href="#a"/></svg>'
    assert inline("cost", document) == (
        '<svg role="img" aria-label="cost" width="1"><g id="cost-a"/>'
        '<use xlink:href="#cost-a"/></svg>'
    )


@pytest.mark.parametrize(
    ("value", "count", "said"),
    [
        (None, 3, ""),
        (0.5, 3, "0.500"),
        (1.0, 3, "1.00"),
        (12.345, 4, "12.35"),
        (100.0, 3, "100"),
        (1234.56, 3, "1235"),
        (0.000123, 3, "0.000123"),
    ],
)
def test_digits(value: float | None, count: int, said: str) -> None:
    assert digits(value, count) == said


def test_a_page_reorders_nothing() -> None:
    odd = "a\u202eb\x1b[31m"
    made = results(("logs",))
    workload = msgspec.structs.replace(made.workloads[0], summary=odd)
    text = page(msgspec.structs.replace(made, workloads=(workload,)))
    assert "a�b�[31m" in text
    assert json.loads(Read(text).json)["workloads"][0]["summary"] == odd
    assert "\u202e" not in text
