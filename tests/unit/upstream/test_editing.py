from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from ftbuild.catalogue import own_recipes
from ftbuild.errors import UsageError
from ftbuild.model.recipes import Release
from ftbuild.upstream.editing import difference, inserted

RELEASE = Release(sha256="a" * 64, size=5, seen=("one", "two"))
LINE = f"{{sha256: {'a' * 64}, size: 5, seen: [one, two]}}"
OWN = (own_recipes() / "cpython.yaml").read_text()


def put(text: str, *versions: str) -> str:
    return inserted(text, dict.fromkeys(versions, RELEASE), name="cpython.yaml")


def test_each_goes_behind_the_next_older_one() -> None:
    after = put(OWN, "3.13.99", "3.14.99", "3.15.1", "3.13.0rc1").splitlines()
    before = {'"3.13.18"': "3.13.99", '"3.14.10"': "3.14.99", '"3.15.0"': "3.15.1"}
    for older, version in before.items():
        place = next(i for i, line in enumerate(after) if line.strip().startswith(older))
        assert after[place + 1] == f'  "{version}": {LINE}'
    assert after[after.index("releases:") + 1] == f'  "3.13.0rc1": {LINE}'
    assert [line for line in after if LINE not in line] == OWN.splitlines()


def test_what_another_run_added_meanwhile_is_left_alone() -> None:
    once = put(OWN, "3.14.99")
    assert put(once, "3.14.99") == once
    assert put(once, "3.14.98", "3.14.99") == put(OWN, "3.14.98", "3.14.99")


@pytest.mark.parametrize("text", ["series: {}\n...\n", "---\nseries: {}\n...\n"])
def test_nothing_is_put_behind_the_end_of_a_document(text: str) -> None:
    with pytest.raises(UsageError, match="no line can be added"):
        put(text, "3.14.99")


def test_comments_stay_with_what_follows() -> None:
    text = 'releases:\n  # old\n  "3.1.1": {a: 1}\n\n  # new\n  "3.1.3": {a: 1}\n# end\n'
    assert put(text, "3.1.2", "3.1.4") == (
        f'releases:\n  # old\n  "3.1.1": {{a: 1}}\n  "3.1.2": {LINE}\n\n'
        f'  # new\n  "3.1.3": {{a: 1}}\n  "3.1.4": {LINE}\n# end\n'
    )


def test_entries_of_several_lines_and_their_indentation() -> None:
    entry = "    3.1.1:\n        a: |\n            x\n\n        b: [1,\n          2]\n"
    text = f"releases:\n{entry}\nseries: {{}}\n"
    assert put(text, "3.1.2") == text.replace("2]\n", f'2]\n    "3.1.2": {LINE}\n')


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f'releases:\n  "3.1.2": {LINE}\n'),
        ("# mine", f'# mine\nreleases:\n  "3.1.2": {LINE}\n'),
        ("series: {}\n", f'series: {{}}\nreleases:\n  "3.1.2": {LINE}\n'),
        ("releases:\nseries: {}\n", f'releases:\n  "3.1.2": {LINE}\nseries: {{}}\n'),
        ("releases:\r\n  3.1.1: {}", f'releases:\r\n  3.1.1: {{}}\r\n  "3.1.2": {LINE}\r\n'),
    ],
)
def test_a_file_that_has_little(before: str, after: str) -> None:
    assert put(before, "3.1.2") == after


@pytest.mark.parametrize("text", ["releases: {}", "{releases: {}}", "releases: [1]", "[", "- 1"])
def test_a_file_that_no_line_can_be_added_to(text: str) -> None:
    with pytest.raises(UsageError, match=r"^cpython\.yaml: "):
        put(text, "3.1.2")


VERSIONS = st.builds("3.{}.{}".format, st.integers(0, 3), st.integers(0, 30))


@given(st.sets(VERSIONS), st.sets(VERSIONS, min_size=1), st.booleans())
def test_nothing_else_changes(old: set[str], new: set[str], comments: bool) -> None:
    lines = [
        f'  "{v}": {{a: 1}}{"  # why" if comments else ""}\n' for v in sorted(old, key=Version)
    ]
    text = "".join(("# head\nreleases:\n", *lines, "other: 1\n"))
    new -= old
    after = put(text, *new)
    loaded = yaml.safe_load(after)
    assert list(loaded["releases"] or {}) == sorted(old | new, key=Version)
    assert [line for line in after.splitlines() if LINE not in line] == text.splitlines()


def test_the_difference(tmp_path: Path) -> None:
    shown = difference("a\nb\n", "a\nc\nb\n", "f").splitlines()
    assert shown == ["--- a/f", "+++ b/f", "@@ -1,2 +1,3 @@", " a", "+c", " b"]
