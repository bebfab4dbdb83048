"""What engines print while they build, as events: which step goes on, and what it says.

BuildKit's plain progress numbers its vertices, `#7 [builder 2/5] RUN …`, and prefixes every line of
one with its number and the seconds since it began; several go on at once. Podman and buildah
announce `STEP 3/9: RUN …`, and print what a step says as it is.
"""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path

import msgspec

from ftbuild.model.events import Emit, Noted, StageFinished, StageLine, StageStarted

TAIL = 12
"""Lines of the step that failed which an error shows."""

_VERTEX = re.compile(r"#(?P<number>\d+) (?P<rest>.*)")
_NAMED = re.compile(r"\[(?:(?P<stage>[\w-]+) +)?(?P<step>\d+/\d+)\] (?P<what>.+)")
_SAID = re.compile(r"\d+\.\d+ (?P<text>.*)")
_DONE = re.compile(r"DONE (?P<seconds>[\d.]+)s")
_STEP = re.compile(r"(?:\[\d+/\d+\] )?STEP (?P<step>\d+/\d+): (?P<what>.+)")
_INNER = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  (?P<text>.+)")
"""A line of the ftbuild in the builder stage: where there is no terminal, it dates them."""

_DIGEST = "sha256:"

_RULE = "------"
"""What BuildKit draws before it shows the step that failed once more."""

_LOG = re.compile(r"\s+log: \S+$")
_SHOWN = 40
"""Characters of an instruction that a table has room for."""

_DOES = {
    "apt-get install": "packages",
    "apk add": "packages",
    "COPY . /context": "context",
    "pip install": "ftbuild",
    "ftbuild build": "build",
    "ftbuild image assemble": "assemble",
    "COPY --from=builder": "copy",
}
"""What the steps of our Dockerfiles do, by what their instructions have in them."""


class _Vertex(msgspec.Struct, kw_only=True):
    """A step under way."""

    label: str
    lines: deque[str] = msgspec.field(default_factory=lambda: deque(maxlen=TAIL))
    announced: bool = False


class Watch:
    """Reads an engine's output line by line, and emits what happens.

    Args:
        image: The image, under whose name events go.
        log: Where the whole output is being written.
        emit: Receives the events.
    """

    def __init__(self, image: str, log: Path, emit: Emit) -> None:
        self._image = image
        self._log = log
        self._emit = emit
        self._vertices: dict[str, _Vertex] = {}
        self._current: _Vertex | None = None
        self._over = False
        self._last: deque[str] = deque(maxlen=TAIL)
        self.failed: str = ""
        self.cached = 0
        self.steps = 0

    def __call__(self, line: str) -> None:
        """Take a line into account."""
        if line.strip():
            self._last.append(line.strip())
        # Not of podman, in whose output it is a step's own line.
        self._over = self._over or (line == _RULE and self._current is None)
        if self._over:
            return
        if found := _VERTEX.fullmatch(line):
            self._of_buildkit(found["number"], found["rest"])
        elif found := _STEP.match(line):
            self._current = _Vertex(label=_label(found["step"], found["what"]))
            self.steps += 1
            self._announce(self._current)
        elif line.startswith("--> Using cache"):
            self.cached += 1
        elif self._current is not None:
            self._say(self._current, line)

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines of the step that failed, else of everything."""
        failed = self._vertices.get(self.failed)
        if failed is not None and failed.lines:
            return tuple(failed.lines)
        if self._current is not None and self._current.lines:
            return tuple(self._current.lines)
        return tuple(self._last)

    def _of_buildkit(self, number: str, rest: str) -> None:
        if named := _NAMED.fullmatch(rest):
            stage = f"{named['stage']} " if named["stage"] else ""
            if number not in self._vertices:
                label = _label(stage + named["step"], named["what"])
                self._vertices[number] = _Vertex(label=label)
                self.steps += 1
            return
        vertex = self._vertices.get(number)
        if vertex is None:
            return
        if rest == "CACHED":
            self.cached += 1
        elif said := _SAID.fullmatch(rest):
            self._announce(vertex)
            self._say(vertex, said["text"])
        elif done := _DONE.fullmatch(rest):
            if vertex.announced:
                self._emit(
                    StageFinished(
                        build=self._image, stage=vertex.label, seconds=float(done["seconds"])
                    )
                )
        elif rest.startswith("ERROR"):
            self.failed = number
        elif not rest.startswith(_DIGEST):  # which it prints before it says CACHED
            self._announce(vertex)

    def _announce(self, vertex: _Vertex) -> None:
        if not vertex.announced:
            vertex.announced = True
            self._emit(StageStarted(build=self._image, stage=vertex.label, log=self._log))

    def _say(self, vertex: _Vertex, text: str) -> None:
        vertex.lines.append(text)
        self._emit(StageLine(build=self._image, stage=vertex.label, line=text))
        if inner := _INNER.fullmatch(text):
            self._emit(Noted(text=f"  {_LOG.sub('', inner['text'])}"))


def _label(step: str, what: str) -> str:
    """A step for people: its number, and what it does.

    >>> _label("builder 2/6", "RUN --mount=type=bind,target=/x     apt-get update  && …")
    'builder 2/6 packages'
    >>> _label("1/3", "FROM debian:trixie-slim")
    '1/3 FROM debian:trixie-slim'
    """
    does = next((does for part, does in _DOES.items() if part in what), "")
    text = does or " ".join(what.split())
    return f"{step} {text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}"
