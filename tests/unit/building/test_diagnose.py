from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.building.diagnose import likely_cause, read_unimportable


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


LINK = "gcc -shared {} Modules/{}.o -lssl -o Modules/{}.cpython-314-x86_64-linux-gnu.so"
LOG = "\n".join(
    (
        LINK.format("-L/opt/brew/lib  -L/opt/more", "_ssl", "_ssl"),
        LINK.format("-L/opt/other", "_ssl_test", "_ssl_test"),
        LINK.format("", "_hashlib", "_hashlib"),
        "[ERROR] _ssl failed to import: libssl.so.33: cannot open shared object file: No such file",
        "[ERROR] _hashlib failed to import: libcrypto.so.33: cannot open shared object file: No",
        "The necessary bits to build these optional modules were not found:",
        "_dbm                  _gdbm",
        "",
        "Following modules built successfully but were removed because they could not be imported:",
        "_hashlib              _ssl                  _zstd",
        "nis                                                   ",
        "",
        "Could not build the ssl module!",
        "Python requires a OpenSSL 1.1.1 or newer",
        "",
        "Checked 112 modules (33 built-in, 74 shared, 0 n/a, 0 disabled, 2 missing, 4 failed)",
    )
)


def test_modules_that_cannot_be_imported() -> None:
    gone = "its file is missing or empty"
    absent = "cannot open shared object file: No"
    assert read_unimportable(LOG) == {
        "_hashlib": (f"libcrypto.so.33: {absent}", ()),
        "_ssl": (f"libssl.so.33: {absent} such file", ("/opt/brew/lib", "/opt/more")),
        "_zstd": (gone, ()),
        "nis": (gone, ()),
    }


def test_modules_that_are_missing_can_be_imported_elsewhere() -> None:
    assert read_unimportable(LOG.partition("Following")[0]) == {}
    assert read_unimportable("") == {}


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_around_it(before: str, after: str) -> None:
    found = read_unimportable(f"{before}\n{LOG}\n{after}")
    assert {"_hashlib", "_ssl", "_zstd", "nis"} <= found.keys()
