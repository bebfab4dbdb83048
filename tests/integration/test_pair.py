"""A pair, from nothing to linked, and what can be asked about it then."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.driver import IGNORING, NEW, OLD, Ftbuild, intact


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Ftbuild:
    """A user who has built both builds of the newest release; not to be changed."""
    user = Ftbuild(tmp_path_factory.mktemp("pair"))
    user.release(OLD, NEW)
    done = user("build", "3.97", "--profile", "optimized")
    assert f"{NEW}+optimized: a matched pair" in done.out
    assert "ftbuild run 3.97.2t+optimized -- " in done.out
    return user


def test_every_stage_ran_once_for_each_build(pair: Ftbuild) -> None:
    stages = ("configure", "instrument", "train", "compile", "install", "pip", "details")
    expected = sorted(f"{stage}{abi}" for stage in stages for abi in ("", " t"))
    assert sorted(line for line in pair.trace if "verify" not in line) == expected


def test_they_are_listed_and_linked(pair: Ftbuild) -> None:
    assert pair.names == ["cpython-3.97.2+optimized", "cpython-3.97.2t+optimized"]
    builds = pair("list", "--json").json["builds"]
    assert [(build["name"], build["linked"]) for build in builds] == [(n, True) for n in pair.names]
    assert pair.names[0] in pair("list").out
    assert {path.name for path in (pair.root / "bin").iterdir()} == {
        "python3.97",
        "python3.97-optimized",
        "python3.97t",
        "python3.97t-optimized",
    }
    for name in ("", "t"):
        launcher = pair.root / "bin" / f"python3.97{name}"
        prefix = pair.prefixes[bool(name)]
        assert launcher.readlink() == Path(f"../store/{prefix.name}/bin/python3.97{name}")
        assert intact(launcher)
        friendly = pair.root / f"cpython-3.97.2{name}+optimized"
        assert friendly.resolve() == pair.prefixes[bool(name)]


def test_nothing_else_is_left(pair: Ftbuild) -> None:
    assert len(pair.prefixes) == 2
    assert pair.litter == []
    assert pair.processes == []


def test_the_manifest_tells_how_it_was_made(pair: Ftbuild) -> None:
    (build,) = pair("show", "3.97t", "--json").json["builds"]
    manifest = build["manifest"]
    used, result, spec = manifest["used"], manifest["result"], manifest["spec"]
    assert build["prefix"].endswith(manifest["digest"][:8])
    assert spec["source_sha256"] == pair.pins[NEW]
    assert spec["flags"][:2] == ["--enable-optimizations", "--with-lto"]
    assert spec["flags"][-1] == "--disable-gil"
    assert used["origin"] == str(pair.mirror / f"Python-{NEW}.tar.xz")
    names = [stage["name"] for stage in used["stages"]]
    assert names == ["configure", "instrument", "train", "compile", "install", "pip", "details"]
    assert {stage["name"]: stage["units"] for stage in used["stages"]}["compile"] == 3
    assert re.search(r" -fprofile-(instr-)?use\b", used["compile_command"])
    assert "-flto" in used["link_command"]
    assert result["pgo"]
    assert result["lto"]
    assert len(result["training_profile"]) == 64
    recorded = (Path(build["prefix"]) / "ftbuild.json").read_text()
    assert str(pair.root / "work") not in recorded, "scratch directories are nobody's business"


def test_show_is_for_people_too(pair: Ftbuild) -> None:
    shown = pair("show").out
    assert f"SHA-256 {pair.pins[NEW]}" in shown
    assert "cpython-3.97.2t+optimized" in shown


def test_which(pair: Ftbuild) -> None:
    gil, free_threaded = (pair("which", word).out.strip() for word in ("3.97", "3.97t"))
    assert gil == str(pair.prefixes[0] / "bin/python3.97")
    assert free_threaded == str(pair.prefixes[1] / "bin/python3.97t")


def test_run_hands_over_every_word_as_it_is(pair: Ftbuild) -> None:
    done = pair("run", "3.97t", "--", "-X", "a  b", "--json", "'", "*")
    assert done.out.splitlines() == ["Python 3.97.2t", "<-X>", "<a  b>", "<--json>", "<'>", "<*>"]


def test_verify_again(pair: Ftbuild) -> None:
    reports = pair("verify", "--json").json["reports"]
    assert [report["kind"] for report in reports] == ["verify", "verify", "pair"]
    assert all(report["ok"] for report in reports)


def test_verify_files(pair: Ftbuild) -> None:
    (report,) = pair("verify", "3.97t", "--files", "--json").json["reports"]
    assert report["ok"]
    assert {check["name"] for check in report["checks"]} >= {"files.changed", "files.missing"}


@pytest.mark.parametrize(
    "words",
    [
        ("build", "3.97+optimized"),
        ("catalogue",),
        ("doctor",),
        ("fetch", "3.97"),
        ("gc", "--dry-run"),
        ("list",),
        ("show",),
        ("upgrade",),
        ("verify", "--files"),
    ],
    ids=lambda words: words[0],
)
def test_json(pair: Ftbuild, words: tuple[str, ...]) -> None:
    assert pair(*words, "--json").json["format"] == 1


def test_the_catalogue_says_what_is_there(pair: Ftbuild) -> None:
    release = pair("catalogue", "--json").json["releases"][NEW]
    assert release["cached"]
    assert release["installed"] == ["cpython-3.97.2+optimized", "cpython-3.97.2t+optimized"]
    assert release["origins"][0] == str(pair.mirror / f"Python-{NEW}.tar.xz")


def test_nothing_to_do(ftbuild: Ftbuild) -> None:
    ftbuild("build", "3.97t")
    before = ftbuild.trace
    for path in (*ftbuild.mirror.iterdir(), *(ftbuild.root / "sources").iterdir()):
        path.unlink()
    done = ftbuild("build", "3.97t")
    assert "there already" in done.out
    assert ftbuild.trace == before


def test_quiet_and_verbose(ftbuild: Ftbuild) -> None:
    assert ftbuild("build", "3.97t", "--quiet").err == ""
    told = ftbuild("build", "3.97t", "--force", "--verbose").err
    assert re.search(r"-c -O1 .*-o Objects/listobject\.o", told)


def test_a_rehearsal_writes_nothing(ftbuild: Ftbuild) -> None:
    script = ftbuild("build", "3.97+optimized", "--dry-run").out
    assert f"--prefix={ftbuild.root}/store/cpython-3.97.2t+optimized-" in script
    assert "profile-run-stamp" in script
    assert ftbuild.trace == []
    assert not ftbuild.root.exists()


def test_sigint_is_at_its_default_in_every_stage(ftbuild: Ftbuild) -> None:
    """CPython's training fails where SIGINT is ignored, as in the background of a script."""
    for stage in ("configure", "train", "verify"):
        ftbuild.hook(stage, 'grep SigIgn: /proc/$$/status >> "$hooks/ignored"')
    run = ftbuild.start("build", "3.97t+optimized", script=IGNORING)
    assert run.done().code == 0
    masks = (ftbuild.hooks / "ignored").read_text().split()[1::2]
    assert len(masks) >= 3
    assert not any(int(mask, 16) & 0b10 for mask in masks)
