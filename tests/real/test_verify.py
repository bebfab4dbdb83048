"""The checks on real builds: `pair_314` and `pair_313` come from tests/real/conftest.py."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Status
from ftbuild.verifying import FULL, QUICK, Context, compare, files, verify

pytestmark = pytest.mark.real

Pair = tuple[Installation, Installation]


@pytest.fixture(params=["pair_313", "pair_314"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """Each of the pairs in turn, the GIL build first."""
    found: Pair = request.getfixturevalue(request.param)
    return found


def context_for(installation: Installation, scratch: Path) -> Context:
    return Context(
        env=os.environ,
        scratch=scratch,
        cpus=len(os.sched_getaffinity(0)),
        compiler=installation.manifest.used.compiler,
    )


def test_both_builds_are_what_they_say(pair: Pair, tmp_path: Path) -> None:
    for installation in pair:
        report = verify(
            installation, checks=(*FULL, files), context=context_for(installation, tmp_path)
        )
        assert report.ok, report.failed
        skipped = {c.name: c.reason for c in report.checks if c.status is Status.SKIPPED}
        assert not {name for name in skipped if name.startswith(("identity", "imports", "headers"))}


def test_they_are_a_pair(pair: Pair) -> None:
    report = compare(*pair)
    assert report.ok, report.failed


def test_one_build_does_not_pass_for_the_other(pair: Pair, tmp_path: Path) -> None:
    gil, free_threaded = pair
    impostor = msgspec.structs.replace(gil, prefix=free_threaded.prefix)
    # The free-threaded prefix has an interpreter under the GIL build's name, too.
    assert impostor.python.exists()
    report = verify(impostor, checks=FULL, context=context_for(gil, tmp_path))
    failed = {check.name for check in report.failed}
    assert {"identity.gil", "identity.Py_GIL_DISABLED", "identity.abiflags"} <= failed
    assert {"headers.declared", "headers.undeclared", "venv.python"} <= failed


def test_a_lost_extension_module_is_found(pair: Pair, tmp_path: Path) -> None:
    _, free_threaded = pair
    copy = tmp_path / "copy"
    shutil.copytree(free_threaded.prefix, copy, symlinks=True)
    moved = msgspec.structs.replace(free_threaded, prefix=copy)
    (lost,) = copy.glob("lib/python3.*/lib-dynload/_json.*.so")
    lost.unlink()
    report = verify(moved, checks=(*QUICK, files), context=context_for(moved, tmp_path))
    failed = {check.name for check in report.failed}
    assert {"imports.extensions", "imports._json", "files.missing"} <= failed
