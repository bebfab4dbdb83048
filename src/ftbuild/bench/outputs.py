"""The files that a measurement is written to."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import msgspec

from ftbuild.bench import page, plots
from ftbuild.bench.document import save
from ftbuild.bench.results import Results
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.files import expand_home
from ftbuild.store.layout import Layout


class Outputs(msgspec.Struct, frozen=True, kw_only=True):
    """Where a measurement is written to.

    Attributes:
        document: The JSON document; None where it has no place.
        plots: The folder for the plots, if they are wanted.
        html: The file for the page, if it is wanted.
    """

    document: Path | None
    plots: Path | None
    html: Path | None

    def keep(self, results: Results) -> None:
        """Write what there is so far, so that a run that is killed loses a round at most."""
        if self.document is not None:
            save(results, self.document)

    def write(self, results: Results) -> tuple[Path, ...]:
        """Write everything; returns the files.

        Raises:
            EnvironmentFault: One of them cannot be written.
        """
        files: list[Path] = []
        if self.document is not None:
            save(results, self.document)
            files.append(self.document)
        try:
            if self.plots is not None:
                files += plots.write(results, self.plots)
            if self.html is not None:
                self.html.parent.mkdir(parents=True, exist_ok=True)
                self.html.write_text(page.page(results), encoding="utf-8")
                files.append(self.html)
        except OSError as error:
            raise EnvironmentFault(
                f"{error.filename} cannot be written: {error.strerror}"
            ) from error
        return tuple(files)


def outputs(layout: Layout, *, output: str, folder: str, html: str) -> Outputs:
    """Where to write, checked before anything is measured.

    Args:
        layout: The root, where the document goes if no place is named.
        output: The file for the document.
        folder: The folder for the plots.
        html: The file for the page.

    Raises:
        UsageError: A file is named that is a folder.
        EnvironmentFault: What draws the plots is not installed.
    """
    for name in filter(None, (output, html)):
        if Path(name).is_dir():
            raise UsageError(f"{name} is a folder; name a file to write")
    if html or folder:
        plots.require()
    return Outputs(
        document=_path(output) if output else _default(layout),
        plots=_path(folder) if folder else None,
        html=_path(html) if html else None,
    )


def _path(text: str) -> Path:
    return expand_home(Path(text)).absolute()


def _default(layout: Layout) -> Path | None:
    if not os.access(layout.root, os.W_OK):
        return None
    now = dt.datetime.now(dt.UTC)
    return layout.bench / f"{now:%Y%m%d-%H%M%S}.json"
