"""What several tests of measuring need."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from ftbuild.bench.runner import Bench
from ftbuild.model.versions import Variant
from tests.builders import build


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Where processes run, with the Python that runs the tests in the place of both builds."""
    builds = {}
    for variant in Variant:
        item = builds[variant] = build(tmp_path / variant, variant)
        item.python.parent.mkdir(parents=True)
        item.python.symlink_to(sys.executable)
    return Bench(
        pair=builds,
        env={"PATH": os.defpath},
        scratch=tmp_path,
        timeout=20.0,
        stop=threading.Event(),
    )
