"""Door 2: sources, from wherever they can be had. The only user of the network.

`origins` knows where a release may come from, `download.Downloads` brings it into the cache and
judges it by its pin, `unpack.unpack` opens what was judged. What is exported here is cheap to
import; `download` (with requests) and `unpack` (with tarfile) are imported by whoever needs them,
when they need them, because a build that is already there needs neither.
"""

from ftbuild.fetch.origins import (
    Attempt,
    Fetched,
    Origin,
    Source,
    Unavailable,
    apt_archives,
    directory_url,
    filename,
    local_path,
    origins_for,
    printable,
)

__all__ = [
    "Attempt",
    "Fetched",
    "Origin",
    "Source",
    "Unavailable",
    "apt_archives",
    "directory_url",
    "filename",
    "local_path",
    "origins_for",
    "printable",
]
