"""Count the work that threads do in a fixed wall time; prints a JSON array of totals.

Arguments: the seconds, then numbers of threads, each measured in turn.
"""

import json
import sys
import threading
import time

_STEPS = 2000
"""Steps between two looks at the clock: some 50 microseconds."""


def work(until: float) -> int:
    """Steps of plain arithmetic on local integers done before a time; no shared object in sight."""
    rounds = 0
    value = 1
    while time.perf_counter() < until:
        for step in range(_STEPS):
            value = (value * 31 + step) & 0xFFFF
        rounds += 1
    return rounds


def total(threads: int, seconds: float) -> int:
    """The rounds that so many threads do together."""
    done = [0] * threads
    ready = threading.Barrier(threads)

    def count(slot: int) -> None:
        ready.wait()
        done[slot] = work(time.perf_counter() + seconds)

    crew = [threading.Thread(target=count, args=(slot,)) for slot in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return sum(done)


seconds = float(sys.argv[1])
print(json.dumps([total(int(word), seconds) for word in sys.argv[2:]]))
