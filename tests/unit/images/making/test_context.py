"""What an engine is given to build from."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.archive.relocate import STAMP
from ftbuild.errors import EnvironmentFault
from ftbuild.images.making.context import write_context


def written(tmp_path: Path, name: str) -> Path:
    given = tmp_path / "given"
    given.mkdir(exist_ok=True)
    wheel, source, recipes = given / "a.whl", given / "Python-3.14.7.tar.xz", given / "recipes"
    wheel.write_bytes(b"wheel")
    wheel.chmod(0o600)
    source.write_bytes(b"source")
    recipes.mkdir(exist_ok=True)
    (recipes / "cpython.yaml").write_text("releases: {}\n")
    (recipes / "notes.txt").write_text("not a recipe\n")
    return write_context(
        tmp_path / name,
        dockerfile="FROM scratch\n",
        wheels={"x86_64": [wheel], "aarch64": [wheel]},
        sources=[source],
        overlays=[recipes],
    )


def listed(context: Path) -> dict[str, tuple[int, float, bytes]]:
    return {
        str(path.relative_to(context)): (
            path.stat().st_mode,
            path.stat().st_mtime,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(context.rglob("*"))
    }


def test_a_context_holds_what_the_build_needs_and_nothing_else(tmp_path: Path) -> None:
    written(tmp_path, "one")
    assert [
        str(path.relative_to(tmp_path / "one"))
        for path in sorted((tmp_path / "one").rglob("*"))
        if path.is_file()
    ] == [
        "overlay/000/cpython.yaml",
        "sources/Python-3.14.7.tar.xz",
        "wheels/aarch64/a.whl",
        "wheels/x86_64/a.whl",
    ]


def test_the_dockerfile_lies_beside_it(tmp_path: Path) -> None:
    dockerfile = written(tmp_path, "one")
    assert dockerfile.read_text() == "FROM scratch\n"
    assert dockerfile.parent == tmp_path


def test_equal_contents_make_equal_contexts(tmp_path: Path) -> None:
    written(tmp_path, "one")
    written(tmp_path, "two")
    one, two = listed(tmp_path / "one"), listed(tmp_path / "two")
    assert one == two
    assert {time for _, time, _ in one.values()} == {STAMP}
    assert {oct(mode & 0o777) for mode, _, _ in one.values()} == {"0o644", "0o755"}


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("in the way")
    with pytest.raises(EnvironmentFault, match="context cannot be written"):
        written(tmp_path, "one/below")


def test_a_full_disk_is_told_of_what_is_written(tmp_path: Path, small_disk: Path) -> None:
    large = tmp_path / "large.whl"
    large.write_bytes(bytes(300_000))
    into = small_disk / "context"
    with pytest.raises(EnvironmentFault, match=f"No space left on device: {into}"):
        write_context(into, dockerfile="", wheels={"x86_64": [large]}, sources=[])
