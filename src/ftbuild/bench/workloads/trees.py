"""Objects: small instances made, linked, walked and dropped again, a binary tree at a time.

It stands for programs whose data are objects: parsers, compilers, graphs, object-relational
mappers. What limits it is the allocator and the cycle collector: the free-threaded build allocates
from a heap of each thread's own, but collects all threads' objects together, in one thread, while
the others wait.

A unit is one search tree of 511 nodes: filled in a scattered order, turned around, summed, dropped.
"""

from itertools import pairwise
from typing import Any

SUMMARY = "binary trees: small objects made, linked, walked, dropped"
UNIT = "trees"
REVISION = 1

NODES = 511
"""Nodes of a tree. Prime to `STRIDE`, so that keys meet every value below it once."""

STRIDE = 193
"""From one key to the next, modulo `NODES`: neither sorted nor repeated."""

KNOWN = NODES * (NODES - 1) // 2
"""The sum of the keys of a tree."""


class Node:
    """A key and two subtrees, each perhaps None."""

    __slots__ = ("key", "left", "right")

    def __init__(self, key: int) -> None:
        self.key = key
        self.left: Node | None = None
        self.right: Node | None = None


def prepare(options: dict[str, Any]) -> int:
    """The number of trees."""
    return int(options["units"])


def shards(job: int, workers: int) -> list[int]:
    """As many trees for each worker, or one more."""
    return [job * (n + 1) // workers - job * n // workers for n in range(workers)]


def work(shard: int) -> list[int]:
    """The sums of so many trees."""
    return [tree() for _ in range(shard)]


def tree() -> int:
    """Make a tree, turn it around, and sum its keys; -1 if they came out in a wrong order."""
    root = Node(0)
    for step in range(1, NODES):
        insert(root, step * STRIDE % NODES)
    keys: list[int] = []
    walk(mirrored(root), keys)
    ordered = all(a > b for a, b in pairwise(keys))
    return sum(keys) if ordered else -1


def insert(node: Node, key: int) -> None:
    """Add a key that is not there yet."""
    while True:
        if key < node.key:
            if node.left is None:
                node.left = Node(key)
                return
            node = node.left
        else:
            if node.right is None:
                node.right = Node(key)
                return
            node = node.right


def mirrored(node: Node) -> Node:
    """A copy with left and right exchanged."""
    copy = Node(node.key)
    if node.right is not None:
        copy.left = mirrored(node.right)
    if node.left is not None:
        copy.right = mirrored(node.left)
    return copy


def walk(node: Node, keys: list[int]) -> None:
    """Append all keys from left to right."""
    if node.left is not None:
        walk(node.left, keys)
    keys.append(node.key)
    if node.right is not None:
        walk(node.right, keys)


def merge(_job: int, partials: list[list[int]]) -> list[int]:
    """How many trees there are, and their different sums."""
    sums = [total for partial in partials for total in partial]
    return [len(sums), *sorted(set(sums))]


def check(job: int, result: list[int]) -> None:
    """All trees are there, and right."""
    assert result == [job, KNOWN], result
