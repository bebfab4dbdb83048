from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from ftbuild.building.plan import Plan
from ftbuild.building.stages import Stage
from ftbuild.model.spec import Host, Make
from ftbuild.model.versions import Variant
from tests.builders import CLANG, HOST

from .plans import planned

STORED = Path("/root/profiles/x.tar.xz")
WITH_CLANG = msgspec.structs.replace(HOST, compiler=CLANG)
MAKE = shutil.which("make") or "make"
OLD_MAKE = Make(path="/usr/bin/make", version="3.81", fifo=False)


def stage(plan: Plan, name: str) -> Stage:
    return next(stage for stage in plan.stages if stage.name == name)


def setting(stage: Stage, variable: str) -> str | None:
    """What a stage sets a make variable to."""
    values = [w.partition("=")[2] for w in stage.argv if w.startswith(f"{variable}=")]
    return values[0] if values else None


def rules(stage: Stage) -> list[str]:
    return [stage.argv[i + 1] for i, word in enumerate(stage.argv) if word == "--eval"]


@pytest.mark.parametrize("name", ["compile", "install"])
@pytest.mark.parametrize("host", [HOST, WITH_CLANG])
@pytest.mark.parametrize("training", [None, STORED])
def test_install_makes_nothing_again_because_of_other_options(
    name: str, host: Host, training: Path | None
) -> None:
    made = planned("optimized", host=host, training=training)
    compiled, installed = stage(made, "compile"), stage(made, "install")
    for variable in ("CFLAGS_NODIST", "LDFLAGS_NODIST", "FREEZE_MODULE_DEPS"):
        assert setting(compiled, variable) == setting(installed, variable)
    assert rules(compiled) == rules(installed)


def test_the_training_build_is_cheap_and_counts() -> None:
    instrument = stage(planned("optimized", Variant.GIL), "instrument")
    assert setting(instrument, "CFLAGS_NODIST") == "-fno-lto -g0"
    assert setting(instrument, "LDFLAGS_NODIST") == "-fno-lto"
    assert "-fprofile-generate" in (setting(instrument, "PGO_PROF_GEN_FLAG") or "")


def test_what_the_training_build_froze_is_kept_and_not_made_again(tmp_path: Path) -> None:
    made = planned("optimized")
    assert setting(stage(made, "compile"), "FREEZE_MODULE_DEPS") == ""
    assert not any("_freeze_module" in rule for rule in rules(stage(made, "compile")))
    tree = tmp_path / "build"
    header = tree / "Python" / "frozen_modules" / "os.h"
    header.parent.mkdir(parents=True)
    header.write_text("frozen")
    (tree / "Makefile").write_text("profile-run-stamp:\n\trm Python/frozen_modules/*.h\n")
    shell = stage(made, "train").argv
    subprocess.run(shell, cwd=tree, check=True, capture_output=True)
    assert header.read_text() == "frozen"


def test_a_failed_training_fails_the_stage(tmp_path: Path) -> None:
    tree = tmp_path / "build"
    (tree / "Python" / "frozen_modules").mkdir(parents=True)
    (tree / "Makefile").write_text("profile-run-stamp:\n\tfalse\n")
    done = subprocess.run(
        stage(planned("optimized"), "train").argv, cwd=tree, check=False, capture_output=True
    )
    assert done.returncode != 0


@pytest.mark.parametrize("host", [HOST, WITH_CLANG])
def test_with_a_stored_profile_the_helper_is_linked_without_lto(host: Host) -> None:
    compiled = stage(planned("optimized", host=host, training=STORED), "compile")
    assert setting(compiled, "FREEZE_MODULE_DEPS") is None
    assert any(rule.startswith("Programs/_freeze_module: private") for rule in rules(compiled))
    assert "-fno-fat-lto-objects" not in (setting(compiled, "CFLAGS_NODIST") or "")


@pytest.mark.parametrize("host", [HOST, WITH_CLANG])
def test_with_what_was_frozen_then_it_is_the_last_stage_of_a_trained_build(host: Host) -> None:
    stored = planned("optimized", host=host, training=STORED, frozen=True)
    trained = planned("optimized", host=host)
    assert stage(stored, "compile") == stage(trained, "compile")


REACHES = """\
case "$MAKEFLAGS" in
*--jobserver-auth=fifo:*) place=${MAKEFLAGS##*--jobserver-auth=fifo:}; test -p "${place%% *}" ;;
*--jobserver-auth=[0-9]*) place=${MAKEFLAGS##*--jobserver-auth=}; test -e "/dev/fd/${place%%,*}" ;;
*) false ;;
esac && echo yes || echo no
"""
"""Tells whether what make runs reaches its job server: a named pipe from make 4.4 on."""


def test_the_lto_link_of_gcc_shares_the_jobs_of_make(tmp_path: Path) -> None:
    """Real make: its jobserver reaches the link of `python` in a make below it."""
    tree = tmp_path / "build"
    tree.mkdir()
    (tree / "reaches.sh").write_text(REACHES)
    show = "$(LINKCC) sh reaches.sh >$@; echo $(SYSLIBS) >$@.libs"
    (tree / "Makefile").write_text(
        "CC = env\nLINKCC = $(PURIFY) $(CC)\nSYSLIBS = -lm\n"
        "all:\n\t$(MAKE) python other\n"
        f"python:\n\t{show}\nother:\n\t{show}\n"
    )
    words = [w for rule in rules(stage(planned("optimized"), "compile")) for w in ("--eval", rule)]
    subprocess.run(
        [MAKE, "-j2", *words], cwd=tree, check=True, capture_output=True, stdin=subprocess.DEVNULL
    )
    assert (tree / "python").read_text() == "yes\n"
    assert (tree / "python.libs").read_text() == "-lm -flto=jobserver\n"
    assert (tree / "other.libs").read_text() == "-lm\n"


@pytest.mark.parametrize(
    ("gcc", "fifo", "workers"),
    [("12.2.0", False, "jobserver"), ("12.2.0", True, "3"), ("14.2.0", True, "jobserver")],
)
def test_an_old_gcc_does_without_the_job_server_of_a_new_make(
    gcc: str, fifo: bool, workers: str
) -> None:
    compiler = msgspec.structs.replace(HOST.compiler, version=gcc)
    make = Make(path="/usr/bin/make", version="4.4.1" if fifo else "4.3", fifo=fifo)
    host = msgspec.structs.replace(HOST, compiler=compiler, make=make)
    given = rules(stage(planned("optimized", host=host), "compile"))
    assert any(rule.endswith(f"SYSLIBS += -flto={workers}") for rule in given)


def test_clang_links_lto_objects_with_a_linker_that_reads_them_and_so_many_threads() -> None:
    compiled = stage(planned("optimized", host=WITH_CLANG), "compile")
    assert setting(compiled, "LDFLAGS_NODIST") == "--ld-path=/usr/lib/llvm-19/bin/ld.lld"
    assert any("--thinlto-jobs=3" in rule for rule in rules(compiled))


@pytest.mark.parametrize("profile", ["fast", "debug", "tsan", "asan"])
def test_no_link_option_without_lto(profile: str) -> None:
    compiled = stage(planned(profile, host=WITH_CLANG), "compile")
    assert setting(compiled, "LDFLAGS_NODIST") is None
    assert [rule.partition(":")[0] for rule in rules(compiled)] == ["Programs/_testembed"]


def test_an_old_make_is_not_asked_for_what_it_cannot() -> None:
    host = msgspec.structs.replace(HOST, make=OLD_MAKE)
    for made in (planned("optimized", host=host), planned("optimized", host=host, training=STORED)):
        assert not any("--eval" in stage.argv for stage in made.stages)


@pytest.mark.parametrize("argument", ["--enable-shared", "-enable-shared=yes"])
@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_a_shared_build_finds_its_library(system: str, argument: str) -> None:
    host = msgspec.structs.replace(HOST, system=system)
    made = planned("fast", host=host, configure_args=(argument,))
    wanted = f"-Wl,--enable-new-dtags,-rpath,{made.prefix}/lib"
    assert setting(stage(made, "compile"), "LDFLAGS_NODIST") == (
        wanted if system == "linux" else None
    )


def test_a_build_that_is_not_shared_after_all() -> None:
    made = planned("fast", configure_args=("--enable-shared", "--disable-shared"))
    assert setting(stage(made, "compile"), "LDFLAGS_NODIST") is None
