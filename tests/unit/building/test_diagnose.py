from __future__ import annotations

import pytest

from ftbuild.building.diagnose import likely_cause


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("/usr/bin/ld: final link failed: No space left on device", "disk is full"),
        ("gcc: fatal error: Killed signal terminated program cc1", "ran out of memory"),
        ("virtual memory exhausted: Cannot allocate memory", "ran out of memory"),
        ("configure: error: C compiler cannot create executables", "does not work on this host"),
        ("error: x: unsupported instrumentation profile format version", "another version than"),
        ("configure: error: Cannot perform PGO build because llvm-profdata", "llvm-profdata is"),
        ("FATAL: ThreadSanitizer: unexpected memory mapping 0x7f", "vm.mmap_rnd_bits=28"),
        ("== Tests result: FAILURE ==\n1 test failed:\n    test_generators", "--pgo-fallback"),
        ("/usr/bin/ld: a.o: plugin needed to handle lto object", "companion tools"),
        ("make: warning:  Clock skew detected.  Your build may be incomplete.", "clock"),
        ("/bin/sh: 1: ./_bootstrap_python: Permission denied", "noexec"),
        ("configure: error: unrecognized option: `--with-speed'", "--configure-arg"),
    ],
)
def test_what_is_well_known_is_recognised(line: str, advice: str) -> None:
    after = ["make: *** [Makefile:1: a.o] Error 1", "make: *** Waiting for unfinished jobs...."]
    assert advice in likely_cause(["gcc -c a.c", *line.splitlines(), *after])


@pytest.mark.parametrize(
    "line",
    ["a.c:3:1: error: expected ';'", "checking for tests... no", "warning: unused variable", ""],
)
def test_nothing_is_said_where_nothing_is_known(line: str) -> None:
    assert likely_cause([line]) == ""
