from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from ftbuild.catalogue import load
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.model.recipes import Catalogue, LibraryRecipe, PackageManager
from ftbuild.toolchain.compilers import find_compiler
from ftbuild.toolchain.diagnosis import Diagnosis, Finding, Grade, install
from ftbuild.toolchain.doctor import examine
from ftbuild.toolchain.packages import distribution
from tests.prefixes import Prefix

Program = Callable[[str, str], Path]
Add = Callable[..., Path]

OS_RELEASE = Path("/etc/os-release")
pytestmark = pytest.mark.skipif(not OS_RELEASE.is_file(), reason="no /etc/os-release here")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The recipes, with a package manager of this very distribution that needs no root."""
    own = load()
    manager = PackageManager(
        distributions=distribution(OS_RELEASE.read_text())[:1],
        install=("demo-get", "install"),
        refresh=("demo-get", "refresh"),
        root=False,
        build=("gcc", "make", "pkg-config"),
        clang=("clang", "llvm", "lld"),
        versioned={"clang": ("clang-{major}", "llvm-{major}")},
    )
    libraries = {
        name: msgspec.structs.replace(recipe, packages={"demo": f"{name}-dev"})
        for name, recipe in own.libraries.items()
        if name in {"zlib", "zstd", "mpdecimal"}
    }
    return msgspec.structs.replace(own, managers={"demo": manager}, libraries=libraries)


def by_name(diagnosis: Diagnosis) -> dict[str, Finding]:
    return {finding.what: finding for finding in diagnosis.findings}


def test_bare_host_gets_one_command_for_everything(
    program: Program, env: dict[str, str], catalogue: Catalogue
) -> None:
    program("demo-get", "")
    diagnosis = examine(catalogue, env=env)
    assert not diagnosis.ok
    assert {f.what for f in diagnosis.faults} == {"C compiler", "make", "zlib"}
    assert diagnosis.command == (
        "demo-get refresh && demo-get install gcc make pkg-config zlib-dev zstd-dev"
    )
    found = by_name(diagnosis)
    assert found["pkg-config"].status is Grade.OPTIONAL
    assert found["zstd"].status is Grade.OPTIONAL
    assert found["zstd"].gives == ("compression.zstd",)
    assert "mpdecimal" not in found, "CPython has its own copy"


def test_host_without_a_known_package_manager(env: dict[str, str], catalogue: Catalogue) -> None:
    diagnosis = examine(catalogue, env=env)
    assert (diagnosis.manager, diagnosis.commands) == (None, ())
    with pytest.raises(EnvironmentFault, match="no package manager") as caught:
        install(diagnosis, env=env, on_line=print)
    assert "C compiler, make, zlib" in caught.value.hint


def test_profdata_of_another_release_is_wrong(
    program: Program, clang: Add, env: dict[str, str], catalogue: Catalogue
) -> None:
    program("demo-get", "")
    clang("clang-19")
    program("llvm-profdata", "echo LLVM version 14.0.6")
    diagnosis = examine(catalogue, want="clang-19", env=env)
    found = by_name(diagnosis)
    assert found["llvm-profdata"].status is Grade.WRONG
    assert found["llvm-profdata"].found.startswith("14.0.6 ")
    assert "19.1.7" in found["llvm-profdata"].note
    assert found["llvm-ar"].status is Grade.MISSING
    assert diagnosis.commands[-1][2:4] == ("clang-19", "llvm-19")


def test_compiler_that_cannot_compile(
    program: Program, gcc: Add, env: dict[str, str], catalogue: Catalogue
) -> None:
    gcc()
    program("gcc-ar", "")
    program("make", "echo GNU Make 4.3")
    found = by_name(examine(catalogue, env=env))
    assert found["gcc"].status is Grade.OK
    assert found["trial program"].status is Grade.WRONG
    assert found["make"].found.startswith("4.3 ")


def test_other_compilers_are_listed(
    gcc: Add, clang: Add, env: dict[str, str], catalogue: Catalogue
) -> None:
    gcc()
    clang()
    findings = examine(catalogue, want="clang", env=env).findings
    compilers = [f.what for f in findings if f.what in {"gcc", "clang"}]
    assert compilers == ["clang", "gcc"]


def test_library_that_is_too_old(
    program: Program, env: dict[str, str], catalogue: Catalogue
) -> None:
    program(
        "pkg-config",
        """\
        case "$1" in
        --version) echo 1.8.1;;
        --list-all) echo "libzstd   zstd - compression";;
        *) echo "libzstd = 1.4.4";;
        esac
        """,
    )
    zstd = by_name(examine(catalogue, env=env))["zstd"]
    assert (zstd.status, zstd.found, zstd.packages) == (Grade.OPTIONAL, "1.4.4", ())
    assert "1.4.5 or later" in zstd.note


@pytest.fixture
def demo(tmp_path: Path, catalogue: Catalogue) -> tuple[Prefix, Catalogue]:
    """A library in a prefix, recipes that have it, and a manager with `demo-dev` installed."""
    prefix = Prefix(tmp_path / "brew", find_compiler("auto", env=os.environ))
    recipe = LibraryRecipe(
        modules=("_demo",),
        imports=("demo",),
        header="ftdemo.h",
        pkg_config="ftdemo",
        symbol="ftdemo_open",
        packages={"demo": "demo-dev"},
    )
    manager = msgspec.structs.replace(
        catalogue.managers["demo"], installed=("demo-query", "--show")
    )
    query = prefix.bin / "demo-query"
    query.write_text('#!/bin/sh\ntest "$1 $2" = "--show demo-dev" && echo installed')
    (prefix.bin / "demo-get").write_text("#!/bin/sh\n")
    for program in prefix.bin.iterdir():
        program.chmod(0o755)
    return prefix, msgspec.structs.replace(
        catalogue, libraries={"demo": recipe}, managers={"demo": manager}
    )


def test_it_says_which_file_a_library_is(demo: tuple[Prefix, Catalogue]) -> None:
    prefix, catalogue = demo
    file = prefix.share()
    found = examine(catalogue, env=prefix.tell(f"-L{prefix.lib} -lftdemo -Wl,-rpath,{prefix.lib}"))
    assert found.ok
    assert by_name(found)["demo"].found == f"1.2.3 {file}"


def test_a_library_that_links_and_does_not_load_is_wrong(demo: tuple[Prefix, Catalogue]) -> None:
    prefix, catalogue = demo
    prefix.share()
    found = examine(catalogue, env=prefix.tell())
    finding = by_name(found)["demo"]
    assert (finding.status, finding.packages) == (Grade.WRONG, ())
    assert f"libftdemo.so.7 is in {prefix.lib}, where the loader does not look" in finding.note
    assert not found.ok
    assert found.commands == ()


def test_a_library_that_does_not_link_is_not_there(demo: tuple[Prefix, Catalogue]) -> None:
    prefix, catalogue = demo
    finding = by_name(examine(catalogue, env=prefix.tell()))["demo"]
    assert finding.status is Grade.OPTIONAL
    assert "cannot be linked with: " in finding.note
    assert "demo-dev is installed" in finding.note


def test_a_package_that_is_installed_is_not_recommended(demo: tuple[Prefix, Catalogue]) -> None:
    prefix, catalogue = demo
    env = prefix.tell(name="another")
    found = examine(catalogue, env=env)
    finding = by_name(found)["demo"]
    assert (finding.status, finding.packages, found.commands) == (Grade.OPTIONAL, (), ())
    assert finding.note.startswith("demo-dev is installed, ")
    (prefix.bin / "demo-query").unlink()
    assert by_name(examine(catalogue, env=env))["demo"].packages == ("demo-dev",)


def test_then_pkg_config_is_another_prefixs(demo: tuple[Prefix, Catalogue], tmp_path: Path) -> None:
    prefix, catalogue = demo
    env = prefix.tell(name="another")
    other = tmp_path / "usr" / "bin"
    other.mkdir(parents=True)
    (other / "pkg-config").write_bytes((prefix.bin / "pkg-config").read_bytes())
    (other / "pkg-config").chmod(0o755)
    env["PATH"] = env["PATH"].replace(f"{prefix.bin}:", f"{prefix.bin}:{other}:")
    note = by_name(examine(catalogue, env=env))["demo"].note
    assert f"{prefix.bin}/pkg-config is another prefix's" in note
    assert note.endswith(f'export PATH={other}:"$PATH"')


def test_nonsense_is_a_usage_error(env: dict[str, str], catalogue: Catalogue) -> None:
    with pytest.raises(UsageError):
        examine(catalogue, want="tcc", env=env)


def test_this_host_can_build() -> None:
    diagnosis = examine(load(), env=dict(os.environ))
    assert diagnosis.ok, diagnosis.faults
    assert by_name(diagnosis)["trial program"].found == "compiles and runs"
    assert msgspec.json.decode(msgspec.json.encode(diagnosis), type=Diagnosis) == diagnosis


def diagnosis(*commands: tuple[str, ...]) -> Diagnosis:
    return Diagnosis(system="linux", manager="demo", findings=(), commands=commands)


def test_install_runs_the_commands_in_order(program: Program, env: dict[str, str]) -> None:
    program("demo-get", 'echo "$1 $2 $DEBIAN_FRONTEND"')
    lines: list[str] = []
    what = diagnosis(("demo-get", "refresh"), ("demo-get", "install", "gcc"))
    install(what, env={**env, "PATH": f"{env['PATH']}:/bin"}, on_line=lines.append)
    assert lines == ["refresh  noninteractive", "install gcc noninteractive"]


def test_install_tells_what_root_has_to_run(env: dict[str, str]) -> None:
    what = Diagnosis(
        system="linux", manager="demo", findings=(), commands=(("demo-get", "gcc"),), by_root=True
    )
    with pytest.raises(EnvironmentFault, match="there is no sudo") as caught:
        install(what, env=env, on_line=print)
    assert caught.value.hint.endswith("as root: demo-get gcc")


def test_install_stops_at_the_first_failure(program: Program, env: dict[str, str]) -> None:
    program("demo-get", "echo could not get the lock; exit 100")
    lines: list[str] = []
    what = diagnosis(("demo-get", "refresh"), ("demo-get", "install", "gcc"))
    with pytest.raises(
        EnvironmentFault, match="demo-get refresh failed: exit status 100"
    ) as caught:
        install(what, env=env, on_line=lines.append)
    assert caught.value.tail == ("could not get the lock",)
    assert "demo-get install gcc" in caught.value.hint
    assert len(lines) == 1
