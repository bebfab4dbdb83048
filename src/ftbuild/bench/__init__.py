"""Measures how threads scale on the two builds of a pair, and what free threading costs.

`asked` reads what is wanted, `pair` chooses the builds, `measure` runs every workload on every arm
round by round (`tasks` makes its input, `schedule` decides the order, `runner` starts one process),
and gives a `Results` document. `summary` computes what follows from it; `text`, `plots`, `page` and
`pyperf` show it; `comparison` sets two beside each other.

`workloads/` holds scripts that the built Pythons run: they use the standard library alone and never
import ftbuild.
"""

from ftbuild.bench.asked import asked
from ftbuild.bench.comparison import compare
from ftbuild.bench.document import load
from ftbuild.bench.measure import measure
from ftbuild.bench.outputs import outputs
from ftbuild.bench.pair import exactly_one_pair, judged, newest_pair

__all__ = [
    "asked",
    "compare",
    "exactly_one_pair",
    "judged",
    "load",
    "measure",
    "newest_pair",
    "outputs",
]
