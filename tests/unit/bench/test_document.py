from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from ftbuild.bench import text
from ftbuild.bench.comparison import compare
from ftbuild.bench.document import document, load, save
from ftbuild.errors import EnvironmentFault, UsageError
from tests.mutations import mutated

from .examples import results


def test_what_is_saved_can_be_loaded(tmp_path: Path) -> None:
    done = results(("logs", "trees"))
    save(done, tmp_path / "deep" / "a.json")
    assert load(tmp_path / "deep" / "a.json") == done
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.json"]


def test_a_document_carries_what_follows_and_what_pyperf_reads() -> None:
    done = results(("logs",))
    found = document(done)
    assert found["verdict"]
    assert len(found["summary"]) == len(done.series)
    assert found["version"] == "1.0"
    assert {item["metadata"]["name"] for item in found["benchmarks"]} == {
        series.name for series in done.series
    }


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"kind": "bench"}', '{"version": "1.0", "benchmarks": []}']
)
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"other\.json is no measurement"):
        load(path)


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "later.json"
    path.write_text(json.dumps(document(results(("logs",))) | {"format": 2}))
    with pytest.raises(UsageError, match="format 2"):
        load(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load(tmp_path / "nowhere.json")


def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(EnvironmentFault, match="taken"):
        save(results(("logs",)), tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


DONE = results(("logs",))
DOCUMENT = msgspec.json.encode(document(DONE))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated(DOCUMENT))
def test_a_damaged_document_is_refused_or_one_that_can_be_compared(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "damaged.json"
    path.write_bytes(content)
    try:
        found = load(path)
    except UsageError:
        return
    text.measurement(found)
    text.comparison(compare(DONE, found))
    text.comparison(compare(found, DONE))
