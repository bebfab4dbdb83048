"""What verify, bench and audit find: a table for people, versioned JSON for programs."""

from __future__ import annotations

import enum

import msgspec

FORMAT = 1
"""Version of the JSON shape of a report."""


class Status(enum.StrEnum):
    """How a check ended. Of what is no failure, a warning asks for a look, and a note for none."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    WARNED = "warned"
    NOTED = "noted"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    Attributes:
        name: What was checked, `identity.abiflags`: a group, a dot, the thing.
        status: Passed, failed or skipped; or passed with a warning or a note, which are told.
        expected: What should be so, for people.
        found: What is so; empty when skipped.
        reason: Why it was skipped, or what the finding means and what to do about it.
    """

    name: str
    status: Status
    expected: str = ""
    found: str = ""
    reason: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The checks made on one subject.

    Attributes:
        kind: `verify`, `pair`, `attest`.
        subject: What was looked at: a build's friendly name, a pair's release, an archive's name.
        checks: In the order they were made.
        format: `FORMAT`.
    """

    kind: str
    subject: str
    checks: tuple[Check, ...]
    format: int = FORMAT

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failed

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.status is Status.FAILED)


def expect(name: str, expected: object, found: object, reason: str = "") -> Check:
    """A check that passes when both values are equal; the reason is kept for a failure only."""
    same = expected == found
    return Check(
        name=name,
        status=Status.PASSED if same else Status.FAILED,
        expected=str(expected),
        found=str(found),
        reason="" if same else reason,
    )


def skipped(name: str, reason: str) -> Check:
    """A check that could not be made, and why."""
    return Check(name=name, status=Status.SKIPPED, reason=reason)
