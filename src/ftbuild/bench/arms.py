"""The ways of using a pair that a measurement compares."""

from __future__ import annotations

from enum import StrEnum

from ftbuild.model.versions import Variant


class Arm(StrEnum):
    """One way of running a workload: a build, its GIL, threads or processes.

    `GIL`: threads on the GIL build. `FREE`: threads on the free-threaded build, the GIL off.
    `FORCED`: the same build with the GIL switched on (`PYTHON_GIL=1`). `PROCESSES`: processes on
    the GIL build, each input and result pickled, as people do it today.
    """

    GIL = "gil"
    FREE = "free-threaded"
    FORCED = "gil-forced"
    PROCESSES = "processes"

    @property
    def variant(self) -> Variant:
        """Which build of the pair runs it."""
        free = self in {Arm.FREE, Arm.FORCED}
        return Variant.FREE_THREADED if free else Variant.GIL

    @property
    def mode(self) -> str:
        """What its workers are: `threads` or `processes`."""
        return "processes" if self is Arm.PROCESSES else "threads"

    @property
    def gil(self) -> bool:
        """Whether the GIL is on while it runs."""
        return self is not Arm.FREE

    @property
    def flags(self) -> tuple[str, ...]:
        """Interpreter options. `-X gil=1` is `PYTHON_GIL=1`, which isolated mode would ignore."""
        return (f"-Xgil={int(self.gil)}",) if self.variant is Variant.FREE_THREADED else ()

    @property
    def label(self) -> str:
        """For people."""
        return {
            Arm.GIL: "GIL build, threads",
            Arm.FREE: "free-threaded build, threads",
            Arm.FORCED: "free-threaded build, GIL forced on",
            Arm.PROCESSES: "GIL build, processes",
        }[self]
