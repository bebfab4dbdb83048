from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from ftbuild.errors import EnvironmentFault, Interrupted, UsageError
from ftbuild.images.engine import Engine
from ftbuild.images.stored import present
from ftbuild.images.verifying.inside import primary, require_runner, verify_image
from ftbuild.model.events import Event, Noted
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Report, Status
from ftbuild.model.versions import Variant
from tests.builders import build
from tests.unit.images.engines import DOCKER, engine, said
from tests.unit.verifying.builds import named


def _image(folder: Path, builds: Sequence[Installation], image: str = DOCKER) -> Engine:
    """An engine with an image of builds, none of whose interpreters starts."""
    paths = []
    for item in builds:
        path = folder / item.prefix.name / "ftbuild.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(msgspec.json.encode(item.manifest))
        paths.append(str(path))
    return engine(
        folder,
        f"""image*) echo '{image}'; exit ;;
        *"ls -d"*) printf '%s\\n' {" ".join(paths)}; exit ;;
        *" ls /"*) echo gcc; exit ;;
        *python*) exit 1 ;;""",
    )


def _none(_builds: Sequence[Installation]) -> Path:
    raise EnvironmentFault("no index answers")


def _verified(docker: Engine, events: list[Event] | None = None) -> tuple[Report, ...]:
    told: list[Event] = [] if events is None else events
    return verify_image(present("app:1", docker), docker, emit=told.append, collect=_none)


def test_both_builds_are_verified_as_root_and_as_another_user(tmp_path: Path) -> None:
    builds = [build(tmp_path / f"3.14{v.suffix}", v) for v in reversed(Variant)]
    events: list[Event] = []
    reports = _verified(_image(tmp_path, builds), events)
    assert [report.subject for report in reports] == [
        "app:1 as root: cpython-3.14.7",
        "app:1 as root: cpython-3.14.7t",
        "app:1 as root",
        "app:1 as nobody: cpython-3.14.7",
        "app:1 as nobody: cpython-3.14.7t",
        "app:1 as nobody",
        "3.14.7",
    ]
    assert {report.kind for report in reports} == {"image", "pair"}
    assert [report.ok for report in reports] == [False] * 6 + [True]
    assert [event.text for event in events if isinstance(event, Noted)] == [
        "verifying app:1 as root",
        "verifying app:1 as nobody",
    ]
    checks = named(reports[0])
    assert checks["wheels.numpy"].reason == "no wheels to try: no index answers"
    groups = {name.partition(".")[0] for name in checks}
    assert groups >= {"identity", "imports", "modules", "pip", "venv", "files", "image", "wheels"}
    runs = [line for line in said(tmp_path) if line.startswith("run ")]
    users = [re.findall("--user=([0-9:]+)", line) for line in runs]
    assert users == [["0:0"], ["0:0"], ["65534:65534"]]
    assert sum(line.startswith("rm ") for line in said(tmp_path)) == len(runs)


def test_one_build_is_no_pair_and_the_wheels_are_seen_in_the_containers(tmp_path: Path) -> None:
    slim = DOCKER.replace('"Labels": {', '"Labels": {"ftbuild.flavour": "slim", ')
    docker = _image(tmp_path, [build(tmp_path / "3.14t")], slim)
    seen: list[str] = []

    def collect(builds: Sequence[Installation]) -> Path:
        seen.extend(build.manifest.name for build in builds)
        return tmp_path / "wheels"

    reports = verify_image(present("app:1", docker), docker, emit=lambda _: None, collect=collect)
    assert seen == ["cpython-3.14.7t"]
    assert len(reports) == 4
    surrounding = named(reports[1])
    assert surrounding["names.python3.14"].expected == "not there"
    compilers = surrounding["image.compilers"]
    assert (compilers.status, compilers.found) == (Status.FAILED, "gcc")
    assert named(reports[0])["wheels.install"].status is Status.FAILED
    runs = [line for line in said(tmp_path) if line.startswith("run ")]
    assert sum(f"source={tmp_path}/wheels," in line for line in runs) == 2


def test_a_stop_is_no_reason_to_skip(tmp_path: Path) -> None:
    def stopped(_builds: Sequence[Installation]) -> Path:
        raise Interrupted("stopped")

    docker = _image(tmp_path, [build(tmp_path / "3.14t")])
    with pytest.raises(Interrupted):
        verify_image(present("app:1", docker), docker, emit=lambda _: None, collect=stopped)
    assert said(tmp_path)[-1].startswith("rm --force")


def test_buildah_does_not_run_images(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="buildah does not run images") as raised:
        require_runner(engine(tmp_path, kind="buildah"))
    assert "podman" in raised.value.hint


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "has no build of ftbuild's"),
        ("{", "cannot be read"),
        ('{"format": 9}', "has format 9; this ftbuild knows format 1"),
        ("other", "has format 9; this ftbuild knows format 1"),
    ],
)
def test_an_image_of_somebody_elses(tmp_path: Path, document: str | None, message: str) -> None:
    item = build(tmp_path / "3.14t")
    docker = _image(tmp_path, [item])
    path = item.prefix / "ftbuild.json"
    if document is None:
        script = Path(docker.binary).read_text()
        Path(docker.binary).write_text(script.replace(f"'%s\\n' {path}", "''"))
    elif document == "other":
        path.write_bytes(msgspec.json.encode(msgspec.structs.replace(item.manifest, format=9)))
    else:
        path.write_text(document)
    with pytest.raises(UsageError, match=message):
        _verified(docker)
    assert said(tmp_path)[-1].startswith("rm --force")


def test_the_gil_build_is_the_primary_one(tmp_path: Path) -> None:
    gil, free_threaded = (build(tmp_path, variant) for variant in Variant)
    assert primary((free_threaded, gil)) == gil
    assert primary((free_threaded,)) == free_threaded
