"""Count the work that threads do in a fixed wall time; prints a JSON array of counts.

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


def count(threads: int, seconds: float) -> dict[str, float]:
    """The work that so many threads do together, and the CPU seconds they were given for it."""
    done = [0] * threads
    until = time.perf_counter() + seconds

    def run(slot: int) -> None:
        done[slot] = work(until)

    crew = [threading.Thread(target=run, args=(slot,)) for slot in range(threads)]
    before = time.process_time()
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return {"work": sum(done), "cpu": time.process_time() - before}


seconds = float(sys.argv[1])
print(json.dumps([count(int(word), seconds) for word in sys.argv[2:]]))
