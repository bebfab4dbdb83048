from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import EnvironmentFault
from ftbuild.model.versions import BOTH, Variant
from ftbuild.store import prefixes
from ftbuild.store.layout import Layout
from ftbuild.store.links import launchers, link, refresh
from tests.builders import DEFAULT, build, store

GIL, FREE_THREADED = BOTH


def names(*builds: tuple[str, Variant, str]) -> dict[str, str]:
    """The launchers for builds given by version, variant and profile: name → friendly name."""
    found = [build(Path("/x"), v, version=version, profile=p) for version, v, p in builds]
    return {
        name: item.manifest.name for name, item in launchers(found, default_profile=DEFAULT).items()
    }


def test_the_newest_release_of_a_series_has_the_plain_name() -> None:
    assert names(
        ("3.14.10", GIL, "fast"),
        ("3.14.9", GIL, "fast"),
        ("3.13.5", GIL, "fast"),
        ("3.14.9", FREE_THREADED, "fast"),
    ) == {
        "python3.14": "cpython-3.14.10",
        "python3.13": "cpython-3.13.5",
        "python3.14t": "cpython-3.14.9t",
    }


def test_a_final_release_goes_before_its_candidates() -> None:
    assert names(("3.15.0rc2", GIL, "fast"), ("3.15.0", GIL, "fast")) == {
        "python3.15": "cpython-3.15.0"
    }


def test_the_default_profile_goes_before_a_newer_release() -> None:
    assert names(("3.14.6", GIL, "fast"), ("3.14.7", GIL, "tsan")) == {
        "python3.14": "cpython-3.14.6",
        "python3.14-tsan": "cpython-3.14.7+tsan",
    }


def test_another_profile_has_the_plain_name_where_there_is_no_default_one() -> None:
    assert names(("3.14.6", FREE_THREADED, "tsan"), ("3.14.7", FREE_THREADED, "tsan")) == {
        "python3.14t": "cpython-3.14.7t+tsan",
        "python3.14t-tsan": "cpython-3.14.7t+tsan",
    }


BUILDS = st.tuples(
    st.sampled_from(["3.13.5", "3.14.6", "3.14.7", "3.14.10", "3.15.0rc1", "3.15.0"]),
    st.sampled_from(BOTH),
    st.sampled_from(["fast", "optimized", "tsan"]),
)


@given(st.lists(BUILDS, unique=True))
def test_no_name_can_mean_either_build_of_a_pair(builds: list[tuple[str, Variant, str]]) -> None:
    found = names(*builds)
    for name, target in found.items():
        plain = name.partition("-")[0]
        assert plain.endswith("t") == target.partition("+")[0].endswith("t")
        assert target.startswith(f"cpython-{plain.removeprefix('python').removesuffix('t')}.")
        if plain != name:
            assert target.endswith(name.removeprefix(plain).replace("-", "+"))
    assert len({name for name in found if "-" not in name}) == len(
        {(version[:4], variant) for version, variant, _ in builds}
    )


def links(folder: Path) -> dict[str, str]:
    return {path.name: str(path.readlink()) for path in folder.iterdir() if path.is_symlink()}


def test_names_are_relative_links(layout: Layout) -> None:
    gil, free_threaded = (store(layout, variant) for variant in BOTH)
    assert links(layout.root) == {
        "cpython-3.14.7": f"store/{gil.prefix.name}",
        "cpython-3.14.7t": f"store/{free_threaded.prefix.name}",
    }
    assert links(layout.bin) == {
        "python3.14": f"../store/{gil.prefix.name}/bin/python3.14",
        "python3.14t": f"../store/{free_threaded.prefix.name}/bin/python3.14t",
    }
    assert (layout.bin / "python3.14t").resolve() == free_threaded.python


def test_a_debug_build_runs_under_the_name_of_its_series(layout: Layout) -> None:
    made = store(layout, profile="debug", debug=True)
    target = f"../store/{made.prefix.name}/bin/python3.14td"
    assert links(layout.bin) == {"python3.14t": target, "python3.14t-debug": target}


def test_a_replaced_build_loses_its_name(layout: Layout) -> None:
    store(layout)
    other = store(layout, configure_args=("--enable-shared",))
    assert links(layout.root) == {"cpython-3.14.7t": f"store/{other.prefix.name}"}
    assert (layout.bin / "python3.14t").resolve() == other.python


def test_names_of_a_removed_build_go(layout: Layout) -> None:
    older = store(layout, version="3.14.6")
    newer = store(layout, version="3.14.7")
    (layout.root / "cpython-mine").symlink_to("/elsewhere")
    prefixes.remove(layout, newer)
    refresh(layout, default_profile=DEFAULT)
    assert set(links(layout.root)) == {"cpython-3.14.6t", "cpython-mine"}
    assert (layout.bin / "python3.14t").resolve() == older.python
    prefixes.remove(layout, older)
    refresh(layout, default_profile=DEFAULT)
    assert not links(layout.bin)


@pytest.mark.parametrize("name", ["bin/python3.14t", "cpython-3.14.7t"])
@pytest.mark.parametrize("linked", [False, True])
def test_what_we_did_not_make_is_not_overwritten(layout: Layout, name: str, linked: bool) -> None:
    made = store(layout, linked=False)
    taken = layout.root / name
    if linked:
        taken.symlink_to("/usr/bin/python3")
    else:
        taken.write_text("somebody's own")
    with pytest.raises(EnvironmentFault, match="was not made by ftbuild") as caught:
        link(layout, made, default_profile=DEFAULT)
    assert "the build itself is installed" in caught.value.hint
    assert links(taken.parent).get(taken.name) == ("/usr/bin/python3" if linked else None)
    assert linked or taken.read_text() == "somebody's own"


def test_other_files_in_bin_stay(layout: Layout) -> None:
    (layout.bin / "mine").touch()
    (layout.bin / "python3.99t").symlink_to("../store/cpython-3.99.0t-0123abcd/bin/python3.99t")
    store(layout)
    assert {path.name for path in layout.bin.iterdir()} == {"mine", "python3.14t"}


def test_a_place_taken_from_another_build_is_no_obstacle(layout: Layout) -> None:
    store(layout, Variant.GIL)
    (layout.bin / "python3.14").unlink()
    (layout.bin / "python3.14").write_text("somebody's own")
    made = store(layout, Variant.FREE_THREADED)
    assert (layout.bin / "python3.14t").resolve() == made.python
    assert (layout.bin / "python3.14").read_text() == "somebody's own"


def test_refreshing_minds_only_the_places_of_what_was_asked_for(layout: Layout) -> None:
    store(layout, Variant.GIL)
    (layout.bin / "python3.14").unlink()
    (layout.bin / "python3.14").write_text("somebody's own")
    refresh(layout, default_profile=DEFAULT, asked=("cpython-3.14.7t",))
    with pytest.raises(EnvironmentFault, match="was not made by ftbuild"):
        refresh(layout, default_profile=DEFAULT, asked=("cpython-3.14.7",))
