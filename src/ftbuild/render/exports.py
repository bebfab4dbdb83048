"""Results of exports."""

from __future__ import annotations

import shlex

from ftbuild.console import columns, say, size
from ftbuild.export.uv import Done, Entry
from ftbuild.model.versions import series_of
from ftbuild.render.documents import print_json


def exported_uv(done: Done, *, json: bool) -> None:
    """What is in an index for uv now."""
    if json:
        print_json(
            index=str(done.index),
            address=done.address,
            archives=[
                {
                    "key": item.entry.key,
                    "build": item.entry.ftbuild.build,
                    "digest": item.entry.ftbuild.digest,
                    "libc": item.entry.ftbuild.libc,
                    "path": str(item.path),
                    "sha256": item.entry.sha256,
                    "size": item.size,
                    "fresh": item.fresh,
                }
                for item in done.exported
            ],
            others=list(done.others),
            left_out=[{"name": item.name, "why": item.why} for item in done.left_out],
        )
        return
    rows = [
        (
            item.entry.ftbuild.build,
            item.entry.key,
            size(item.size),
            "" if item.fresh else "there already",
        )
        for item in done.exported
    ]
    say(columns([*rows, *(("", key, "", "from an earlier export") for key in done.others)]))
    for item in done.left_out:
        say(f"{item.name} is left out: {item.why}")
    words = dict.fromkeys(_asked(item.entry) for item in done.exported)
    say("\nNext:")
    say(
        f"  uv python install {' '.join(words)} "
        f"--python-downloads-json-url {shlex.quote(done.address)}"
    )


def _asked(entry: Entry) -> str:
    """What uv is asked for to install a build; a pre-release only by its whole name."""
    release = entry.release if entry.prerelease else series_of(entry.release)
    return release + {"freethreaded": "t", "debug": "d", "freethreaded+debug": "td"}.get(
        entry.variant or "", ""
    )
