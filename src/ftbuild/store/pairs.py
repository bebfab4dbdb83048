"""The verdicts on pairs: whether two installed builds differ in the GIL and in nothing else.

Kept apart from the builds' own manifests, because replacing either build of a pair makes the
verdict void: it names the digests it was passed on.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ftbuild.files import read_file, write_atomically
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Report
from ftbuild.model.text import Sha256
from ftbuild.store.layout import Layout


class _Verdict(msgspec.Struct, frozen=True, kw_only=True):
    gil: Sha256
    free_threaded: Sha256
    report: Report


def save_verdict(
    layout: Layout, gil: Installation, free_threaded: Installation, report: Report
) -> None:
    """Record the verdict on a pair."""
    verdict = _Verdict(
        gil=gil.manifest.digest, free_threaded=free_threaded.manifest.digest, report=report
    )
    write_atomically(_path(layout, gil), msgspec.json.encode(verdict))


def read_verdict(layout: Layout, gil: Installation, free_threaded: Installation) -> Report | None:
    """The recorded verdict on these two builds, or None where there is none on exactly them."""
    try:
        verdict = msgspec.json.decode(read_file(_path(layout, gil)), type=_Verdict)
    except (OSError, msgspec.DecodeError, RecursionError):
        return None
    same = (verdict.gil, verdict.free_threaded) == (
        gil.manifest.digest,
        free_threaded.manifest.digest,
    )
    return verdict.report if same else None


def _path(layout: Layout, gil: Installation) -> Path:
    return layout.pairs / f"{gil.manifest.name}.json"
