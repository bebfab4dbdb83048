"""The only errors a user of ftbuild sees.

Everything expected to go wrong — bad input, a missing compiler, a dead mirror, a failed check —
is raised as an `FtbuildError`: what happened, what to do next, and where the log is. The command
line turns it into text and an exit code in one place. Anything else that escapes is a fault of
ftbuild itself and keeps its traceback.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class FtbuildError(Exception):
    """An expected failure.

    Attributes:
        message: One or more lines that say what happened and why.
        hint: What the user can do next; empty when there is nothing to add.
        log: The file that holds the whole story, if one was written.
        tail: The last lines of that log, oldest first.
    """

    exit_code: ClassVar[int] = 3

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        log: Path | None = None,
        tail: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.log = log
        self.tail = tail


class UsageError(FtbuildError):
    """The request itself is wrong: an unknown version, a bad option, a broken recipe. Exit 2."""

    exit_code = 2


class EnvironmentFault(FtbuildError):
    """The machine or the network does not let us: compiler, disk, permissions, origins. Exit 3."""


class BuildFailed(EnvironmentFault):
    """A stage of a build ended with an error. Exit 3."""


class TrainingFailed(BuildFailed):
    """The training run of a profile-guided build failed: what `--pgo-fallback` has a way around."""


class Refused(FtbuildError):
    """The question was answered, and the answer is no: a check failed. Exit 1."""

    exit_code = 1


class Interrupted(FtbuildError):
    """Stopped by Ctrl-C, SIGTERM, SIGHUP or SIGQUIT. Exit 130."""

    exit_code = 130
