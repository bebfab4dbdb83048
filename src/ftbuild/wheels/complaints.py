"""What uv complains about, turned into errors that say what to do next.

uv writes for people, and changes its layout between releases; what is matched here are words that
have been the same in uv 0.9 and 0.13. What is not recognized is repeated as it is.
"""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name

from ftbuild.errors import EnvironmentFault, FtbuildError, UsageError
from ftbuild.files import read_file
from ftbuild.process import Completed
from ftbuild.wheels.indexes import redacted
from ftbuild.wheels.uv import RESOLVING

_STEPS = 12
"""Steps of the resolver's reasoning that are shown: its last ones, which come to the conclusion."""

_VERSIONS = 6
"""Items of a list in it that are shown."""

_TAIL = 15
"""Lines of a failed build that are shown."""

_START = re.compile(
    r"(?P<head>error: |  \u00d7 )"
    r"|(?P<cause>\s+(?:cause|Caused by): |\s*[├╰]─▶ )"
    r"|(?P<hint>\s*hint: )"
)
_OUTPUT = re.compile(r"^\s*(\[stdout\]|\[stderr\]|--- std(out|err))\s*$", re.MULTILINE)
_ABSENT = re.compile(r"(\S+) was not found in the (?:package registry|provided package locations)")
_UNCACHED = re.compile(r"(\S+) was not found in the cache")
_DENIED = re.compile(r"An index(?: URL)? \((?P<url>\S+?)\).*?(?P<code>40[13])", re.DOTALL)
_STATUS = re.compile(
    r"HTTP status \w+ error \((?P<said>(?P<code>\d+).*?)\)\s+for\s+url\s+\((?P<url>\S+?)\)",
    re.DOTALL,
)
_UNREACHED = re.compile(
    r"dns error|tcp connect error|tls handshake|certificate|Connection refused|operation timed out"
    r"|error sending request|Could not resolve host|Could not connect|Connection reset",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s`'\")]+")
_POSITION = re.compile(r"in `(?P<file>[^`]+)` at position (?P<at>\d+)")
_LINE = re.compile(r"(?P<why>.*): (?P<file>.+):(?P<line>\d+):\d+$")
_BUILT = re.compile(r"Failed to (?:download and )?build `([^`]+)`")

_EDITABLE = re.compile(r"Unsupported editable requirement in `([^`]+)` at line (\d+): `([^`]+)`")
_GONE = re.compile(r"Distribution not found at: (\S+)")

_LETTERS = 2
"""Letters more or fewer that a mistyped name may have."""

_NEWLINE = b"\n"

_CREDENTIALS = (
    "Give a user name and password by ~/.netrc, by UV_INDEX_<NAME>_USERNAME and "
    "UV_INDEX_<NAME>_PASSWORD for an index that has a name in uv's configuration, or by a keyring "
    "(UV_KEYRING_PROVIDER=subprocess)."
)


class Unsatisfiable(UsageError):
    """No set of versions fulfils what is required. Exit 2.

    Attributes:
        reason: The resolver's, one step of it a line.
    """

    def __init__(self, reason: str, *, hint: str = "") -> None:
        super().__init__(f"the requirements cannot be fulfilled together:\n{reason}", hint=hint)
        self.reason = reason


class Complaint(msgspec.Struct, frozen=True, kw_only=True):
    """What uv said when it failed, without credentials.

    Attributes:
        head: What failed.
        causes: Why, the root cause last.
        hints: uv's advice.
    """

    head: str
    causes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it, without the output of builds."""
        said = (_OUTPUT.split(part)[0].strip() for part in (self.head, *self.causes))
        return "\n".join(said)


def complaint_of(stderr: str) -> Complaint:
    """Take apart what uv wrote to its standard error."""
    parts: list[tuple[str, list[str]]] = []
    for line in redacted(stderr).splitlines():
        if match := _START.match(line):
            parts.append((match.lastgroup or "", [line[match.end() :]]))
        elif line.startswith("warning: "):
            parts.append(("", []))
        elif parts:
            parts[-1][1].append(line)
    found: dict[str, list[str]] = {"head": [], "cause": [], "hint": []}
    for kind, (first, *rest) in ((kind, lines) for kind, lines in parts if kind):
        # uv 0.9 draws a line at the left of what goes on.
        more = textwrap.dedent("\n".join(line.replace("  │ ", "    ", 1) for line in rest))
        found[kind].append(f"{first}\n{more}".strip())
    return Complaint(
        head=_line(found["head"][0]) if found["head"] else redacted(stderr).strip(),
        causes=tuple(found["cause"]),
        hints=tuple(map(_line, found["hint"])),
    )


def wants_to_build(done: Completed) -> bool:
    """Whether a resolution failed because only a build tells what something depends on."""
    return _failed_build(complaint_of(done.stderr), build=False) is not None


def error_of(
    done: Completed,
    *,
    cwd: Path,
    offline: bool,
    build: bool = True,
    known: Callable[[], Iterable[str]],
) -> FtbuildError:
    """The error that a failed resolution is.

    Args:
        done: uv's run.
        cwd: Where it ran.
        offline: Whether it could use its cache only.
        build: Whether it could build: where not, building is what failed, if that failed.
        known: All names of packages there are; asked only if one does not exist.
    """
    if done.timed_out:
        return EnvironmentFault(
            f"uv had not resolved the requirements after {RESOLVING / 60:.0f} minutes",
            hint="Is the index up? Exact versions (name==1.2.3) leave less to search.",
        )
    said = complaint_of(done.stderr)
    return (
        _unparsed(said, cwd)
        or _frozen(said)
        or _denied(said)
        or _offline(said, offline=offline)
        or _failed_build(said, build=build)
        or _unreached(said)
        or _unknown(said, known)
        or _unsatisfiable(said, offline=offline)
        or EnvironmentFault(f"uv cannot resolve the requirements: {_all(said)}")
    )


def _all(said: Complaint) -> str:
    text = said.text or "it gave no reason"
    return "\n".join((text, *said.hints))


def _unparsed(said: Complaint, cwd: Path) -> FtbuildError | None:
    whole = said.text.splitlines()
    # An included file comes after the one that includes it.
    for number, line in reversed(list(enumerate(whole))):
        if "including" not in line and (match := _POSITION.search(line)):
            if "Error parsing included file" in line:
                return UsageError(
                    f"{match['file']}{_numbered(cwd / match['file'], int(match['at']))}: "
                    + " ".join(whole[number + 1 :])
                )
            where = _numbered(cwd / match["file"], int(match["at"]))
            why = textwrap.dedent("\n".join(whole[number + 1 :]))
            return UsageError(f"{match['file']}{where}: no requirement: {why}".rstrip())
        if match := _LINE.match(line):
            return UsageError(f"{match['file']}, line {match['line']}: {match['why']}")
    return None


def _frozen(said: Complaint) -> FtbuildError | None:
    """What `pip freeze` writes of packages that are not from an index, and uv does not take."""
    whole = said.text
    if match := _EDITABLE.search(whole):
        return UsageError(
            f"{match[1]}, line {match[2]}: only what is in a local directory can be editable, "
            f"{match[3]} is not",
            hint="Write it without -e, and with its name: `NAME @ git+https://…`.",
        )
    if match := _GONE.search(whole):
        return UsageError(
            f"{match[1]} does not exist",
            hint="Where `pip freeze` writes paths, `pip list --format=freeze` writes versions.",
        )
    return None


def _numbered(file: Path, position: int) -> str:
    """The line at a position, which uv counts in bytes."""
    try:
        before = read_file(file)[:position]
    except (OSError, ValueError):
        return ""
    return f", line {before.count(_NEWLINE) + 1}"


def _denied(said: Complaint) -> FtbuildError | None:
    hints = " ".join(said.hints)
    if (match := _DENIED.search(hints)) and not _ABSENT.search(_flowing(said.text)):
        return None
    match = match or _STATUS.search(said.text)
    if match is None or match["code"] not in {"401", "403"}:
        return None
    return denied(match["url"], match["code"])


def denied(index: str, status: str) -> EnvironmentFault:
    """The error that an index lets nobody in.

    Args:
        index: Its address, without credentials.
        status: The HTTP status of its answer.
    """
    return EnvironmentFault(
        f"{index} lets nobody in without valid credentials (HTTP status {status})",
        hint=_CREDENTIALS,
    )


def _offline(said: Complaint, *, offline: bool) -> FtbuildError | None:
    disabled = "network" in said.text.lower() and "disabled" in said.text
    if not disabled and not (offline and _UNCACHED.search(_flowing(said.text))):
        return None
    names = dict.fromkeys(_UNCACHED.findall(_flowing(said.text)))
    what = ", ".join(names) or next(iter(_ADDRESS.findall(said.text)), "what is required")
    return EnvironmentFault(
        f"{what} is not in uv's cache, and --offline forbids to fetch it",
        hint="Run it once without --offline.",
    )


def _failed_build(said: Complaint, *, build: bool) -> FtbuildError | None:
    whole = "\n".join((said.head, *said.causes))
    built = _BUILT.search(said.text)
    if "build backend returned an error" not in whole and "build-system.requires" not in whole:
        return None
    if not build:
        return UsageError(
            f"only building {built[1] if built else 'the project'} could tell what it depends on, "
            "which would run its code",
            hint="Leave out --no-probe if you trust it.",
        )
    parts = _OUTPUT.split(whole)
    output = [line for line in parts[-1].splitlines() if line.strip()] if len(parts) > 1 else []
    why = "" if output else f": {' '.join(said.causes[-1:])}"
    return EnvironmentFault(
        f"what {built[1] if built else 'the project'} depends on is told by its build alone, and "
        f"its build failed{why}",
        hint="A version with a wheel, or an older Python, may do without. Is a compiler or a "
        "library missing?",
        tail=tuple(output[-_TAIL:]),
    )


def _unreached(said: Complaint) -> FtbuildError | None:
    status = _STATUS.search(said.text)
    if status and status["code"] == "404":
        return UsageError(f"{status['url']} does not exist (HTTP status {status['said']})")
    whole = "\n".join((said.head, *said.causes))
    if status is None and not _UNREACHED.search(whole):
        return None
    address = next(iter(_ADDRESS.findall(whole)), "the index")
    why = f"HTTP status {status['said']}" if status else whole.strip().splitlines()[-1].strip()
    certificate = "certificate" in whole
    return EnvironmentFault(
        f"{address} cannot be reached: {why}",
        hint="SSL_CERT_FILE names the file of the certificates to trust."
        if certificate
        else "Is the network up, and the address right? --offline uses what is in uv's cache.",
    )


def _unknown(said: Complaint, known: Callable[[], Iterable[str]]) -> FtbuildError | None:
    names = list(dict.fromkeys(_ABSENT.findall(_flowing(said.text))))
    if not names:
        return None
    hints = []
    everything: list[str] = []
    for name in names:
        everything = everything or list(known())
        if near := nearest_names(name, everything):
            hints.append(f"Names like {name}: {', '.join(near)}")
    reason = reason_of(said)
    more = f"\n{reason}" if reason.count("\n") or len(names) > 1 else ""
    does = "do" if len(names) > 1 else "does"
    return UsageError(
        f"{', '.join(names)} {does} not exist in the index{more}",
        hint="\n".join(hints)
        or "Is it in another index? UV_INDEX, pip's configuration and [tool.uv] may name more.",
    )


def _unsatisfiable(said: Complaint, *, offline: bool) -> FtbuildError | None:
    if "No solution found" not in said.head:
        return None
    hints = list(_helpful(said.hints))
    if offline:
        hints.append("uv's cache may not hold all versions: run it once without --offline.")
    return Unsatisfiable(reason_of(said), hint="\n".join(hints))


def reason_of(said: Complaint) -> str:
    """The resolver's reasons, a step a line; the last ones, if there are many."""
    text = "\n".join(_flowing(cause) for cause in said.causes)
    steps = re.split(r"(?<=\.)\s+(?=And because|Because)", text)
    if len(steps) > _STEPS:
        left = len(steps) - _STEPS
        steps = [f"({left} steps before that)", *steps[left:]]
    return "\n".join(step.strip() for step in steps)


def _helpful(hints: Iterable[str]) -> Iterator[str]:
    for hint in hints:
        # How to limit what uv solves for is decided here, and not the user's business.
        if "tool.uv.environments" in hint or "`requires-python`" in hint:
            continue
        yield hint.replace("`--prerelease=allow`", "UV_PRERELEASE=allow").replace(
            "`--index-strategy unsafe-best-match`", "UV_INDEX_STRATEGY=unsafe-best-match"
        )


def _flowing(text: str) -> str:
    """The resolver's text in one line; what it lists below each other with commas."""
    words: list[str] = []
    listed: list[str] = []
    for line in (*text.splitlines(), ""):
        if line.startswith("    "):
            listed.append(line.strip())
            continue
        if listed:
            left = len(listed) - _VERSIONS
            if left > 0:
                listed = [*listed[: _VERSIONS - 1], f"… ({left} more)", listed[-1]]
            words.append(", ".join(listed))
            listed = []
        words.append(line.strip())
    return " ".join(word for word in words if word)


def _line(text: str) -> str:
    return " ".join(text.split())


def nearest_names(name: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """The names most like a mistyped one, best first.

    Comparing with all of an index's 700,000 names would take a minute: only those are looked at
    that are about as long, and begin or end alike or have the same letters.
    """
    wanted = canonicalize_name(name)
    letters = sorted(wanted)

    def worth(other: str) -> bool:
        return abs(len(other) - len(wanted)) <= _LETTERS and (
            other[:3] == wanted[:3] or other[-3:] == wanted[-3:] or sorted(other) == letters
        )

    candidates = {found for other in known if worth(found := canonicalize_name(other))}
    return tuple(difflib.get_close_matches(wanted, sorted(candidates - {wanted}), count, 0.7))
