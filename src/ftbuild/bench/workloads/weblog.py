"""Writes a web server's log (Combined Log Format), the same for the same size and seed, anywhere.

    python -I -B weblog.py FILE SIZE SEED REPORT.json

The file has exactly SIZE bytes: its last line ends where they do, as in a log still being written.
Standard output tells, a line at a time, how many bytes are written. The report says what is in the
file (`expected`, see `Totals.report`), by what was meant when a line was made, not by parsing it.

A few hundred blocks of lines are rendered, the time left out; the file is a sequence of them, each
with a second of its own. So gigabytes come at the speed of the disk, and what the whole file holds
follows from how often each block was taken. The host names and addresses are those reserved for
documentation and benchmarks (RFC 2544, 2606, 3849).
"""

import argparse
import datetime as dt
import json
import random
import sys
import time
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

BLOCK = 64 * 1024
"""Bytes of a block, at most: a second of traffic, some 330 lines."""

POOL = 256
"""How many blocks are rendered: 16 MiB, and the lists of 85,000 lines."""

BEGIN = dt.datetime(2026, 2, 28, 23, 59, 50, tzinfo=dt.timezone.utc)  # noqa: UP017
"""The first second: even a small file has two days, and two hours."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STAMP = "01/Jan/2026:00:00:00 +0000"
HOLE = "\0"  # where a line's time goes; no line has another one
TOP = 10
LARGE = ("hosts", "paths", "agents", "missing")

REPORTED = 0.25
"""Seconds between lines of progress."""

SITE = "https://www.example.com"
VOCABULARY = """
    about account archive article basket blog book build cache camera careers category chair
    checkout cloud contact course data deal delivery design digest docs download driver events
    feature forum free gallery garden gift guide history home image index invoice journal kernel
    lamp latest library light list login machine manual market memory music network news offer
    order page partner paper patch phone photo price print privacy product profile python release
    report review sale sample search server service shipping signal source status store summer
    support table team terms thread ticket tool tour travel update user video wallet weather
    winter work world"""
WORDS = VOCABULARY.split()
SCANNED = (
    *("/wp-login.php", "/xmlrpc.php", "/.env", "/.git/config", "/admin/", "/phpmyadmin/index.php"),
    *("/cgi-bin/luci", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "/boaform/admin"),
)
REFERERS = (
    *("", "", "", "", "", "", "", "-", "-", "-"),  # empty: a page of the site
    *("https://search.example.net/", "https://news.example.org/item?id=4711"),
    *("https://social.example.net/t/9f3a", "http://www.example.org/links.html"),
)
WEIGHTS = {
    ("GET", "200"): 807,
    ("GET", "304"): 60,
    ("GET", "404"): 45,
    ("POST", "200"): 35,
    ("GET", "301"): 20,
    ("HEAD", "200"): 10,
    ("GET", "206"): 8,
    ("GET", "500"): 5,
    ("POST", "201"): 4,
    ("PUT", "204"): 2,
    ("OPTIONS", "204"): 2,
    ("GET", "403"): 1,
    ("GET", "503"): 1,
}
ANSWERS, BOUNDS = tuple(WEIGHTS), tuple(accumulate(WEIGHTS.values()))
SIZES = dict(
    zip(
        ("201", "204", "206", "301", "304", "403", "404", "500", "503"),
        (37, 0, 65536, 169, 0, 318, 548, 1024, 190),
        strict=True,
    )
)
"""Bytes of those answers that are not the thing asked for."""
PROTOCOLS = ("1.1", "2.0")
SYSTEMS = (
    *("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64"),
    *("Linux; Android 15; Pixel 9", "iPhone; CPU iPhone OS 18_5 like Mac OS X"),
)
PAGES = (*4 * ("text",), *2 * ("list",), *2 * ("picture",), "script", "call")
BROWSERS = (*5 * ("chrome",), *2 * ("firefox",), *2 * ("safari",), "edge")
DAMAGES = ("cut", "encrypted", "no request", "random", "nothing")
OTHERS = (
    ("Mozilla/5.0 (compatible; Examplebot/2.1; +http://www.example.com/bot.html)", "bot"),
    ("Mozilla/5.0 (compatible; indexbot/2.0; +http://www.example.net/indexbot.htm)", "bot"),
    ("Mozilla/5.0 (Linux; Android 15) Chrome/138.0.0.0 (compatible; ExampleBot/2.1)", "bot"),
    ("Mozilla/5.0 AppleWebKit/537.36 (compatible; TrainingBot/1.2; +https://example.org)", "bot"),
    ("ExampleSpider/1.0 (+https://example.org/spider)", "bot"),
    ("Mozilla/5.0 (compatible; archive-crawler/3.4 +https://example.org/why)", "bot"),
    ("curl/8.14.1", "tool"),
    ("Wget/1.25.0", "tool"),
    ("python-requests/2.32.4", "tool"),
    ("Go-http-client/2.0", "tool"),
    (r"Mozilla/5.0 (Windows; \"quoted\" build) Gecko/20100101 Firefox/115.0", "firefox"),
    (r"Feed \"Reader\" \\ 4.0", "other"),
    ("-", "other"),
)


class Totals:
    """What some lines hold. Counts by host and so on are of the lines that are not broken."""

    def __init__(self) -> None:
        self.lines = 0
        self.broken = 0
        self.bytes = 0
        self.tables: dict[str, Counter[str]] = {
            name: Counter() for name in ("statuses", "hours", "methods", *LARGE)
        }

    def add(self, other: "Totals", times: int) -> None:
        """Count those of other lines, so many times."""
        self.lines += other.lines * times
        self.broken += other.broken * times
        self.bytes += other.bytes * times
        for name, table in other.tables.items():
            own = self.tables[name]
            for key, count in table.items():
                own[key] += count * times

    def count(self, **keys: str) -> None:
        """One more in tables, each with its key."""
        for name, key in keys.items():
            self.tables[name][key] += 1

    def report(self) -> dict[str, Any]:
        """As JSON: sums, small tables, the first ten of large ones, and how long those are."""
        return {
            "lines": self.lines,
            "broken": self.broken,
            "bytes": self.bytes,
            # The plus leaves out zeros: of an hour in which there were broken lines alone.
            **{name: dict(+self.tables[name]) for name in ("statuses", "hours", "methods")},
            **{name: top(self.tables[name]) for name in LARGE},
            "different": {name: len(self.tables[name]) for name in LARGE},
        }


def top(table: Counter[str]) -> list[list[Any]]:
    """The ten keys with the highest counts; of equal ones, the first in order."""
    ranked = sorted(table.items(), key=lambda item: (-item[1], item[0]))
    return [[key, count] for key, count in ranked[:TOP]]


class Page(NamedTuple):
    """Something on the site: its path, the size of an answer, and what is asked after a `?`."""

    path: str
    size: int
    queries: tuple[str, ...]


class Choice:
    """Picks things by Zipf's law: the one of rank r as often as 1 / r, the first of them most."""

    def __init__(self, things: Sequence[Any], below: Callable[[int], int]) -> None:
        self.things = things
        self.below = below
        # Whole numbers, because the last bit of a float may differ between platforms.
        self.bounds = list(accumulate(2**32 // rank for rank in range(1, len(things) + 1)))

    def __call__(self) -> Any:
        """One of them."""
        return self.things[bisect(self.bounds, self.below(self.bounds[-1]))]


def dice(seed: int, stream: int) -> Callable[[int], int]:
    """A function that gives whole numbers from 0 to below n, evenly; each stream has its own.

    Of Python's generator it uses `random()` alone, which is promised never to change; times 2**53
    that is a whole number.
    """
    draw = random.Random(seed * (POOL + 3) + stream).random  # noqa: S311 - nothing is secret here

    def below(n: int) -> int:
        return int(draw() * 9007199254740992.0) * n >> 53

    return below


class Traffic:
    """Who visits the site, and what there is on it; all from the seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        below = dice(seed, 0)
        self.clients = [client(below) for _ in range(8000)]
        self.pages = [page(below) for _ in range(4000)]
        self.browsers = [browser(below) for _ in range(200)]
        self.users = [f"{WORDS[below(len(WORDS))]}{below(100)}" for _ in range(50)]

    def block(self, number: int, limit: int) -> tuple[bytes, Totals, str]:
        """Whole lines, with holes for the time, what they hold, and the line after them.

        Args:
            number: Which block; each has its own lines.
            limit: Bytes it may have when the holes are filled; the line after them exceeds it.
        """
        below = dice(self.seed, 2 + number)
        client, page = Choice(self.clients, below), Choice(self.pages, below)
        browser, other = Choice(self.browsers, below), Choice(OTHERS, below)
        totals, room = Totals(), limit
        lines: list[str] = []
        while True:
            host, (path, usual, queries) = client(), page()
            agent, family = browser() if below(5) else other()
            method, status = ANSWERS[bisect(BOUNDS, below(BOUNDS[-1]))]
            if status == "404":
                path = f"{path}{below(10)}" if below(3) else SCANNED[below(len(SCANNED))]
            size = 0 if method == "HEAD" else SIZES.get(status, usual + below(64))
            query = f"?{queries[below(len(queries))]}{below(50)}" if queries else ""
            referer = REFERERS[below(len(REFERERS))] or f"{SITE}{page().path}"
            user = "-" if below(100) else self.users[below(len(self.users))]
            line = (
                f'{host} - {user} [{HOLE}] "{method} {path}{query} HTTP/{PROTOCOLS[below(2)]}" '
                f'{status} {size or "-"} "{referer}" "{agent}"\n'
            )
            broken = not below(400)
            if broken:
                line = damaged(line, host, below)
            room -= len(line) + (len(STAMP) - 1) * line.count(HOLE)
            if room < 0:
                return "".join(lines).encode("latin-1"), totals, line
            lines.append(line)
            totals.lines += 1
            if broken:
                totals.broken += 1
                continue
            totals.bytes += size
            totals.count(statuses=status, methods=method, hosts=host, paths=path, agents=family)
            if status == "404":
                totals.count(missing=path)


def client(below: Callable[[int], int]) -> str:
    """An address, one of five an IPv6 one."""
    if below(5):
        return f"198.{18 + below(2)}.{below(256)}.{below(254) + 1}"
    middle = ":".join(f"{below(65536):x}" for _ in range(2 + below(4)))
    return f"2001:db8:{middle}::{below(65535) + 1:x}"


def page(below: Callable[[int], int]) -> Page:
    """A text, a list, a picture, a script or a call of an interface."""

    def word() -> str:
        return WORDS[below(len(WORDS))]

    match PAGES[below(len(PAGES))]:
        case "text":
            path = f"/{word()}/{word()}-{word()}-{below(1000)}"
            return Page(path, 4000 + below(60000), ())
        case "list":
            queries = ("page=", f"q={word()}+{word()}&page=", f"utm_source={word()}&id=")
            return Page(f"/{word()}/{word()}", 8000 + below(30000), queries)
        case "picture":
            path = f"/images/{word()}/{below(16**8):08x}.webp"
            return Page(path, 10000 + below(500000), ())
        case "script":
            path = f"/static/{word()}.{below(16**8):08x}.{'js' if below(2) else 'css'}"
            return Page(path, 2000 + below(90000), ("v=",))
        case _:
            path = f"/api/v{1 + below(3)}/{word()}s/{below(100000)}"
            return Page(path, 120 + below(4000), ("limit=1",))


def browser(below: Callable[[int], int]) -> tuple[str, str]:
    """What a browser calls itself, and its family."""
    family, system = BROWSERS[below(len(BROWSERS))], SYSTEMS[below(len(SYSTEMS))]
    version = 115 + below(28)
    engine = f"Mozilla/5.0 ({system}) AppleWebKit"
    chrome = f"{engine}/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    safari = f"{engine}/605.1.15 (KHTML, like Gecko) Version/{16 + below(3)}.{below(7)}"
    names = {
        "firefox": f"Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0",
        "safari": f"{safari} Safari/605.1.15",
        "edge": f"{chrome} Edg/{version}.0.0.0",
        "chrome": chrome,
    }
    return names[family], family


def damaged(line: str, host: str, below: Callable[[int], int]) -> str:
    """A line that is none: cut off, encrypted or random bytes, no request, or nothing at all."""
    match DAMAGES[below(len(DAMAGES))]:
        case "cut":  # at least the quotation mark at the end is lost
            return f"{line[: 1 + below(len(line) - 2)]}\n"
        case "encrypted":
            hello = r"\x16\x03\x01\x02" + "".join(rf"\x{below(256):02x}" for _ in range(24))
            return f'{host} - - [{HOLE}] "{hello}" 400 157 "-" "-"\n'
        case "no request":
            return f'{host} - - [{HOLE}] "-" 408 - "-" "-"\n'
        case "random":
            return "".join(chr(128 + below(128)) for _ in range(1 + below(200))) + "\n"
        case _:
            return "\n"


def stamp(second: int) -> str:
    """The time so many seconds after the beginning, as a log has it; in no locale's language."""
    now = BEGIN + dt.timedelta(seconds=second)
    return f"{now:%d}/{MONTHS[now.month - 1]}/{now:%Y:%H:%M:%S} +0000"


def write(path: Path, size: int, seed: int, progress: Callable[[int], None]) -> Totals:
    """Write the file; what it holds.

    Raises:
        OSError: It cannot be written, or not all of it.
    """
    traffic, pick = Traffic(seed), dice(seed, 1)
    pool: list[tuple[list[bytes], int, Totals]] = []
    taken: Counter[int] = Counter()
    totals = Totals()
    hours = totals.tables["hours"]
    done = second = 0
    reported = time.monotonic()
    with path.open("wb", buffering=BLOCK // 2) as file:
        while size - done >= BLOCK:
            # As long as there are blocks that were not taken yet, each comes once.
            number = second if second < POOL else pick(POOL)
            if number == len(pool):
                lines, held, _ = traffic.block(number, BLOCK)
                pool.append((lines.split(HOLE.encode()), held.lines - held.broken, held))
            pieces, unbroken, _ = pool[number]
            now = stamp(second)
            done += file.write(now.encode().join(pieces))
            taken[number] += 1
            hours[now[12:14]] += unbroken
            second += 1
            if time.monotonic() - reported > REPORTED:
                progress(done)
                reported = time.monotonic()
        now = stamp(second)
        lines, held, cut = traffic.block(POOL, size - done)
        done += file.write(lines.replace(HOLE.encode(), now.encode()))
        # Without the quotation mark and the end of line it never is a whole line.
        rest = f"{cut[:-2]} ".replace(HOLE, now)[: size - done]
        done += file.write(rest.encode("latin-1"))
    progress(done)
    for number, times in taken.items():
        totals.add(pool[number][2], times)
    totals.add(held, 1)
    hours[now[12:14]] += held.lines - held.broken
    if rest:
        totals.lines += 1
        totals.broken += 1
    return totals


def whole(text: str) -> int:
    """A number that is not negative."""
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def main() -> int:
    """Write what the command line asks for; 1 if it cannot be written."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("size", type=whole, help="bytes")
    parser.add_argument("seed", type=whole)
    parser.add_argument("report", type=Path)
    asked = parser.parse_args()
    try:
        totals = write(asked.file, asked.size, asked.seed, lambda done: print(done, flush=True))
        report = {"size": asked.size, "seed": asked.seed, "expected": totals.report()}
        asked.report.write_text(json.dumps(report))
    except OSError as error:
        print(f"{error.filename or asked.file}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
