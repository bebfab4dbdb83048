"""JSON: documents decoded, changed and encoded again. Users know it as `json`.

It stands for what services and queues do all day. The decoder and the encoder are C and keep the
GIL; what they make are dictionaries, lists and strings of the thread that called them. The texts
are handed to the workers, so that processes get them pickled.

A unit is a document of some 20 KB, an order of 80 lines. There are documents of four kinds, which
differ in what is known of them.
"""

import json
import zlib
from itertools import cycle, islice
from typing import Any

SUMMARY = "json documents decoded, changed, encoded again"
UNIT = "documents"
REVISION = 1

LINES = 80
"""Lines of an order."""

KINDS = 4
"""Documents after which all repeats but their numbers."""

KNOWN = ((879985, 2118227809), (920919, 2181191074), (870431, 3283345684), (898172, 2952466675))
"""For each kind of document: its total in cents, and the CRC-32 of it encoded, less its number."""


def prepare(options: dict[str, Any]) -> list[str]:
    """The texts, each an object of its own, as a socket would give them."""
    texts = [json.dumps(document(kind), indent=1) for kind in range(KINDS)]
    return [
        texts[n % KINDS].replace('"number": null', f'"number": {n}')
        for n in range(int(options["units"]))
    ]


def document(kind: int) -> dict[str, Any]:
    """An order of a kind, its number still to come."""
    lines: list[dict[str, Any]] = []
    for n in range(LINES):
        chance = ((kind * LINES + n) * 1103515245 + 12345 >> 8) % 8191
        lines.append(
            {
                "sku": f"{chance:06x}",
                "title": f"N\u00ba {chance} \u2013 \u201cspare part\u201d",
                "pieces": chance % 9 + 1,
                "cents": 100 + chance % 4999,
                "weight": chance / 8,
                "tags": ["new", "fragile", "oversize"][: chance % 4],
                "stock": {
                    "berlin": chance % 17,
                    "oslo": chance % 5 or None,
                    "live": chance % 2 > 0,
                },
            }
        )
    return {"number": None, "customer": f"customer {kind}", "lines": lines}


def shards(job: list[str], workers: int) -> list[list[str]]:
    """As many texts for each worker, or one more."""
    return [job[len(job) * n // workers : len(job) * (n + 1) // workers] for n in range(workers)]


def work(shard: list[str]) -> list[int]:
    """Sums over some texts: their numbers, totals, and the CRC-32 of their encoded results."""
    numbers = total = sums = 0
    for text in shard:
        order = json.loads(text)
        numbers += order.pop("number")
        for line in order["lines"]:
            line["total"] = line["pieces"] * line["cents"]
        order["total"] = sum(line["total"] for line in order["lines"])
        total += order["total"]
        sums += zlib.crc32(json.dumps(order, separators=(",", ":")).encode())
    return [numbers, total, sums]


def merge(_job: list[str], partials: list[list[int]]) -> list[int]:
    """The sums over all texts."""
    return [sum(column) for column in zip(*partials, strict=True)]


def check(job: list[str], result: list[int]) -> None:
    """No number is missing, and all sums are those known for the kinds of documents."""
    known = [sum(column) for column in zip(*islice(cycle(KNOWN), len(job)), strict=True)]
    assert result == [len(job) * (len(job) - 1) // 2, *known], result
