from __future__ import annotations

from pathlib import Path

import msgspec

from ftbuild.model.report import Status
from ftbuild.model.versions import Variant
from ftbuild.verifying.headers import headers

from .builds import GCC, build, context, failing, inside, named, with_python

TOOLCHAIN = '{"compile": ["-O2"], "link": ["-shared"], "suffix": ".so"}'


def test_without_a_compiler_they_are_skipped(tmp_path: Path) -> None:
    gone = msgspec.structs.replace(GCC, path="/nowhere/gcc")
    for compiler, reason in ((None, "no C compiler"), (gone, "no C compiler at /nowhere/gcc")):
        checks = headers(build(tmp_path), context(tmp_path, compiler=compiler))
        assert {check.status for check in checks} == {Status.SKIPPED}
        assert {check.reason for check in checks} == {reason}


def test_a_failing_compiler_is_quoted(tmp_path: Path) -> None:
    cc = tmp_path / "cc"
    cc.write_text("#!/bin/sh\necho 'fatal error: Python.h: No such file' >&2; exit 1\n")
    cc.chmod(0o755)
    ours = context(tmp_path, compiler=msgspec.structs.replace(GCC, path=str(cc)))
    checks = headers(with_python(build(tmp_path), f"echo '{TOOLCHAIN}'"), ours)
    assert failing(checks) == {"headers.declared", "headers.undeclared"}
    assert "Python.h" in named(checks)["headers.declared"].found


def test_an_undeclared_module_must_switch_the_gil_on(tmp_path: Path) -> None:
    ours = context(tmp_path, compiler=msgspec.structs.replace(GCC, path="/bin/true"))
    quiet = '{"answer": 42, "gil": false, "warned": false}'
    script = f"""case "$3" in *load.py) echo '{quiet}' ;; *) echo '{TOOLCHAIN}' ;; esac"""
    assert failing(headers(with_python(build(tmp_path), script), ours)) == {"headers.undeclared"}
    gil = build(tmp_path / "gil", Variant.GIL)
    both = failing(headers(with_python(gil, script), ours))
    assert both == {"headers.declared", "headers.undeclared"}


def test_a_module_that_does_not_load(tmp_path: Path) -> None:
    ours = context(tmp_path, compiler=msgspec.structs.replace(GCC, path="/bin/true"))
    script = f"""case "$3" in *load.py) kill -SEGV $$ ;; *) echo '{TOOLCHAIN}' ;; esac"""
    checks = named(headers(with_python(build(tmp_path), script), ours))
    assert checks["headers.declared"].found == "does not load: signal SIGSEGV"


def test_in_a_container_its_own_compiler_is_used(tmp_path: Path) -> None:
    # A compiler of this host's says nothing about the image.
    ours = context(tmp_path, compiler=msgspec.structs.replace(GCC, path="/bin/false"))
    there = msgspec.structs.replace(ours, inside=inside(tmp_path))
    none = with_python(build(tmp_path), f"echo '{TOOLCHAIN}'")
    checks = headers(none, there)
    assert {check.reason for check in checks} == {"the image has no compiler"}
    answer = '{"answer": 42, "gil": false, "warned": false}'
    has = TOOLCHAIN.replace("}", ', "compiler": "/bin/true"}')
    script = f"""case "$3" in *load.py) echo '{answer}' ;; *) echo '{has}' ;; esac"""
    assert failing(headers(with_python(build(tmp_path), script), there)) == {"headers.undeclared"}
