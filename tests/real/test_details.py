"""`build-details.json` of real builds, moved by hand: it is true wherever they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

import ftbuild.building
from ftbuild.model.manifest import Installation, StageRecord
from ftbuild.verifying import Context
from ftbuild.verifying.details import details
from tests.pep739 import VALIDATOR

from .conftest import Pair

pytestmark = pytest.mark.real

SCRIPT = Path(ftbuild.building.__file__).with_name("probes") / "details.py"


def copied(item: Installation, to: Path) -> Installation:
    """A copy of a build, with such a file even if it was built by an older ftbuild."""
    shutil.copytree(item.prefix, to, symlinks=True)
    used = item.manifest.used
    written = any(stage.name == "details" for stage in used.stages)
    here = msgspec.structs.replace(item, prefix=to)
    if written:
        return here
    subprocess.run([here.python, "-I", "-B", SCRIPT], check=True)
    stages = (*used.stages, StageRecord(name="details", seconds=0.1))
    manifest = msgspec.structs.replace(
        item.manifest, used=msgspec.structs.replace(used, stages=stages)
    )
    return msgspec.structs.replace(here, manifest=manifest)


def file_of(item: Installation) -> Path:
    (found,) = item.prefix.glob("lib/python3.*/build-details.json")
    return found


def test_it_is_true_wherever_they_are(pair_313: Pair, pair_314: Pair, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    context = Context(env=dict(os.environ), scratch=scratch, cpus=1, compiler=None)
    for item in (*pair_313, *pair_314):
        first = copied(item, tmp_path / "one")
        text = file_of(first).read_bytes()
        document = json.loads(text)
        VALIDATOR.validate(document)
        assert str(item.prefix).encode() not in text
        assert document["abi"].get("stable_abi_suffix") == (
            None if item.free_threaded else ".abi3.so"
        )
        first.prefix.rename(tmp_path / "another place")
        second = msgspec.structs.replace(first, prefix=tmp_path / "another place")
        found = details(second, context)
        assert [check.found for check in found if check.status != "passed"] == []
        assert len(found) == 5
        file_of(second).write_bytes(text.replace(b"bin/python", b"bin/qython"))
        assert any(check.status == "failed" for check in details(second, context))
        shutil.rmtree(second.prefix)
