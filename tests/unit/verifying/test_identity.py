from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ftbuild.model.manifest import Installation
from ftbuild.model.versions import Variant
from ftbuild.verifying.identity import identity

from .builds import build, changed, context, failing, named, with_python

REFUSAL = "Fatal Python error: config_read_gil: Disabling the GIL is not supported by this build"


def says(installation: Installation, **lies: object) -> Installation:
    """Give it an interpreter that says of itself what its manifest does, but for the lies."""
    t = installation.spec.abiflags
    facts = {
        "version": "3.14.7",
        "gil": not t,
        "gil_disabled": bool(t),
        "abiflags": t,
        "soabi": f"cpython-314{t}-x86_64-linux-gnu",
        "ext_suffix": f".cpython-314{t}-x86_64-linux-gnu.so",
        "debug": False,
        "prefix": str(installation.prefix),
        "base_prefix": str(installation.prefix),
        "platform": "linux-x86_64",
    } | lies
    refused = f"echo '{REFUSAL}' >&2; exit 1"
    script = f"""
        case "$*" in
          *identity.py*) echo '{json.dumps(facts)}' ;;
          *sanitizers.py*) exec {sys.executable} "$@" ;;
          *gil=1*) echo True ;;
          *) case "$PYTHON_GIL" in 1) echo True ;; 0) {"echo False" if t else refused} ;; esac ;;
        esac"""
    return with_python(installation, script)


@pytest.mark.parametrize("variant", Variant)
def test_an_honest_interpreter_passes(tmp_path: Path, variant: Variant) -> None:
    assert not failing(identity(says(build(tmp_path, variant)), context(tmp_path)))


@pytest.mark.parametrize(
    ("field", "lie", "check"),
    [
        ("version", "3.14.6", "identity.version"),
        ("gil", True, "identity.gil"),
        ("gil_disabled", False, "identity.Py_GIL_DISABLED"),
        ("abiflags", "", "identity.abiflags"),
        ("soabi", "cpython-314-x86_64-linux-gnu", "identity.soabi"),
        ("ext_suffix", ".so", "identity.ext-suffix"),
        ("debug", True, "identity.debug"),
        ("prefix", "/usr", "identity.prefix"),
        ("platform", "linux-aarch64", "identity.platform"),
    ],
)
def test_a_lie_is_found(tmp_path: Path, field: str, lie: object, check: str) -> None:
    python = says(build(tmp_path), **{field: lie})
    assert check in failing(identity(python, context(tmp_path)))


def test_macos_names_its_platform_differently(tmp_path: Path) -> None:
    mac = changed(build(tmp_path), "used", system="darwin", machine="arm64")
    python = says(mac, platform="macosx-15.0-arm64")
    assert not failing(identity(python, context(tmp_path)))


def test_switches_that_do_nothing_are_found(tmp_path: Path) -> None:
    python = says(build(tmp_path))
    script = python.python.read_text().replace("echo True", "echo False")
    python.python.write_text(script)
    checks = identity(python, context(tmp_path))
    assert failing(checks) == {"identity.PYTHON_GIL=1", "identity.-Xgil=1"}
    assert named(checks)["identity.-Xgil=1"].found == "off"


def test_a_sanitizer_is_seen_in_the_executable(tmp_path: Path) -> None:
    asked = says(build(tmp_path, sanitizer="thread"))
    assert failing(identity(asked, context(tmp_path))) == {"identity.sanitizer"}
    with asked.python.open("a") as script:
        script.write("# __tsan_init\n")
    assert not failing(identity(asked, context(tmp_path)))


def test_a_crashing_interpreter_fails_one_check(tmp_path: Path) -> None:
    checks = identity(with_python(build(tmp_path), "kill -ABRT $$"), context(tmp_path))
    assert failing(checks) == {"identity.starts"}
    assert named(checks)["identity.starts"].found == "signal SIGABRT"


def test_optimisation_is_proved_by_the_commands(tmp_path: Path) -> None:
    asked = changed(says(build(tmp_path)), "spec", pgo=True, lto=True)
    assert failing(identity(asked, context(tmp_path))) == {
        "identity.pgo",
        "identity.pgo-compile",
        "identity.pgo-profile",
        "identity.lto",
        "identity.lto-link",
    }
    result = changed(asked, "result", pgo=True, lto=True, training_profile="7" * 64)
    done = changed(
        result,
        "used",
        compile_command="gcc -c -fprofile-use -fprofile-correction a.c",
        link_command="gcc -flto=2 -o python a.o",
    )
    assert not failing(identity(done, context(tmp_path)))
    unasked = changed(done, "spec", pgo=False, lto=False)
    assert "identity.pgo-compile" in failing(identity(unasked, context(tmp_path)))
