r"""Web servers' logs: parse the Combined Log Format with `re` and string methods, count, and rank.

Each worker takes a range of the file's bytes, and owns the lines that start in it. It reads block
by block with a file object of its own, so that memory stays flat whatever the size: what grows is
the tables, with the number of different hosts and paths. Variants show what limits threads:

    own             each worker has a pattern and a tally of its own, and makes no match objects
    match           the same, with match objects: they all count references to their one type
    shared-pattern  match objects, and one compiled pattern for all: what comes to mind first
    shared-dict     like `own`, but one tally for all of them, behind a lock. Threads only: a lock
                    and what it guards cannot be handed to a process

Lines end with \n or \r\n. One that is not in the format is broken, as an empty one is, or one whose
request is none (`-`, what a TLS client sent to a plain port).
"""

import hashlib
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

SUMMARY = "parse web server logs with re and string methods, and count"
UNIT = "bytes"
REVISION = 1

BLOCK = 64 * 1024
"""Bytes read at a time."""

LONGEST = 64 * 1024
"""Bytes of a line; with more it is broken, and not kept: a binary file may be a single line."""

TOP = 10

QUOTED = r'"{}[^"\\]*(?:\\.[^"\\]*)*{}"'
LINE = (
    r"\A(\S+) \S+ \S+ \[([^\]]*)\] "  # host, identity, user, time
    rf"{QUOTED.format('(', ')')} (\d{{3}}) (\d{{1,18}}|-) "  # request, status, size
    rf"{QUOTED.format('', '')} {QUOTED.format('(', ')')}"  # referer, agent; more may follow
)
PATTERN = re.compile(LINE)

FAMILIES = (
    ("bot", "bot"),
    ("crawler", "bot"),
    ("spider", "bot"),
    ("curl/", "tool"),
    ("wget/", "tool"),
    ("python-", "tool"),
    ("go-http-client/", "tool"),
    ("firefox/", "firefox"),
    ("edg/", "edge"),
    ("chrome/", "chrome"),
    ("safari/", "safari"),
)
"""An agent's family goes by the first of these that is in its name, in lower case."""

SMALL = ("statuses", "hours", "methods")
LARGE = ("hosts", "paths", "agents", "missing")


Record = tuple[str, str, str, str, str, int, str]
"""What is counted of a line: host, hour, method, path, status, size, family of the agent."""

Fields = Callable[[str], Sequence[tuple[str, ...]]]
"""Finds the groups of `LINE` in a line: one tuple, or none if it is broken."""


class Tally:
    """What some lines hold: sums, and how many there are by host, by path and so on."""

    def __init__(self) -> None:
        self.lines = 0
        self.broken = 0
        self.bytes = 0
        self.statuses: dict[str, int] = defaultdict(int)
        self.hours: dict[str, int] = defaultdict(int)
        self.methods: dict[str, int] = defaultdict(int)
        self.hosts: dict[str, int] = defaultdict(int)
        self.paths: dict[str, int] = defaultdict(int)
        self.agents: dict[str, int] = defaultdict(int)
        self.missing: dict[str, int] = defaultdict(int)

    def add(self, record: Record | None) -> None:
        """Count a line, None being a broken one."""
        self.lines += 1
        if record is None:
            self.broken += 1
            return
        host, hour, method, path, status, size, agent = record
        self.bytes += size
        self.statuses[status] += 1
        self.hours[hour] += 1
        self.methods[method] += 1
        self.hosts[host] += 1
        self.paths[path] += 1
        self.agents[agent] += 1
        if status == "404":
            self.missing[path] += 1

    def merge(self, other: "Tally") -> None:
        """Count the lines of another one, too."""
        self.lines += other.lines
        self.broken += other.broken
        self.bytes += other.bytes
        for name in (*SMALL, *LARGE):
            table = getattr(self, name)
            for key, count in getattr(other, name).items():
                table[key] += count


class Shared(NamedTuple):
    """A tally that all workers count in, and its lock."""

    tally: Tally
    lock: threading.Lock


class Shard(NamedTuple):
    """A worker's part: the lines that start in [start, end) of the file.

    Attributes:
        pattern: Number of its own pattern, or None for the one of all.
        match: Whether it makes match objects.
        shared: The tally of all, or None for one of its own.
    """

    path: str
    start: int
    end: int
    pattern: int | None
    match: bool
    shared: Shared | None


def prepare(options: dict[str, Any]) -> dict[str, Any]:
    """What to read.

    Args:
        options: `path` of the log; `size`, to read that many bytes only; `variant`, see above;
            `expected`, what is known of the result. All but the first may be missing or None.
    """
    length = Path(options["path"]).stat().st_size
    size = options.get("size")
    return {
        "path": options["path"],
        "size": length if size is None else min(size, length),
        "variant": options.get("variant") or "own",
        "expected": options.get("expected") or {},
    }


def shards(job: dict[str, Any], workers: int) -> list[Shard]:
    """The file in as many ranges, alike in size."""
    bounds = [job["size"] * n // workers for n in range(workers + 1)]
    own = job["variant"] != "shared-pattern"
    match = job["variant"] in {"match", "shared-pattern"}
    shared = Shared(Tally(), threading.Lock()) if job["variant"] == "shared-dict" else None
    return [
        Shard(job["path"], bounds[n], bounds[n + 1], n if own else None, match, shared)
        for n in range(workers)
    ]


def work(shard: Shard) -> Tally:
    """Count a range's lines."""
    shared = shard.shared
    tally = shared.tally if shared else Tally()
    add = locked(shared) if shared else tally.add
    compiled = pattern(shard.pattern)
    fields = matched(compiled) if shard.match else compiled.findall
    for lines in batches(Path(shard.path), shard.start, shard.end):
        for line in lines:
            add(parse(line, fields))
    return tally


def merge(_job: dict[str, Any], partials: list[Tally]) -> dict[str, Any]:
    """Sums, small tables, the first ten of large ones and their lengths, and a hash of all."""
    total = Tally()
    for tally in {id(each): each for each in partials}.values():  # all may be the same one
        total.merge(tally)
    tables = {name: sorted(getattr(total, name).items()) for name in (*SMALL, *LARGE)}
    sums = {"lines": total.lines, "broken": total.broken, "bytes": total.bytes}
    return {
        **sums,
        **{name: dict(tables[name]) for name in SMALL},
        **{name: top(tables[name]) for name in LARGE},
        "different": {name: len(tables[name]) for name in LARGE},
        "sha256": hashlib.sha256(repr((sums, tables)).encode()).hexdigest(),
    }


def check(job: dict[str, Any], result: dict[str, Any]) -> None:
    """What is known of the log came out."""
    for name, known in job["expected"].items():
        if result[name] != known:
            raise ValueError(f"{name}: found {result[name]}, not {known}")


def pattern(number: int | None) -> re.Pattern[str]:
    """The pattern of all, or, by a number, another one that finds the same.

    `re.compile` keeps what it has made: the same text would give all of them the same object. A
    comment makes it another text.
    """
    return PATTERN if number is None else re.compile(f"{LINE}(?#{number})")


def matched(compiled: re.Pattern[str]) -> Fields:
    """Like its `findall`, which returns the groups at once, but by a match object.

    Each of these counts a reference to the pattern, and another one to their type.
    """
    match = compiled.match

    def fields(line: str) -> Sequence[tuple[str, ...]]:
        found = match(line)
        return (found.groups(),) if found else ()

    return fields


def batches(path: Path, start: int, end: int) -> Iterator[list[str]]:
    """The lines that start in a range, some at a time, an empty one for each that is too long.

    Bytes become characters by Latin-1, which has one for each of them.
    """
    with path.open("rb", buffering=0) as file:
        position = max(0, start - 1)  # one before: only then a line is known to start at `start`
        file.seek(position)
        within = start > 0  # a line that is not wanted, or not any more
        rest = ""
        while position < end and (block := file.read(min(BLOCK, end - position))):
            position += len(block)
            if within:
                _, newline, block = block.partition(b"\n")
                if not newline:
                    continue
                within = False
            lines = (rest + block.decode("latin-1")).split("\n")
            rest = lines.pop()
            if len(rest) > LONGEST:
                lines.append("")
                rest, within = "", True
            if max(map(len, lines), default=0) > LONGEST:
                lines = [line if len(line) <= LONGEST else "" for line in lines]
            yield lines
        while rest:  # it started in the range and ends behind it, or with the file
            block, newline, _ = file.read(LONGEST).partition(b"\n")
            rest += block.decode("latin-1")
            if newline or not block or len(rest) > LONGEST:
                yield [rest if len(rest) <= LONGEST else ""]
                break


def parse(line: str, fields: Fields) -> Record | None:
    """A line's record, or None if it is broken."""
    found = fields(line)
    if not found:
        return None
    host, time, request, status, size, agent = found[0]
    method, _, asked = request.partition(" ")
    target, _, protocol = asked.partition(" ")
    if protocol[:5] != "HTTP/":
        return None
    path, _, _ = target.partition("?")
    return host, time[12:14], method, path, status, 0 if size == "-" else int(size), family(agent)


def family(agent: str) -> str:
    """Whether an agent is a bot, or which browser."""
    agent = agent.lower()
    for part, name in FAMILIES:
        if part in agent:
            return name
    return "other"


def locked(shared: Shared) -> Callable[[Record | None], None]:
    """The function that counts a line in the tally of all, one worker at a time."""
    tally, lock = shared

    def add(record: Record | None) -> None:
        with lock:
            tally.add(record)

    return add


def top(table: list[tuple[str, int]]) -> list[list[Any]]:
    """The highest counts of a sorted table; of equal ones, the first in its order."""
    ranked = sorted(table, key=itemgetter(1), reverse=True)
    return [[key, count] for key, count in ranked[:TOP]]
