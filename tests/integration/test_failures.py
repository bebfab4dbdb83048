"""Builds that fail: what is said, what is left, and what becomes of the other builds of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbuild.toolchain.compilers import find_compiler
from tests.integration.driver import Ftbuild, intact
from tests.prefixes import Prefix

BUILD = ("build", "3.97t")
PAIR = ("build", "3.97")
OPTIMIZED = ("build", "3.97t", "--profile", "optimized")

OUT_OF_MEMORY = 'if [ "$2" ]; then echo "cc1: out of memory allocating 65536 bytes"; exit 1; fi'


def test_the_message(ftbuild: Ftbuild) -> None:
    ftbuild.hook("compile", OUT_OF_MEMORY)
    done = ftbuild(*PAIR, code=3)
    assert "cpython-3.97.2t: compile failed (exit status 2)" in done.err
    assert "  | cc1: out of memory allocating 65536 bytes" in done.err
    assert "fewer jobs (--jobs 1)" in done.err
    (log,) = [line.split()[-1] for line in done.err.splitlines() if "The whole log: " in line]
    assert "out of memory" in Path(log).read_text()
    assert "Next:" in done.out, "the other build was made"
    assert ftbuild.names == ["cpython-3.97.2"]
    assert ftbuild.litter == []


def test_in_json(ftbuild: Ftbuild) -> None:
    ftbuild.hook("compile", OUT_OF_MEMORY)
    gil, free_threaded = ftbuild(*PAIR, "--json", code=3).json["builds"]
    assert (gil["status"], free_threaded["status"]) == ("installed", "failed")
    assert "--jobs 1" in free_threaded["error"]["hint"]


@pytest.mark.parametrize("failing", ["", "t"])
def test_fail_fast(ftbuild: Ftbuild, failing: str) -> None:
    ftbuild.hook(
        "compile",
        f'if [ "$2" != "{failing}" ]; then sleep 300; fi\n'
        'until [ "$(grep -c compile "$hooks/trace")" = 2 ]; do sleep 0.05; done; exit 1',
    )
    done = ftbuild(*PAIR, "--fail-fast", "--json", code=3)
    status = {build["name"]: build["status"] for build in done.json["builds"]}
    other = "" if failing else "t"
    assert status == {f"cpython-3.97.2{failing}": "failed", f"cpython-3.97.2{other}": "stopped"}
    assert ftbuild.processes == []
    assert ftbuild.prefixes == []


def test_a_training_that_fails(ftbuild: Ftbuild) -> None:
    ftbuild.hook("train", "echo test_generators failed; exit 1")
    done = ftbuild(*OPTIMIZED, code=3)
    assert "train failed" in done.err
    assert "--pgo-fallback" in done.err
    assert ftbuild.names == []


def test_pgo_fallback_is_never_taken_for_an_optimized_build(ftbuild: Ftbuild) -> None:
    ftbuild.hook("train", "echo test_generators failed; exit 1")
    done = ftbuild(*OPTIMIZED, "--pgo-fallback")
    assert "without PGO" in done.err
    assert "optimized without PGO" in ftbuild("list").out
    (fallback,) = ftbuild.installed
    assert not fallback.manifest.result.pgo
    assert fallback.manifest.result.training_profile is None
    ftbuild.unhook()
    ftbuild(*OPTIMIZED)
    assert "train t" in ftbuild.trace
    linked = [build for build in ftbuild("list", "--json").json["builds"] if build["linked"]]
    assert [build["pgo"] for build in linked] == [True]
    assert linked[0]["digest"] != fallback.manifest.digest


def test_a_build_that_fails_its_checks(ftbuild: Ftbuild) -> None:
    ftbuild.hook("verify", '[ -z "$2" ] || exit 1')
    done = ftbuild(*PAIR, code=1)
    assert "identity.starts" in done.err
    assert ftbuild.names == ["cpython-3.97.2"]
    assert [path.suffix for path in ftbuild.prefixes if "2t" in path.name] == [".failed"]
    assert str(ftbuild.prefixes[-1]) in done.err, "the prefix is kept for a look"
    assert not (ftbuild.root / "bin/python3.97t").exists()
    ftbuild.unhook()
    ftbuild(*PAIR)
    ftbuild("gc")
    assert [path.suffix in {".failed", ".aside"} for path in ftbuild.prefixes] == [False, False]


@pytest.mark.parametrize(
    ("stage", "code"), [("compile", 3), ("pip", 3), ("details", 3), ("verify", 1)]
)
def test_a_replacement_that_fails_leaves_the_old_build(
    ftbuild: Ftbuild, stage: str, code: int
) -> None:
    ftbuild(*BUILD)
    before = ftbuild.installed
    ftbuild.hook(stage, "exit 1")
    ftbuild(*BUILD, "--force", code=code)
    assert ftbuild.installed == before
    assert intact(ftbuild.root / "bin/python3.97t")


def test_a_replacement(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    prefix = ftbuild.prefixes[0]
    (prefix / "lib/python3.97t/mine.py").touch()
    ftbuild(*BUILD, "--force")
    assert ftbuild.prefixes == [prefix]
    assert not (prefix / "lib/python3.97t/mine.py").exists()
    assert intact(ftbuild.root / "bin/python3.97t")


def test_a_damaged_file_is_found_and_mended(ftbuild: Ftbuild) -> None:
    ftbuild(*BUILD)
    (ftbuild.prefixes[0] / "lib/python3.97t/os.py").write_text("")
    done = ftbuild("verify", "--files", code=1)
    assert "lib/python3.97t/os.py" in done.out
    ftbuild(*BUILD, "--force")
    ftbuild("verify", "--files")


def test_a_foreign_directory_at_the_prefix(ftbuild: Ftbuild) -> None:
    script = ftbuild(*BUILD, "--dry-run").out
    prefix = Path(script.partition("--prefix=")[2].split()[0])
    (prefix / "precious").mkdir(parents=True)
    done = ftbuild(*BUILD, code=3)
    assert f"{prefix} exists and was not made by ftbuild" in done.err
    assert (prefix / "precious").exists()
    assert ftbuild.names == []
    assert "compile t" not in ftbuild.trace, "said before it compiles"


@pytest.mark.parametrize("name", ["bin/python3.97t", "cpython-3.97.2t"])
def test_a_foreign_file_in_the_place_of_a_name(ftbuild: Ftbuild, name: str) -> None:
    foreign = ftbuild.root / name
    foreign.parent.mkdir(parents=True)
    foreign.write_text("precious")
    done = ftbuild(*BUILD, code=3)
    assert f"{foreign} exists and was not made by ftbuild" in done.err
    assert foreign.read_text() == "precious"
    foreign.unlink()
    ftbuild(*BUILD)
    assert intact(ftbuild.root / "bin/python3.97t")
    assert ftbuild.trace.count("compile t") == 1


UNIMPORTABLE = """\
echo "[ERROR] _ssl failed to import: libssl.so.33: cannot open shared object file: No such file"
echo "Following modules built successfully but were removed because they could not be imported:"
echo "_ssl         "; echo
"""


@pytest.mark.parametrize(("words", "stage"), [(BUILD, "compile"), (OPTIMIZED, "instrument")])
def test_a_module_that_cannot_be_imported(
    ftbuild: Ftbuild, words: tuple[str, ...], stage: str
) -> None:
    ftbuild.hook(stage, UNIMPORTABLE)
    done = ftbuild(*words, code=3)
    assert f": {stage} made modules that cannot be imported" in done.err
    assert "_ssl: there is no libssl.so.33 where it is looked for" in done.err
    assert ftbuild.trace[-1] == f"{stage} t"
    assert ftbuild.litter == []


def test_a_library_that_links_and_does_not_load(ftbuild: Ftbuild) -> None:
    prefix = Prefix(ftbuild.folder / "brew", find_compiler("auto", env=ftbuild.env), "z")
    prefix.source = "int zlibVersion(void) { return 1; }"
    prefix.share()
    ftbuild.env["PATH"] = prefix.tell(name="zlib")["PATH"]
    said = f"zlib: libz.so.7 is in {prefix.lib}, where the loader does not look"
    way = f"--configure-arg LDFLAGS=-Wl,-rpath,{prefix.lib}"
    done = ftbuild("build", "3.97", code=3)
    assert said in done.err
    assert way in done.err
    assert ftbuild.trace == []
    assert way in ftbuild("doctor", code=1).out
    # Arguments may be the very way out.
    ftbuild("build", "3.97", *way.split())
