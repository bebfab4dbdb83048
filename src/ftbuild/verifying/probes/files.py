"""What is below a prefix, with the hashes of all files, as one JSON object.

Arguments: the prefix, the name of a file to leave out, and the name of another to leave out and to
quote, the list of hashes.
"""

import hashlib
import json
import os
import sys

prefix, manifest, hashes = sys.argv[1:]
sizes = {}
links = {}
digests = {}


def digest(path: str) -> str:
    """The SHA-256 of a file, or why it cannot be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as os.walk has it
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"unreadable: {error.strerror}"


def fail(error: OSError) -> None:
    """A directory that cannot be listed would make its files look missing."""
    raise error


for folder, folders, names in os.walk(prefix, onerror=fail):
    for name in (*folders, *names):
        path = os.path.join(folder, name)  # noqa: PTH118
        # JSON has no half of a surrogate pair, which stands for a byte that is not UTF-8.
        spoken = os.fsencode(os.path.relpath(path, prefix)).decode(errors="replace")
        if os.path.islink(path):  # noqa: PTH114
            links[spoken] = os.readlink(path)  # noqa: PTH115
        elif os.path.isfile(path) and spoken not in {manifest, hashes}:  # noqa: PTH113
            sizes[spoken] = os.path.getsize(path)  # noqa: PTH202
            digests[spoken] = digest(path)
with open(os.path.join(prefix, hashes), encoding="utf-8", errors="replace", newline="") as file:  # noqa: PTH118, PTH123
    text = file.read()
print(json.dumps({"text": text, "sizes": sizes, "links": links, "digests": digests}))
