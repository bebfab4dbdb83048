"""The likely cause of a failed stage, recognised in the last lines of its log."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec


class _Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What a log says when something well known is wrong, and what to do about it."""

    said: str
    advice: str


_CAUSES = (
    _Cause(
        said="No space left on device|Disk quota exceeded",
        advice="The disk is full. Free some space (`ftbuild gc` removes old builds), or choose "
        "another place with --root.",
    ),
    _Cause(
        said="Killed signal terminated program|internal compiler error: Killed"
        "|virtual memory exhausted|Cannot allocate memory|out of memory",
        advice="The machine ran out of memory. Give fewer jobs (--jobs 1), or build the fast "
        "profile, which has no link-time optimisation.",
    ),
    _Cause(
        said="C compiler cannot create executables|cannot run C compiled programs",
        advice="The compiler does not work on this host: headers of the C library are missing, "
        "or the temporary directory does not let programs run. `ftbuild doctor` compiles a trial "
        "program and shows what it says.",
    ),
    _Cause(
        said="unsupported instrumentation profile format version|raw profile version mismatch"
        "|Cannot perform PGO build because llvm-profdata",
        advice="llvm-profdata is missing or of another version than clang. `ftbuild doctor` shows "
        "the pair and the package that mends it.",
    ),
    _Cause(
        said="ThreadSanitizer: unexpected memory mapping",
        advice="The kernel randomises addresses further than this compiler's ThreadSanitizer can "
        "follow. As root: sysctl vm.mmap_rnd_bits=28; or use a newer compiler (clang 18, gcc 14).",
    ),
    _Cause(
        said=r"test_\w+ failed|tests? failed:|\d+ tests? failed",
        advice="A test of the training run failed; the log says which and why. --pgo-fallback "
        "carries on without PGO and records it.",
    ),
    _Cause(
        said="plugin needed to handle lto object|lto-wrapper failed|bitcode.*(?:unknown|invalid)",
        advice="The linker does not understand the compiler's link-time-optimisation objects. "
        "`ftbuild doctor` shows which of the compiler's companion tools is missing.",
    ),
    _Cause(
        said="Clock skew detected|modification time .* in the future",
        advice="The clock of this machine or of its file server is wrong; make depends on it.",
    ),
    _Cause(
        said="Permission denied",
        advice="A file could not be written or run. Is --root on a file system mounted noexec?",
    ),
    _Cause(
        said="invalid option|unrecognized option|invalid package name|invalid variable name",
        advice="configure did not understand an argument: check --configure-arg.",
    ),
)


_REMOVED = re.compile(r"because they could not be imported:\n((?:\w+ +.*\n|\w+\n)+)")
_REASON = re.compile(r"^\[ERROR\] (\w+) failed to import: (.+)$", re.MULTILINE)
"""What CPython's Tools/build/check_extension_modules.py says, 3.13 to 3.15."""


def read_unimportable(log: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The modules that CPython's build removes because they cannot be imported, by its log.

    Its make ends well; `make install` then misses their files. Of each: what the loader said, and
    the folders in which its link looked for libraries.
    """
    reasons = dict(reversed(_REASON.findall(log)))
    found = {}
    for module in (name for match in _REMOVED.finditer(log) for name in match[1].split()):
        links = "\n".join(re.findall(rf"^.* -o Modules/{module}\.\S+$", log, re.MULTILINE))
        folders = tuple(dict.fromkeys(re.findall(r"(?<=\s-L)\S+", links)))
        found[module] = (reasons.get(module, "its file is missing or empty"), folders)
    return found


def likely_cause(lines: Iterable[str]) -> str:
    """What probably went wrong and what to do; empty where nothing is recognised."""
    text = "\n".join(lines)
    return next((cause.advice for cause in _CAUSES if re.search(cause.said, text)), "")
