"""Dictionaries and lists: rows grouped, sorted and compared as sets.

It stands for reports and data cleaning in plain Python. The rows are made by the main thread and
handed out in slices: to processes they are pickled, which is most of what processes cost here; to
threads they are just there, but belong to the main thread, so that counting references to them
takes atomic instructions.

A unit is a block of 500 rows of an order table. There are blocks of four kinds, which differ in
what is known of them.
"""

from collections import defaultdict
from itertools import combinations, cycle, islice
from typing import Any

SUMMARY = "order rows grouped, sorted, compared as sets; processes get them pickled"
UNIT = "blocks of 500 rows"
REVISION = 1

ROWS = 500
"""Rows in a block."""

KINDS = 4
"""Blocks after which all repeats but the numbers of the orders."""

CUSTOMERS = 211
REGIONS = 5
PRODUCTS = 37
TOP = 10
"""Orders, and customers, of a block that are picked as its best."""

KNOWN = (
    (2491, 5584794, 411689, 250, 30),
    (2518, 5623538, 403150, 244, 31),
    (2518, 5669424, 406343, 242, 28),
    (2517, 5656963, 406164, 241, 32),
)
"""For each kind of block: pieces, cents, worth of the dearest orders, customers in common between
regions, orders of the best customers."""

Row = tuple[int, str, str, str, int, int]
"""Number of the order, customer, region, product, pieces, cents for a piece."""

Groups = dict[tuple[str, str], list[int]]
"""Orders, pieces and cents by region and product."""

Partial = tuple[Groups, list[int]]
"""The groups, and the last three of what `KNOWN` names."""


def prepare(options: dict[str, Any]) -> list[list[Row]]:
    """The blocks. Each row has strings of its own, as a file or a database would give them."""
    return [block(n) for n in range(int(options["units"]))]


def block(n: int) -> list[Row]:
    """The rows of block n."""
    rows = []
    for row in range(ROWS):
        chance = ((n % KINDS * ROWS + row) * 1103515245 + 12345 >> 8) % 8191
        rows.append(
            (
                n * ROWS + row,
                f"customer {chance % CUSTOMERS}",
                f"region {chance % REGIONS}",
                f"product {chance % PRODUCTS}",
                chance % 9 + 1,
                100 + chance % 4999,
            )
        )
    return rows


def shards(job: list[list[Row]], workers: int) -> list[list[list[Row]]]:
    """As many blocks for each worker, or one more."""
    return [job[len(job) * n // workers : len(job) * (n + 1) // workers] for n in range(workers)]


def work(shard: list[list[Row]]) -> Partial:
    """What there is to say of some blocks."""
    groups: Groups = defaultdict(lambda: [0, 0, 0])
    worth = common = best = 0
    for rows in shard:
        buyers: dict[str, set[str]] = defaultdict(set)
        orders: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            _, customer, region, product, pieces, cents = row
            group = groups[region, product]
            group[0] += 1
            group[1] += pieces
            group[2] += pieces * cents
            buyers[region].add(customer)
            orders[customer].append(row)
        dearest = sorted(rows, key=lambda row: (-row[4] * row[5], row[0]))[:TOP]
        worth += sum(row[4] * row[5] for row in dearest)
        common += sum(len(a & b) for a, b in combinations(buyers.values(), 2))
        spent = {who: sum(row[4] * row[5] for row in own) for who, own in orders.items()}
        ranking = sorted(spent, key=lambda who: (-spent[who], who))
        best += sum(len(orders[who]) for who in ranking[:TOP])
    return dict(groups), [worth, common, best]


def merge(_job: list[list[Row]], partials: list[Partial]) -> list[Any]:
    """The sums over all blocks, then all groups in order."""
    groups: Groups = {}
    for part, _ in partials:
        for key, added in part.items():
            old = groups.get(key, [0, 0, 0])
            groups[key] = [a + b for a, b in zip(old, added, strict=True)]
    sums = [sum(column) for column in zip(*(sums for _, sums in partials), strict=True)]
    return [sums, [[*key, *groups[key]] for key in sorted(groups)]]


def check(job: list[list[Row]], result: list[Any]) -> None:
    """No order is missing, and all sums are those known for the kinds of blocks."""
    sums, groups = result
    orders, *totals = (sum(group[n] for group in groups) for n in (2, 3, 4))
    known = [sum(column) for column in zip(*islice(cycle(KNOWN), len(job)), strict=True)]
    assert orders == len(job) * ROWS, orders
    assert totals + sums == known, totals + sums
