"""A service on loopback, on the standard library's `http.server`. Users know it as `http`.

It stands for the microservices that article writers have in mind: requests are parsed, a data set
in memory is filtered, grouped and sorted, JSON or HTML is rendered, an ETag computed; each takes
about a millisecond. There is a thread, or a process, for each connection, and all connections are
kept alive. Each sends its next request when it has its answer (a closed loop), so that requests a
second are what the service gives, not what it is asked for.

The requests come from one client process of its own, always the same interpreter, which does little
more for each than a send, a receive and a checksum: 30 to 40 microseconds. It needs a CPU, but
little of it.

Written in the ordinary way, it shares what such services share: the rows of the data set, whose
reference counts every request changes, and in `string.Template` and `re` the compiled patterns. On
the free-threaded build these limit it, not the network: see docs/scaling.md.

A unit is a request. There are requests of six kinds.

    python service.py PORT CONNECTIONS CPUS

is the client: for each line on standard input, a number of requests, it writes a line of JSON.
"""

import contextlib
import hashlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from itertools import cycle, islice
from string import Template
from typing import Any
from urllib.parse import parse_qs, urlsplit

SUMMARY = "http.server on loopback, a thread a connection, 1 ms of work a request"
UNIT = "requests"
REVISION = 1

PATIENCE = 20.0
"""Seconds after which a worker does not wait for its connection any longer, nor anyone for a byte
of an answer: somebody has died."""

LARGEST = 1 << 20
"""Bytes received at a time, more than any answer has."""

ORDERS = 3000
"""Rows of the data set."""

BASKET = json.dumps([{"order": n * 7, "pieces": n % 5} for n in range(400)])
STOCK = json.dumps([{"order": n * 5, "pieces": 2} for n in range(500)])
REQUESTS = (
    ("GET", "/report?region=1&region=3&by=product&top=60", ""),
    ("POST", "/orders", BASKET),
    ("GET", "/page?region=2&region=4&by=customer&top=80", ""),
    ("GET", "/report?region=0&region=2&region=4&by=customer&top=100", ""),
    ("POST", "/orders", STOCK),
    ("GET", "/page?region=0&region=1&by=product&top=120", ""),
)
"""Method, target and body of each kind of request."""

KNOWN = (3763077564, 2974049527, 3522575881, 2749805446, 2219877942, 2489587605)
"""CRC-32 of the body that answers each kind."""

PAGE = Template("<html><title>$title</title><table>$rows</table><p>$count orders</p></html>")
LINE = Template("<tr><td>$place<td>$name<td>$pieces<td>$euros</tr>")


@dataclass(frozen=True, slots=True)
class Order:
    """A row of the data set."""

    number: int
    customer: str
    region: str
    product: str
    pieces: int
    cents: int


def order(number: int) -> Order:
    """The row of a number."""
    chance = (number * 1103515245 + 12345 >> 8) % 8191
    customer, product = f"Customer <{chance % 503}>", f"Product & {chance % 331}"
    region = str(chance % 5)
    return Order(number, customer, region, product, chance % 9 + 1, 100 + chance % 4999)


DATA = [order(number) for number in range(ORDERS)]
"""What the service answers from: one list, which all threads read."""


def answer(method: str, target: str, body: bytes) -> tuple[str, bytes]:
    """The type and body of the answer to a request."""
    parts = urlsplit(target)
    if method == "POST":
        return "application/json", json.dumps(placed(json.loads(body))).encode()
    query = parse_qs(parts.query)
    found = [row for row in DATA if row.region in query["region"]]
    ranking = ranked(found, query["by"][0])[: int(query["top"][0])]
    if parts.path == "/report":
        report = {"orders": len(found), "ranking": ranking, "regions": sorted(query["region"])}
        return "application/json", json.dumps(report, indent=1).encode()
    lines = [
        LINE.substitute(place=n, name=escape(row["name"]), pieces=row["pieces"], euros=row["euros"])
        for n, row in enumerate(ranking, 1)
    ]
    page = PAGE.substitute(title=escape(target), rows="\n".join(lines), count=len(found))
    return "text/html; charset=utf-8", page.encode()


def ranked(rows: list[Order], by: str) -> list[dict[str, Any]]:
    """Pieces and money by customer or product, the most money first."""
    groups: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        group = groups[getattr(row, by)]
        group[0] += row.pieces
        group[1] += row.pieces * row.cents
    ranking = sorted(groups.items(), key=lambda item: (-item[1][1], item[0]))
    return [
        {"name": name, "pieces": pieces, "euros": f"{cents / 100:.2f}"}
        for name, (pieces, cents) in ranking
    ]


def placed(lines: list[dict[str, int]]) -> dict[str, Any]:
    """What more of some orders costs, by region."""
    regions: dict[str, int] = defaultdict(int)
    confirmed = []
    for line in lines:
        row = DATA[line["order"]]
        price = row.cents * line["pieces"]
        regions[row.region] += price
        confirmed.append({**asdict(row), "pieces": line["pieces"], "price": f"{price / 100:.2f}"})
    confirmed.sort(key=lambda line: (line["region"], line["customer"], line["number"]))
    return {"first": confirmed[:40], "regions": dict(sorted(regions.items()))}


class Handler(BaseHTTPRequestHandler):
    """Serves the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # the head and the body of an answer leave in one packet
    disable_nagle_algorithm = True
    server: "Door"  # type: ignore[assignment]  # which is all that is asked of it

    def do_GET(self) -> None:
        """Answer a request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        kind, content = answer(self.command, self.path, body)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.server.served += 1

    do_POST = do_GET  # noqa: N815 - and this

    def log_message(self, *_: Any) -> None:
        """Say nothing of a request."""


class Door:
    """What a handler knows as its server: how many requests one worker has served."""

    served = 0


class Service:
    """The listening socket and, in the main process only, the client."""

    def __init__(self, listener: socket.socket, client: "subprocess.Popen[bytes] | None") -> None:
        self.listener = listener
        self.listener.settimeout(PATIENCE)  # which a process does not inherit
        self.client = client

    def __reduce__(self) -> tuple[Any, ...]:
        """Processes get the socket."""
        return Service, (self.listener, None)


def prepare(options: dict[str, Any]) -> int:
    """The number of requests."""
    return int(options["units"])


@contextlib.contextmanager
def shared(options: dict[str, Any], workers: int, _mode: str) -> Iterator[Service]:
    """The listening socket and the client, which is ready, and gone afterwards.

    `options["client"]` is the interpreter it runs on, `options["client_cpus"]` the CPUs it may use,
    None for those of this process.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=workers) as listener:
        words = [options["client"], "-I", "-B", __file__, str(listener.getsockname()[1])]
        words += [str(workers), json.dumps(options["client_cpus"])]
        pipe = subprocess.PIPE
        with subprocess.Popen(words, stdin=pipe, stdout=pipe, bufsize=0) as client:
            try:
                ask(client)
                yield Service(listener, client)
            finally:
                client.kill()


def ask(client: "subprocess.Popen[bytes]", requests: int = 0) -> list[int]:
    """Have the client make requests: how many it made, and the sum of the CRC-32 of all answers.

    Raises:
        RuntimeError: An answer was wrong, or none came, or the client has ended.
    """
    assert client.stdin is not None
    assert client.stdout is not None
    with contextlib.suppress(BrokenPipeError):  # there will be no answer either
        client.stdin.write(b"%d\n" % requests)
    report = json.loads(client.stdout.readline() or b'"the client has ended"')
    if isinstance(report, str):
        raise RuntimeError(report)  # noqa: TRY004 - it is the message of what went wrong
    found: list[int] = report
    return found


def shards(_job: int, workers: int) -> list[None]:
    """Nothing: what workers do comes over their connections."""
    return [None] * workers


def work(_shard: None, service: Service) -> int:
    """Serve one connection to its end: the number of requests."""
    door = Door()
    connection, address = service.listener.accept()
    with connection:
        Handler(connection, address, door)  # type: ignore[arg-type]
    return door.served


def drive(job: int, _workers: int, service: Service) -> list[int]:
    """What the client says of so many requests."""
    assert service.client is not None
    return ask(service.client, job)


def merge(_job: int, partials: list[Any]) -> list[int]:
    """Requests served, answers received, and the sum of the CRC-32 of all answers."""
    *served, received = partials
    return [sum(served), *received]


def check(job: int, result: list[int]) -> None:
    """Each request was served once and answered right."""
    assert result == [job, job, sum(islice(cycle(KNOWN), job))], result


def wire(method: str, target: str, body: str) -> bytes:
    """A request as it is sent."""
    head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ftbuild\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Accept: */*\r\n\r\n{body}".encode()


WIRE = [wire(*request) for request in REQUESTS]


def exchange(connection: socket.socket, numbers: range, totals: list[int]) -> Iterator[bool]:
    """Make the requests of these numbers over a connection, adding to the totals that `ask` gives.

    Gives False where it waits for something to receive.

    Raises:
        ValueError: An answer is not the one known for its request.
        ConnectionError: The service ended the connection.
    """
    for number in numbers:
        kind = number % len(WIRE)
        connection.sendall(WIRE[kind])
        data = head = end = body = b""
        while not end or len(body) < int(head.rpartition(b" ")[2]):  # its last header
            yield False
            part = connection.recv(LARGEST)
            if not part:
                raise ConnectionError("the service ended a connection")
            data += part
            head, end, body = data.partition(b"\r\n\r\n")
        found = zlib.crc32(body)
        if not head.startswith(b"HTTP/1.1 200 ") or found != KNOWN[kind]:
            raise ValueError(f"{REQUESTS[kind][:2]} was answered by {data!r}")
        totals[0] += 1
        totals[1] += found


def load(port: int, connections: int, requests: int) -> list[int]:
    """Make requests over new connections, each in turn for its share: the totals `ask` gives."""
    totals = [0, 0]
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for n in range(connections):
            connection = socket.create_connection(("127.0.0.1", port))
            stack.enter_context(connection)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
            talk = exchange(connection, range(n, requests, connections), totals)
            if next(talk, True):
                connection.close()
            else:
                selector.register(connection, selectors.EVENT_READ, (connection, talk))
        while selector.get_map():
            events = selector.select(PATIENCE)
            if not events:
                raise TimeoutError("the service does not answer")
            for key, _ in events:
                connection, talk = key.data
                if next(talk, True):
                    selector.unregister(connection)
                    connection.close()
    return totals


def main(port: int, connections: int, cpus: list[int] | None) -> None:
    """The client: a line of totals, or of what went wrong, for each line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this process ends it
    if cpus:
        os.sched_setaffinity(0, cpus)
    for line in sys.stdin:
        requests = int(line)
        try:
            report: Any = load(port, connections, requests) if requests else [0, 0]
        except (OSError, ValueError) as error:
            report = str(error)
        with contextlib.suppress(BrokenPipeError):  # nobody is left to read it
            os.write(1, json.dumps(report).encode() + b"\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
