from __future__ import annotations

import pytest

from ftbuild.fetch.deadlines import ARCHIVE, DOCUMENT, INDEX, SOURCE, Limits, Watch

LIMITS = Limits(rate=10.0, window=5.0, total=100.0)


@pytest.mark.parametrize("limits", [ARCHIVE, DOCUMENT, INDEX, SOURCE])
def test_nobody_is_waited_for_longer_than_a_minute(limits: Limits) -> None:
    """Asked again and again, a server has the rest of the same window only."""
    assert max(limits.silence, limits.connect) < limits.window < 60
    assert limits.pause < limits.window


def test_a_byte_a_second_is_too_little() -> None:
    watch = Watch(LIMITS)
    for _ in range(5):
        watch.count(1)
        watch.spend(1.0)
    assert watch.dripping is None
    watch.spend(0.1)
    assert watch.dripping == "too slow: 5 bytes in 5 s"


def test_what_comes_steadily_is_waited_for_to_the_end() -> None:
    watch = Watch(LIMITS)
    for second in range(100):
        watch.count(10)
        watch.spend(1.0)
        assert watch.dripping is None
        assert watch.overdue is None
        assert watch.left <= 99 - second
    watch.spend(0.1)
    assert watch.overdue == "too slow: not all there after 100 s"


def test_a_fast_beginning_buys_no_time() -> None:
    watch = Watch(LIMITS)
    watch.count(10_000_000)
    watch.spend(1.0)
    assert watch.left == 5.0
    watch.spend(5.1)
    assert watch.dripping is not None


def test_the_next_question_has_a_window_of_its_own_and_the_same_end() -> None:
    watch = Watch(LIMITS)
    for _ in range(20):
        assert watch.left == 5.0
        watch.spend(5.0)
        watch.open_window()
    assert watch.left == 0.0
