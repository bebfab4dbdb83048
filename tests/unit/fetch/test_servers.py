from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from ftbuild.errors import Interrupted
from ftbuild.fetch import wire
from ftbuild.fetch.deadlines import Limits, Watch
from ftbuild.fetch.servers import NotAsked, Servers

LIMITS = Limits(tries=3, backoff=0.0, window=10.0)
URL = "https://me:hunter2@files.example/a"


def answering(*answers: str | wire.Failed) -> Callable[[Watch], str]:
    given: Iterator[str | wire.Failed] = iter(answers)

    def exchange(_: Watch) -> str:
        answer = next(given)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return exchange


def ask(servers: Servers, *answers: str | wire.Failed, url: str = URL) -> str:
    stop = threading.Event()
    return servers.ask(url, answering(*answers), watch=Watch(LIMITS), stop=stop)


def test_what_broke_is_tried_again() -> None:
    servers = Servers()
    broken = wire.Broken("lost")
    assert ask(servers, broken, broken, "there") == "there"
    with pytest.raises(wire.Failed, match=r"lost \(asked 3 times\)"):
        ask(servers, broken, broken, broken)
    with pytest.raises(wire.Failed, match="no"):
        ask(servers, wire.Failed("no"), "there")
    assert ask(servers, "there") == "there"


@pytest.mark.parametrize("after", [10.0, 1e9, 1e20])
def test_a_server_that_wants_more_time_than_there_is(after: float) -> None:
    with pytest.raises(wire.Failed, match=r"lost$"):
        ask(Servers(), wire.Broken("lost", after), "there")


def test_a_useless_server_is_not_asked_again() -> None:
    servers = Servers()
    with pytest.raises(wire.Unreachable):
        ask(servers, wire.Unreachable("too slow"))
    with pytest.raises(NotAsked, match="not asked again: too slow") as caught:
        ask(servers, "there", url="https://you:secret@files.example/b?c")
    assert "secret" not in str(caught.value)
    assert ask(servers, "there", url="https://files.example:8443/") == "there"


@pytest.mark.parametrize("broken", [wire.Silent("silent"), wire.Broken("503", 11.0)])
def test_neither_is_one_that_was_waited_for_in_vain(broken: wire.Broken) -> None:
    servers = Servers()
    with pytest.raises(wire.Failed):
        ask(servers, broken, broken, broken)
    with pytest.raises(NotAsked):
        ask(servers, "there")


def test_stopped_while_waiting() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        Servers().ask(URL, answering(wire.Broken("lost", 1.0)), watch=Watch(LIMITS), stop=stop)
