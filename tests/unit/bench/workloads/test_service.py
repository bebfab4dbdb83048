from __future__ import annotations

import json
import socket
import subprocess
import sys
import zlib
from typing import Any

import pytest

from ftbuild.bench.workloads import service
from ftbuild.bench.workloads.worker import crew

OPTIONS = {"units": 13, "client": sys.executable, "client_cpus": None}


def running(mode: str, workers: int) -> Any:
    return crew({"workload": "service", "options": OPTIONS}, mode, workers)


@pytest.mark.parametrize(("mode", "workers"), [("threads", 1), ("threads", 3), ("processes", 2)])
def test_each_request_is_answered_right(mode: str, workers: int) -> None:
    job = service.prepare(OPTIONS)
    with running(mode, workers) as servers:
        for _ in range(2):
            partials = servers.run(job)
            assert len(partials) == workers + 1
            service.check(job, service.merge(job, partials))
        client = servers.shared[0].client
    assert client.poll() is not None


def test_more_connections_than_requests_do_no_harm() -> None:
    with running("threads", 5) as servers:
        result = service.merge(2, servers.run(2))
    service.check(2, result)


@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_wrong_result_is_refused(column: int) -> None:
    right = [2, 2, service.KNOWN[0] + service.KNOWN[1]]
    service.check(2, right)
    with pytest.raises(AssertionError):
        service.check(2, [value + (n == column) for n, value in enumerate(right)])


def test_answers_are_the_known_ones() -> None:
    answers = [
        service.answer(verb, target, body.encode()) for verb, target, body in service.REQUESTS
    ]
    assert tuple(zlib.crc32(body) for _, body in answers) == service.KNOWN
    assert json.loads(answers[0][1])["regions"] == ["1", "3"]
    assert answers[2][1].startswith(b"<html><title>/page?region=2&amp;")
    assert b"Customer &lt;" in answers[2][1]


def test_a_client_that_dies_is_reported_and_nothing_stays_behind() -> None:
    with running("threads", 2) as servers:
        client = servers.shared[0].client
        client.kill()
        client.wait()
        with pytest.raises(RuntimeError, match="the client has ended"):
            service.drive(5, 2, servers.shared[0])


def test_a_client_is_ended_when_the_run_fails() -> None:
    clients: list[subprocess.Popen[bytes]] = []

    def fail() -> None:
        with service.shared(OPTIONS, 1, "threads") as given:
            assert given.client is not None
            clients.append(given.client)
            raise ValueError("a run failed")

    with pytest.raises(ValueError, match="a run failed"):
        fail()
    assert clients[0].returncode is not None


def talk(answer: bytes, numbers: range) -> list[int]:
    """What the client makes of an answer."""
    ours, theirs = socket.socketpair()
    totals = [0, 0]
    with ours, theirs:
        exchange = service.exchange(ours, numbers, totals)
        assert next(exchange) is False
        assert theirs.recv(1 << 16) == service.WIRE[numbers[0] % len(service.WIRE)]
        for part in (answer[:20], answer[20:50], answer[50:]):
            theirs.sendall(part)
            if not part:
                theirs.shutdown(socket.SHUT_WR)
            next(exchange, None)
    return totals


def test_the_client_puts_answers_together() -> None:
    _, body = service.answer(*service.REQUESTS[0][:2], b"")
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert talk(head + body, range(1)) == [1, service.KNOWN[0]]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", ValueError),
        (b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", ValueError),
        (b"HTTP/1.1 200 OK\r\n", ConnectionError),
    ],
)
def test_the_client_refuses_wrong_answers(answer: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        talk(answer, range(1))
