"""Hashing and compression: C code that gives the GIL up while it works.

It stands for what scaled with threads before there was free threading: the control. If this does
not scale on the GIL build, or less than anything else, the machine is at fault: too few CPUs, SMT,
other guests, the caches.

A unit is a buffer of 64 KiB: hashed by SHA-256, compressed and decompressed by zlib, hashed again.
"""

import hashlib
import zlib
from typing import Any

SUMMARY = "sha256 and zlib on large buffers: the control, scales with the GIL too"
UNIT = "buffers of 64 KiB"
REVISION = 1

SIZE = 65536
"""Bytes of a buffer; both libraries give the GIL up from a few KiB on."""

KNOWN = "ad6de02cab64d6f15e0dae34916d24d87f7d705807f1d13ac5217b26addc17e0"
"""SHA-256 of the buffer. What zlib makes of it depends on the library, and is not compared."""


def prepare(options: dict[str, Any]) -> tuple[bytes, int]:
    """The buffer, of words that compress about as well as text, and how often to work on it."""
    words = [f"{n * 2654435761 % 65521:x} " for n in range(2039)]
    chances = (n * n * 1103515245 + 12345 >> 8 for n in range(SIZE // 2))
    text = "".join(words[chance % len(words)] for chance in chances)
    return text.encode()[:SIZE], int(options["units"])


def shards(job: tuple[bytes, int], workers: int) -> list[tuple[bytes, int]]:
    """The buffer, and as many times for each worker, or one more."""
    data, units = job
    return [(data, units * (n + 1) // workers - units * n // workers) for n in range(workers)]


def work(shard: tuple[bytes, int]) -> list[str]:
    """The hashes of the buffer and of what decompression gave back, each time."""
    data, times = shard
    found = []
    for _ in range(times):
        found.append(hashlib.sha256(data).hexdigest())
        again = zlib.decompress(zlib.compress(data, 1))
        found.append(hashlib.sha256(again).hexdigest())
    return found


def merge(_job: tuple[bytes, int], partials: list[list[str]]) -> list[Any]:
    """How many hashes there are, and which."""
    found = [digest for partial in partials for digest in partial]
    return [len(found), *sorted(set(found))]


def check(job: tuple[bytes, int], result: list[Any]) -> None:
    """All hashes are there, and right."""
    assert result == [2 * job[1], KNOWN], result
