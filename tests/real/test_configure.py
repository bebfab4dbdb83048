"""CPython's own configure comes to the same answers with those of an earlier run as without."""

from __future__ import annotations

import re
import subprocess
import threading
from pathlib import Path

import pytest

from ftbuild.building.plan import SITE, build_environment
from ftbuild.fetch.unpack import unpack
from ftbuild.model.versions import BOTH, Variant
from ftbuild.store.configured import keep_configured, prepare_configure

from .conftest import Pair

pytestmark = pytest.mark.real

ANSWERS = ("pyconfig.h", "Makefile", "Modules/Setup.bootstrap", "Modules/Setup.stdlib")


@pytest.fixture(params=["3.13", "3.14"])
def pair(request: pytest.FixtureRequest, pair_313: Pair, pair_314: Pair) -> Pair:
    return pair_313 if request.param == "3.13" else pair_314


def configure(pair: Pair, variant: Variant, source: Path, tree: Path, place: Path) -> None:
    """Run configure as the build of this pair did, but optimised, with what is kept at a place."""
    of_variant = next(item for item in pair if item.spec.variant is variant)
    words = of_variant.manifest.used.configure[2:]
    tree.mkdir(parents=True)
    site = tree.with_name(f"{tree.name}-{SITE}")
    prepare_configure(place, tree, site)
    environment = build_environment({"PATH": "/usr/local/bin:/usr/bin:/bin"}, system="linux")
    done = subprocess.run(
        (source / "configure", "--prefix=/x", "--enable-optimizations", "--with-lto", *words),
        cwd=tree,
        env={**environment, "CONFIG_SITE": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]


def answers(tree: Path) -> dict[str, str]:
    """What configure wrote, without the name of the directory it ran in."""
    texts = {name: (tree / name).read_text() for name in ANSWERS if (tree / name).exists()}
    return {name: re.sub(re.escape(str(tree)), "TREE", text) for name, text in texts.items()}


def test_kept_answers_change_nothing_but_the_time(pair: Pair, root: Path, tmp_path: Path) -> None:
    version = pair[0].spec.version
    tarball = root / "sources" / f"Python-{version}.tar.xz"
    source = unpack(tarball, tmp_path / "source", stop=threading.Event())
    place = tmp_path / "kept"
    nothing = tmp_path / "nothing"
    for variant in BOTH:
        configure(pair, variant, source, tmp_path / f"plain-{variant}", nothing)
    keep_configured(place, tmp_path / f"plain-{Variant.GIL}")
    for variant in BOTH:
        configure(pair, variant, source, tmp_path / f"kept-{variant}", place)
        plain, kept = (answers(tmp_path / f"{kind}-{variant}") for kind in ("plain", "kept"))
        assert kept == plain
        assert "CONFIG_SITE" not in plain["Makefile"]
