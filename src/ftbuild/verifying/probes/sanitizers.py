"""The sanitizers that an executable is instrumented with, as one JSON array: `["thread"]`."""

import json
import mmap
import sys

RUNTIMES = {"address": b"__asan_init", "thread": b"__tsan_init"}
"""The entry point that every instrumented object calls, with gcc and with clang, in the dynamic
symbols even of a stripped executable."""

with (
    open(sys.argv[1], "rb") as file,  # noqa: PTH123 - pathlib is slow to import
    mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as code,
):
    found = [name for name, symbol in RUNTIMES.items() if code.find(symbol) >= 0]
print(json.dumps(found))
