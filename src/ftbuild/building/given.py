"""A source tarball that the user names: `--source FILE --sha256 HEX`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ftbuild.errors import UsageError
from ftbuild.files import expand_home
from ftbuild.model.recipes import Catalogue, Release, Series
from ftbuild.model.versions import Request, parse_request, series_of

_NAME = re.compile(r"Python-(\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?)\.(?:tar\.\w+|tgz)")


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the user adds to the catalogue for one run.

    Attributes:
        requests: What to build of it.
        releases: Its pin, by version.
        tarballs: The file, by version.
    """

    requests: tuple[Request, ...] = ()
    releases: Mapping[str, Release] = {}
    tarballs: Mapping[str, Path] = {}

    def added_to(self, catalogue: Catalogue) -> Catalogue:
        """The catalogue with these releases, and with their series where it has none."""
        series = {
            series_of(version): Series(status="given", free_threading="unknown")
            for version in self.releases
        }
        return msgspec.structs.replace(
            catalogue,
            series=series | catalogue.series,
            releases={**catalogue.releases, **self.releases},
        )


NOTHING_GIVEN = Given()


def given_source(requests: tuple[Request, ...], source: str, sha256: str) -> Given:
    """What `--source` and `--sha256` add. Reads no file: its hash is checked like any other's.

    Args:
        requests: The versions named; one exact release, or none if the file's name tells.
        source: Path of the tarball, or empty.
        sha256: The hash it must have, or empty.

    Raises:
        UsageError: One without the other, no such file, no version, or no hash.
    """
    if not source and not sha256:
        return NOTHING_GIVEN
    path = expand_home(Path(source)).absolute()
    if not source or not sha256:
        raise UsageError(
            "--source and --sha256 go together",
            hint="The hash is the one its publisher states: ftbuild builds no unpinned source.",
        )
    try:
        there = path.is_file()
    except OSError as error:  # a name of 300 letters
        raise UsageError(f"--source {source}: {error.strerror}") from error
    if not there:
        raise UsageError(f"--source {source}: there is no such file")
    if not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise UsageError("--sha256 takes the 64 hexadecimal digits of a SHA-256")
    named = _NAME.fullmatch(path.name)
    if not requests and named:
        requests = (parse_request(named[1]),)
    versions = {request.release for request in requests}
    version = next(iter(versions), None)
    if version is None or len(versions) > 1:
        raise UsageError(
            f"which release is in {path.name}?",
            hint="Name it exactly: ftbuild build 3.14.8 --source FILE --sha256 HEX",
        )
    release = Release(sha256=sha256.lower(), size=None, seen=("command line",))
    return Given(requests=requests, releases={version: release}, tarballs={version: path})
