from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbuild import render
from ftbuild.auditing.findings import Status
from ftbuild.auditing.reports.report import reporting
from ftbuild.errors import BuildFailed, EnvironmentFault, Refused
from ftbuild.fetch import Fetched, Origin
from ftbuild.fetch.signing import Signature, Unsigned
from ftbuild.images.making.dockerfiles import Written
from ftbuild.images.verifying.layers import Layer, Layers
from ftbuild.images.verifying.prove import Proven
from ftbuild.model.archive import Record
from ftbuild.model.manifest import Archived, Installation, StageRecord
from ftbuild.model.recipes import Release
from ftbuild.model.report import Check, Report, expect
from ftbuild.model.versions import BOTH
from ftbuild.provision import Brought, Outcome, Packed, Summary
from ftbuild.store.collect import Collected
from ftbuild.store.layout import Layout
from ftbuild.toolchain import Diagnosis, Finding, Grade
from ftbuild.upstream import Added, Rejected, Update
from tests.builders import build, changed
from tests.unit.auditing import examples

LAYOUT = Layout(root=Path("/root"))
GIL, FREE_THREADED = (
    changed(build(LAYOUT.store / name, variant), "result", size=250_000_000, files=4000)
    for name, variant in zip(("cpython-3.14.7-1", "cpython-3.14.7t-2"), BOTH, strict=True)
)
GOOD = Report(kind="verify", subject="cpython-3.14.7t", checks=(expect("a", 1, 1),))
BAD = Report(kind="verify", subject="cpython-3.14.7t", checks=(expect("a", 1, 2),))
PAIR = Report(kind="pair", subject="3.14.7", checks=(expect("pair.source", "x", "x"),))
NO_PAIR = Report(kind="pair", subject="3.14.7", checks=(expect("pair.source", "x", "y"),))


def outcome(made: Installation, status: str = "installed") -> Outcome:
    new = status == "installed"
    return Outcome(
        name=made.manifest.name,
        status=status,
        installation=made,
        seconds=125.0 if new else 0.0,
        report=GOOD if new else None,
    )


def failed(name: str) -> Outcome:
    error = BuildFailed(f"{name}: compile failed", hint="mend it", log=Path("/log"), tail=("a",))
    return Outcome(name=name, status="failed", error=error)


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on standard output, one space between words."""
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    found = json.loads(capsys.readouterr().out)
    assert found.pop("format") == 1
    return found


def test_a_summary_ends_with_what_to_try_next(capsys: pytest.CaptureFixture[str]) -> None:
    done = Summary(outcomes=(outcome(GIL), outcome(FREE_THREADED)), pairs=(PAIR,))
    render.summary(done, LAYOUT, json=False)
    assert said(capsys) == [
        "cpython-3.14.7 installed 2:05 250.0 MB 1 checks /root/cpython-3.14.7",
        "cpython-3.14.7t installed 2:05 250.0 MB 1 checks /root/cpython-3.14.7t",
        "3.14.7: a matched pair, 1 facts compared",
        "",
        "Next:",
        'ftbuild run 3.14.7t -- -c "import sys; print(sys._is_gil_enabled())"',
        'export PATH="/root/bin:$PATH" # python3.14t and its like',
    ]


def test_a_summary_of_nothing_to_do_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    done = Summary(outcomes=(outcome(GIL, "present"),), pairs=())
    render.summary(done, LAYOUT, json=False)
    assert said(capsys) == ["cpython-3.14.7 there already /root/cpython-3.14.7"]


def test_every_failure_is_told_and_the_last_one_decides(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = Summary(outcomes=(failed("one"), outcome(GIL), failed("two")), pairs=(NO_PAIR,))
    with pytest.raises(BuildFailed, match="two: compile failed"):
        render.summary(done, LAYOUT, json=False)
    output = capsys.readouterr()
    assert "ftbuild: one: compile failed" in output.err
    assert "one             failed" in output.out


def test_builds_that_are_no_pair_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    done = Summary(outcomes=(outcome(GIL),), pairs=(NO_PAIR,))
    with pytest.raises(Refused, match=r"no matched pair\n  3\.14\.7: pair\.source: expected x"):
        render.summary(done, LAYOUT, json=False)
    assert "a matched pair" not in capsys.readouterr().out


def test_a_summary_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    done = Summary(outcomes=(outcome(GIL), failed("two")), pairs=(PAIR,))
    with pytest.raises(BuildFailed):
        render.summary(done, LAYOUT, json=True)
    found = document(capsys)
    good, bad = found["builds"]
    assert (good["name"], good["status"], good["seconds"]) == ("cpython-3.14.7", "installed", 125.0)
    assert good["build"]["python"] == "/root/store/cpython-3.14.7-1/bin/python3.14"
    assert (good["report"]["ok"], good["error"]) == (True, None)
    assert bad["build"] is None
    assert bad["error"] == {
        "message": "two: compile failed",
        "hint": "mend it",
        "log": "/log",
        "tail": ["a"],
    }
    assert found["pairs"][0]["ok"]


def test_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    origin = Origin(name="m.example", url="https://me:secret@m.example/a")
    signature = Signature(
        means="Sigstore", signer="me@a.example", key="https://i", made="2026-01-01"
    )
    there = tuple(
        Brought(version=name, fetched=Fetched(path=Path(f"/{name}"), origin=where), signature=what)
        for name, where, what in (
            ("a", origin, signature),
            (
                "b",
                None,
                Unsigned(reasons=("Sigstore: none\n    u  404", "OpenPGP: no gpg"), lacks=("gpg",)),
            ),
            ("c", None, None),
        )
    )
    render.fetched(there, json=False)
    assert said(capsys) == [
        "/a https://m.example/a",
        "/b cached already",
        "/c cached already",
        "a: signed by me@a.example, 2026-01-01 (Sigstore, https://i)",
        "b: no signature; the pin alone vouches for it (Sigstore: none; OpenPGP: no gpg)",
    ]
    render.fetched(there, json=True)
    a, b, c = json.loads(capsys.readouterr().out)["sources"]
    assert a["path"] == "/a"
    assert a["origin"] == "https://m.example/a"
    assert a["signature"]["good"]
    assert a["signature"]["signer"] == "me@a.example"
    assert b["origin"] is None
    assert b["signature"] == {
        "good": False,
        "reasons": ["Sigstore: none\n    u  404", "OpenPGP: no gpg"],
        "lacks": ["gpg"],
    }
    assert c["signature"] is None


def test_an_update_that_must_leave_something_out(capsys: pytest.CaptureFixture[str]) -> None:
    release = Release(sha256="a" * 64, size=5, seen=("me",))
    signature = Signature(means="OpenPGP", signer="me", key="F", made="2026-01-01")
    done = Update(
        path=Path("/r/cpython.yaml"),
        added=(Added(version="3.97.1", release=release, signature=signature),),
        rejected=(Rejected(version="3.97.2", reason="no", hint="look"),),
        diff="+line\n",
        written=True,
    )
    with pytest.raises(Refused, match=r"3\.97\.2: no") as caught:
        render.updated(done, check=False, json=False)
    assert caught.value.hint == "look"
    assert "3.97.1: signed by me, 2026-01-01 (OpenPGP, F)" in said(capsys)
    fine = msgspec.structs.replace(done, rejected=())
    render.updated(fine, check=False, json=True)
    assert json.loads(capsys.readouterr().out)["added"][0]["sha256"] == "a" * 64
    with pytest.raises(Refused, match=r"not in /r/cpython.yaml yet: 3\.97\.1"):
        render.updated(fine, check=True, json=False)


def test_a_listing_tells_profile_and_what_was_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    lost = changed(GIL, "spec", profile="optimized", pgo=True)
    render.listing((lost,), LAYOUT, json=False)
    (_, line) = said(capsys)
    assert "optimized without PGO gcc 12.2.0 250.0 MB 2026-11-01" in line
    assert line.endswith("/root/store/cpython-3.14.7-1 (replaced)")


def test_details(capsys: pytest.CaptureFixture[str]) -> None:
    stages = (StageRecord(name="configure", seconds=20), StageRecord(name="compile", seconds=105))
    made = changed(FREE_THREADED, "used", stages=stages)
    render.details((made,), json=False)
    lines = said(capsys)
    assert lines[0] == "cpython-3.14.7t"
    assert "PGO no" in lines
    assert "missing tkinter" in lines
    assert any(line.endswith("in 2:05 (configure 20 s, compile 1:45)") for line in lines)
    render.details((made,), json=True)
    (found,) = document(capsys)["builds"]
    assert found["manifest"] == json.loads(msgspec.json.encode(made.manifest))


def test_reports(capsys: pytest.CaptureFixture[str]) -> None:
    render.reports((GOOD, PAIR), json=False, everything=False)
    assert said(capsys) == ["cpython-3.14.7t: 1 passed", "3.14.7: 1 passed"]
    with pytest.raises(Refused, match=r"failed\n  cpython-3\.14\.7t: a: expected 1, found 2"):
        render.reports((BAD,), json=True, everything=False)
    assert not document(capsys)["reports"][0]["ok"]


FOUND = Finding(what="gcc", status=Grade.OK, found="12.2.0 at /usr/bin/gcc")
LACKING = Finding(what="tk", status=Grade.OPTIONAL, gives=("tkinter",), packages=("tk-dev",))
FAULT = Finding(what="make", status=Grade.MISSING, packages=("make",), note="nothing builds")


def diagnosis(*findings: Finding) -> Diagnosis:
    packages = tuple(package for finding in findings for package in finding.packages)
    commands = (("apt-get", "install", *packages),) if packages else ()
    return Diagnosis(system="linux", manager="apt", findings=findings, commands=commands)


def test_a_diagnosis_with_nothing_missing(capsys: pytest.CaptureFixture[str]) -> None:
    render.diagnosis(diagnosis(FOUND), (), json=False)
    assert said(capsys)[0] == "ok gcc 12.2.0 at /usr/bin/gcc"


def test_what_is_optional_comes_with_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    render.diagnosis(diagnosis(FOUND, LACKING), (), json=False)
    lines = said(capsys)
    assert "-- tk not found tkinter" in lines
    assert lines[-1] == "apt-get install tk-dev"


@pytest.mark.parametrize("machine", [False, True])
def test_what_is_needed_is_refused(capsys: pytest.CaptureFixture[str], machine: bool) -> None:
    with pytest.raises(Refused, match="cannot build CPython yet: make") as caught:
        render.diagnosis(diagnosis(FOUND, FAULT), (), json=machine)
    assert caught.value.hint == "apt-get install make"
    if machine:
        assert document(capsys)["ok"] is False


def test_removed(capsys: pytest.CaptureFixture[str]) -> None:
    render.removed((GIL,), (), json=False)
    assert said(capsys) == ["removed cpython-3.14.7 (250.0 MB, /root/store/cpython-3.14.7-1)"]
    render.removed((GIL,), (), json=True)
    assert document(capsys)["removed"][0]["version"] == "3.14.7"


def test_collected(capsys: pytest.CaptureFixture[str]) -> None:
    found = Collected(
        replaced=(GIL,), leftovers=(Path("/root/store/x.failed"),), abandoned=2, size=5
    )
    render.collected(found, dry_run=False, json=False)
    assert said(capsys) == [
        "removed /root/store/cpython-3.14.7-1",
        "removed /root/store/x.failed",
        "removed 2 scratch directories of runs that were killed",
    ]
    render.collected(found, dry_run=True, json=True)
    assert document(capsys)["leftovers"] == ["/root/store/x.failed"]


def test_an_error_without_a_log_is_data_too(capsys: pytest.CaptureFixture[str]) -> None:
    error = EnvironmentFault("no space")
    done = Summary(outcomes=(Outcome(name="one", status="failed", error=error),), pairs=())
    with pytest.raises(EnvironmentFault):
        render.summary(done, LAYOUT, json=True)
    assert document(capsys)["builds"][0]["error"]["log"] is None


def test_packed(capsys: pytest.CaptureFixture[str]) -> None:
    record = Record(format=1, sha256="a" * 64, size=21_000_000, manifest=GIL.manifest)
    added = tuple(f"lib/site-packages/{name}" for name in "abcdefg")
    made = Packed(path=Path("/out/a.tar.zst"), record=record, added=added, added_files=90)
    plain = msgspec.structs.replace(made, added=(), added_files=0)
    render.packed((made, plain), json=False)
    lines = said(capsys)
    assert lines[0] == "cpython-3.14.7 21.0 MB /out/a.tar.zst"
    assert lines[2].startswith("cpython-3.14.7: 90 files were added since and are left out: lib")
    assert lines[2].endswith("/e and 2 more")
    assert len(lines) == 3
    render.packed((made,), json=True)
    assert document(capsys)["archives"] == [
        {
            "name": "cpython-3.14.7",
            "path": "/out/a.tar.zst",
            "sha256": "a" * 64,
            "size": 21_000_000,
            "left_out": {"files": 90, "paths": list(added)},
        }
    ]


def test_details_of_a_build_from_an_archive(capsys: pytest.CaptureFixture[str]) -> None:
    archived = Archived(prefix="/old", libc="glibc 2.34", pointing=(), sha256="b" * 64)
    manifest = msgspec.structs.replace(GIL.manifest, archived=archived)
    render.details((msgspec.structs.replace(GIL, manifest=manifest),), json=False)
    assert f"archive SHA-256 {'b' * 64}, packed at /old" in said(capsys)


def test_an_audit_that_fails_is_shown_and_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = examples.audit(examples.finding("foo", Status.GIL))
    with pytest.raises(Refused, match=r"the audit for 3\.14t fails: 1 package"):
        render.audited([found], reporting(cwd=tmp_path))
    assert said(capsys)[-1] == "1 of 1 blocks 3.14t: foo 1.0 (switches the GIL on)."


def test_audits_as_json_and_a_baseline_that_is_told_on_standard_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = examples.audit(examples.finding("foo", Status.GIL))
    how = reporting(json=True, baseline="audit.json", update=True, cwd=tmp_path)
    render.audited([found], how)
    printed = capsys.readouterr()
    assert json.loads(printed.out)["blocking"] == ["foo"]
    assert printed.err == f"written: {tmp_path / 'audit.json'}\n"


def proven(*checks: Check) -> Proven:
    return Proven(
        reference="ftbuild:3.14t",
        reports=(Report(kind="image", subject="ftbuild:3.14t as root", checks=checks),),
        layers=Layers(layers=(Layer(created_by="COPY /image/ /", size=48_000_000),), base=""),
    )


def test_images_with_their_checks_and_layers(capsys: pytest.CaptureFixture[str]) -> None:
    found = proven(expect("names.pip", 1, 1))
    render.images_proven([found], json=False, everything=False)
    text = capsys.readouterr().out
    assert "ftbuild:3.14t as root: 1 passed" in text
    assert "48.0 MB in all" in text
    render.images_proven([found], json=True, everything=False)
    (each,) = json.loads(capsys.readouterr().out)["images"]
    assert each["reference"] == "ftbuild:3.14t"
    assert each["layers"] == [{"created_by": "COPY /image/ /", "size": 48_000_000, "base": False}]
    assert (each["size"], each["above_base"]) == (48_000_000, None)


def test_an_image_that_is_not_what_it_says_is_refused() -> None:
    with pytest.raises(Refused, match="checks failed"):
        render.images_proven([proven(expect("names.pip", 1, 2))], json=True, everything=False)


@pytest.mark.parametrize("changed", [(), ("docker/3.14/trixie.Dockerfile",)])
def test_dockerfiles_that_are_out_of_date_are_refused_where_they_are_only_checked(
    changed: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    written = Written(files=25, changed=changed, stale=())
    render.images_rendered(written, check=False, json=False)
    if changed:
        with pytest.raises(Refused, match="Dockerfiles"):
            render.images_rendered(written, check=True, json=True)
    else:
        render.images_rendered(written, check=True, json=True)
    assert "25" in capsys.readouterr().out


def test_what_is_said_of_archives(capsys: pytest.CaptureFixture[str]) -> None:
    good = Report(kind="attest", subject="a.tar.zst", checks=(expect("source.pin", "a", "a"),))
    render.attested((good,), json=False, everything=False)
    assert said(capsys) == ["a.tar.zst: 1 passed"]
    wrong = expect("sbom.version", "1.6", "1.5", "b.tar.zst.cdx.json.")
    bad = Report(kind="attest", subject="b.tar.zst", checks=(wrong,))
    with pytest.raises(Refused, match=r"b\.tar\.zst: sbom\.version: expected 1\.6, found 1\.5"):
        render.attested((good, bad), json=True, everything=False)
    assert [report["ok"] for report in document(capsys)["reports"]] == [True, False]
