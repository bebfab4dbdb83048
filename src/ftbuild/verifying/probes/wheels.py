"""Import numpy, and a module that is pure Python, and compute something with threads.

Argument: the name of that module. Prints one JSON object.
"""

import importlib
import json
import sys
import threading

import numpy as np

_SIZE = 64
_THREADS = 4

pure = importlib.import_module(sys.argv[1])
matrix = np.arange(_SIZE * _SIZE, dtype=np.int64).reshape(_SIZE, _SIZE) % 7
expected = [
    [sum(a * b for a, b in zip(row, column)) for column in zip(*matrix.tolist())]  # noqa: B905
    for row in matrix.tolist()
]
products = [None] * _THREADS


def multiply(slot: int) -> None:
    """The product of the matrix with itself."""
    products[slot] = (matrix @ matrix).tolist()


crew = [threading.Thread(target=multiply, args=(slot,)) for slot in range(_THREADS)]
for thread in crew:
    thread.start()
for thread in crew:
    thread.join()
print(
    json.dumps(
        {
            "right": products == [expected] * _THREADS,
            "gil": sys._is_gil_enabled(),  # noqa: SLF001 - the documented name
            "place": pure.__file__ or "",
        }
    )
)
