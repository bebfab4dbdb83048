from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.bench import plots
from ftbuild.bench.arms import Arm
from ftbuild.bench.results import Pair, Results
from ftbuild.errors import EnvironmentFault
from tests.unit.bench.examples import FREE, GIL, SMALL, UNLIKE, results


def texts(results: Results, name: str = "speedup") -> list[str]:
    """Every text in a figure, as the SVG has it."""
    root = ET.fromstring(plots.svg(plots.figures(results)[name]))  # noqa: S314 - our own
    return ["".join(element.itertext()).strip() for element in root.iter() if "text" in element.tag]


def test_writes_both_figures_as_png_and_svg(tmp_path: Path) -> None:
    written = plots.write(results(noise=0.0), tmp_path / "plots")
    assert [path.name for path in written] == [
        "speedup.png",
        "speedup.svg",
        "cost.png",
        "cost.svg",
    ]
    assert written[0].read_bytes().startswith(b"\x89PNG")
    assert ET.parse(written[1]).getroot().tag.endswith("svg")  # noqa: S314 - our own


def test_the_same_results_give_the_same_bytes() -> None:
    first, second = (plots.svg(plots.speedup_figure(results())) for _ in range(2))
    assert first == second
    assert "<dc:date>" not in first


def test_a_plot_names_pair_machine_arms_and_figures() -> None:
    found = texts(results(noise=0.0))
    for said in (
        "logs",
        f"cpython-3.14.7 and cpython-3.14.7t · {SMALL.cpu}, 2 CPUs",
        *(arm.label for arm in Arm),
        "ideal",
        "1.82",
        "1.98",
    ):
        assert said in found
    assert "more workers than CPUs" not in found
    assert "more workers than CPUs" in texts(results(workers=(1, 4), machine=SMALL))


def test_what_makes_figures_doubtful_is_on_every_plot() -> None:
    doubtful = results(
        pair=Pair(gil=GIL, free_threaded=FREE, unlike=(UNLIKE,)), interrupted=True, disturbance=0.2
    )
    for name in ("speedup", "cost"):
        found = texts(doubtful, name)
        assert "Not a matched pair; the builds also differ in: achieved" in found
        assert "Stopped early" in found
        assert "Rough: others used 20 % of the CPUs" in found


def test_a_failed_series_is_named_in_its_panel() -> None:
    broken = {("logs", Arm.FREE, 2): "signal SIGSEGV"}
    found = texts(results(("logs", "json"), failures=broken))
    assert "free-threaded 2: signal SIGSEGV" in found


def test_one_count_of_workers_has_a_cost_and_no_speed_up() -> None:
    assert list(plots.figures(results(workers=(1,)))) == ["cost"]
    assert plots.figures(results(())) == {}


def test_costs_are_percentages_with_their_mean() -> None:
    found = texts(results(("logs", "trees"), workers=(1,), noise=0.0), "cost")
    assert {"+9.0 %", "+18.0 %", "+13.4 %", "geometric mean"} <= set(found)
    assert "geometric mean" not in texts(results(workers=(1,)), "cost")


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "plots").write_text("")
    with pytest.raises(EnvironmentFault, match=r"cannot write plots into .*plots: "):
        plots.write(results(), tmp_path / "plots")


def test_a_missing_matplotlib_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    plots.require()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(EnvironmentFault, match="plots need matplotlib") as error:
        plots.require()
    assert error.value.hint.endswith("-m pip install 'ftbuild[bench]'")


def test_the_users_own_style_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - an extra

    plain = plots.svg(plots.speedup_figure(results()))
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        assert plots.svg(plots.speedup_figure(results())) == plain


PARTS = st.lists(st.floats(min_value=0, max_value=1), max_size=8)


@given(PARTS)
def test_labels_keep_their_order_and_their_distance(wanted: list[float]) -> None:
    places = plots.apart(wanted, 0.1)
    pairs = sorted(zip(wanted, places, strict=True))
    assert all(
        later - earlier >= 0.1 - 1e-9
        for earlier, later in zip(sorted(places), sorted(places)[1:], strict=False)
    )
    ordered = [place for _, place in pairs]
    assert ordered == sorted(ordered)
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)


def test_labels_that_do_not_touch_stay() -> None:
    assert plots.apart([0.9, 0.1, 0.5], 0.1) == [0.9, 0.1, 0.5]
    assert plots.apart([0.5, 0.5], 0.1) == pytest.approx([0.45, 0.55])


def test_long_names_are_shortened() -> None:
    name = "a_script_with_a_name_longer_than_any_panel_is_wide.py"
    found = texts(results((name,)))
    assert name not in found
    assert any(re.fullmatch(r"a_script_with_a_name_longer_\w+…", text) for text in found)


def test_a_virtual_machine_is_named() -> None:
    virtual = results(machine=msgspec.structs.replace(SMALL, virtual="KVM"))
    assert any(text.endswith("2 CPUs, virtual (hypervisor: KVM)") for text in texts(virtual))
