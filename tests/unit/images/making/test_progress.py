"""Engines' output, as events. The outputs are those of Docker 20.10, buildx 0.13 and Podman 4.3."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ftbuild.images.making.progress import TAIL, Watch
from ftbuild.model.events import Event, Noted, StageFinished, StageLine, StageStarted

LOG = Path("/log")

BUILDKIT = """\
#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 3.13kB done
#1 DONE 0.0s

#3 [internal] load metadata for registry.example/library/debian:trixie-slim
#3 DONE 0.0s

#4 [builder 1/6] FROM registry.example/library/debian:trixie-slim
#4 CACHED

#5 [builder 2/6] RUN apt-get update  && apt-get install -y clang-19
#5 sha256:67e5d1d11907a647e50ef953180e8dfe558d66281fa1846a30a6ac80d0cd27d7
#5 CACHED

#8 [builder 5/6] RUN set -- "3.14.7" --root /build && /ftbuild/bin/ftbuild build "$@"
#8 sha256:704abfed2e0b1d09df4290519d5b2e0a2a1c3ecb4c8abdc1fddec74f7c275ab1
#8 0.391 2026-11-23 02:03:04  cpython-3.14.7t        compile    log: /build/logs/a/compile.log
#8 11.15 2026-11-23 02:03:15  cpython-3.14.7t        compile    done in 11 s
#8 DONE 12.2s

#9 [stage-1 2/3] RUN --mount=type=bind,target=/image     apt-get install -y netbase
#9 0.100 E: nothing there
#9 ERROR: executor failed running [/bin/sh -c apt-get update]: exit code: 100
------
 > [stage-1 2/3] RUN --mount=type=bind,target=/image     apt-get install -y netbase:
#9 0.100 E: nothing there
------
"""

PODMAN = """\
[1/2] STEP 1/3: FROM debian:trixie-slim AS builder
[1/2] STEP 2/3: RUN apt-get install -y netbase
--> Using cache 46a4c6591553
--> 46a4c6591553
[2/2] STEP 2/3: COPY --from=builder /image/ /
Error: building at STEP "COPY --from=builder /image/ /": no such file or directory
"""


def watched(output: str) -> tuple[Watch, list[Event]]:
    events: list[Event] = []
    watch = Watch("ftbuild:3.14-both", LOG, events.append)
    for line in output.splitlines():
        watch(line)
    return watch, events


def test_buildkits_steps_are_told_once_each_and_cached_ones_only_counted() -> None:
    watch, events = watched(BUILDKIT)
    assert [event.stage for event in events if isinstance(event, StageStarted)] == [
        "builder 5/6 build",
        "stage-1 2/3 packages",
    ]
    assert [event.seconds for event in events if isinstance(event, StageFinished)] == [12.2]
    assert (watch.cached, watch.steps) == (2, 4)


def test_what_the_ftbuild_inside_tells_is_told_without_its_date_and_its_logs_place() -> None:
    _, events = watched(BUILDKIT)
    assert [event.text for event in events if isinstance(event, Noted)] == [
        "  cpython-3.14.7t        compile",
        "  cpython-3.14.7t        compile    done in 11 s",
    ]


def test_the_tail_is_that_of_the_step_that_failed() -> None:
    watch, _ = watched(BUILDKIT)
    assert watch.tail == ("E: nothing there",)


def test_podmans_steps() -> None:
    watch, events = watched(PODMAN.replace("[2/2] STEP 2/3", "------\n[2/2] STEP 2/3"))
    assert [event.stage for event in events if isinstance(event, StageStarted)] == [
        "1/3 FROM debian:trixie-slim AS builder",
        "2/3 packages",
        "2/3 copy",
    ]
    assert (watch.cached, watch.steps) == (1, 3)
    assert "no such file" in watch.tail[0]


def test_without_a_step_the_tail_is_what_was_said_last() -> None:
    watch, events = watched("ERROR: failed to solve: debian:nope: not found\n")
    assert watch.tail == ("ERROR: failed to solve: debian:nope: not found",)
    assert not events


def test_every_line_of_a_step_is_passed_on() -> None:
    _, events = watched(BUILDKIT)
    assert sum(isinstance(event, StageLine) for event in events) == 3


@given(st.lists(st.text()))
def test_no_output_is_too_strange(lines: list[str]) -> None:
    watch, _ = watched("\n".join(lines))
    assert len(watch.tail) <= TAIL
