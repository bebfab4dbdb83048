from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import msgspec
import pytest

from ftbuild.building.plan import build_environment, render
from ftbuild.model.versions import BOTH, Variant
from tests.builders import CLANG, HOST

from .plans import CALLER, PROFILES, planned


@pytest.mark.parametrize(
    ("profile", "stages"),
    [
        ("fast", ["configure", "compile", "install"]),
        ("optimized", ["configure", "instrument", "train", "compile", "install"]),
    ],
)
def test_training_is_for_pgo(profile: str, stages: list[str]) -> None:
    made = planned(profile)
    assert [stage.name for stage in made.stages] == stages
    assert [stage.name for stage in made.settle] == ["pip", "details"]
    assert {stage.name for stage in made.stages if stage.parallel} == (
        set(stages) - {"configure", "train", "install"}
    )


def test_configure_gets_prefix_flags_compiler_and_last_what_the_user_adds() -> None:
    configure = planned(configure_args=("CC=mine", "--enable-shared")).stages[0]
    assert configure.argv == (
        "../../source/configure",
        "--prefix=/root/store/cpython-3.14.7t-12345678",
        "--disable-test-modules",
        "--disable-gil",
        "CC=/usr/bin/gcc",
        "CC=mine",
        "--enable-shared",
    )
    assert configure.cwd == Path("/root/work/1/x/build")


def test_clang_is_given_with_its_own_tools() -> None:
    made = planned("optimized", host=msgspec.structs.replace(HOST, compiler=CLANG))
    assert made.stages[0].argv[-2:] == (
        "CC=/usr/bin/clang-19",
        "LLVM_PROFDATA=/usr/lib/llvm-19/bin/llvm-profdata",
    )


def test_nothing_of_the_caller_reaches_the_build_that_could_change_it() -> None:
    environment = planned().environment
    assert environment["PATH"] == CALLER["PATH"]
    assert environment["LC_ALL"] == "C.UTF-8"
    assert environment["PKG_CONFIG_PATH"] == "/opt/lib/pkgconfig"
    assert set(CALLER) & set(environment) == {"PATH", "HOME"}
    assert build_environment({}, system="darwin")["LC_ALL"] == "en_US.UTF-8"


@pytest.mark.parametrize(
    ("variant", "name"),
    [(Variant.GIL, "suppressions.txt"), (Variant.FREE_THREADED, "suppressions_free_threading.txt")],
)
def test_a_sanitizer_runs_with_the_list_of_its_variant(variant: Variant, name: str) -> None:
    environment = planned("tsan", variant).environment
    assert environment["TSAN_OPTIONS"] == f"suppressions=/root/work/1/source/Tools/tsan/{name}"


@pytest.mark.parametrize("argument", ["--without-ensurepip", "--with-ensurepip=no"])
def test_no_pip_where_none_is_asked_for(argument: str) -> None:
    made = planned("fast", configure_args=(argument,))
    assert [stage.name for stage in made.settle] == ["details"]
    assert render(made, jobs=2).count("\nmv ") == 1


def test_it_is_installed_into_a_stage_and_pip_added_in_place() -> None:
    made = planned("debug")
    install = made.stages[-1]
    assert "DESTDIR=/root/work/1/x/stage" in install.argv
    assert "COMPILEALL_OPTS=-j3" in install.argv
    assert made.staged_prefix == Path("/root/work/1/x/stage/root/store/cpython-3.14.7t-12345678")
    for stage in made.settle:
        assert stage.argv[0] == f"{made.prefix}/bin/python3.14td"
        assert stage.cwd == made.prefix


def test_a_stored_profile_is_unpacked_by_hand_too() -> None:
    made = planned("optimized", training=Path("/root/profiles/a b.tar.xz"))
    assert [stage.name for stage in made.stages] == ["configure", "compile", "install"]
    assert "tar -xJf '/root/profiles/a b.tar.xz' -C /root/work/1/x/build" in render(made, jobs=2)
    assert "frozen" not in render(made, jobs=2)
    both = planned("optimized", training=Path("/root/profiles/a b.tar.xz"), frozen=True)
    assert "tar -xJf '/root/profiles/a b.frozen.tar.xz'" in render(both, jobs=2)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("variant", BOTH)
def test_a_plan_is_a_script_that_a_shell_reads(profile: str, variant: Variant) -> None:
    made = planned(profile, variant, configure_args=("CFLAGS=-O1 -g'", "LIBS=$(x)"))
    script = render(made, jobs=3)
    subprocess.run(["/bin/sh", "-n"], input=script, text=True, check=True)
    commands = [shlex.split(part)[2:] for part in re.split(r"^cd ", script, flags=re.MULTILINE)[1:]]
    for stage, words in zip((*made.stages, *made.settle), commands, strict=True):
        jobs = ("-j3",) if stage.parallel else ()
        assert tuple(words[: len(stage.argv) + len(jobs)]) == (
            stage.argv[0],
            *jobs,
            *stage.argv[1:],
        )
    assert "CC=tcc" not in script
    assert "export PATH" not in script
