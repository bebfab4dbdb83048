"""Imports a package's modules from many threads at once, then calls what is in them.

    python -I -B stressing.py FOLDER SECONDS THREADS MODULE...

Modest, and honest about it. First each thread imports all the modules, in another order. Then all
of them, for so many seconds, use what the *extension* modules offer: functions are called without
arguments; classes are instantiated without arguments, and all threads read the attributes of one
such object, hash it, compare, print and copy it, and call its methods without arguments. Python
functions are left alone: what a crash would blame is in C, and what they do to files or services
nobody knows. What a name says of ending, waiting, removing and the like is left alone, too.

Beforehand a single thread does the same in a fork, and what does not return, or slowly, is left
out: that may be a fault, but none of threads. Exceptions are answers. So what remains to be seen is
a crash, or that the threads never end.

The report goes to FOLDER/0, as that of `importing.py`.
"""

import faulthandler
import functools
import importlib
import mmap
import os
import re
import signal
import sys
import threading
import time
import types
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from typing import Any

_here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
sys.path.insert(0, _here)  # -I leaves it out
import importing  # noqa: E402
import witness  # noqa: E402

sys.path.remove(_here)

LONG = 0.05
"""Seconds that one use of an object may take to be repeated."""

SILENT = 3.0
"""Seconds more than planned after which a trial is given up."""

TRIALS = 10
"""How many trials may fail before nothing is called at all."""

MOST = 400
"""Objects to use; the largest extension modules offer thousands of the same kind."""

QUICK, BUSY, SLOW, FATAL = 1, 2, 3, 4
"""What is known of an object."""

LEFT_ALONE = frozenset(
    {"abort", "crash", "dealloc", "decref", "exit", "fault", "finalize", "free", "halt", "incref"}
    | {"kill", "quit", "raise", "segfault", "sigsegv", "signal", "suspend", "terminate"}
    | {"accept", "acquire", "breakpoint", "connect", "debug", "input", "interact", "join", "listen"}
    | {"lock", "pause", "poll", "read", "recv", "release", "select", "serve", "sleep", "wait"}
    | {"exec", "fork", "main", "run", "show", "spawn", "start", "stop", "system", "test", "tests"}
    | {"close", "del", "delete", "destroy", "download", "install", "open", "remove", "rmtree"}
    | {"shutdown", "truncate", "uninstall", "unlink", "upload", "write"}
)
"""Words that in the name of a function say that it is not to be called."""

FUNCTIONS = ("builtin_function_or_method", "cython_function_or_method", "fused_cython_function")


@functools.cache
def harmless(name: str) -> bool:
    """Whether a name is public and says nothing of ending, waiting or removing.

    >>> harmless("count"), harmless("wait_all"), harmless("runTests"), harmless("_private")
    (True, False, False, False)
    """
    words = re.findall(r"[a-z0-9]+|[A-Z][a-z0-9]*", name)
    return not name.startswith("_") and LEFT_ALONE.isdisjoint(map(str.lower, words))


def native(module: types.ModuleType) -> bool:
    """Whether it is an extension module."""
    return str(getattr(module, "__file__", "")).endswith(tuple(EXTENSION_SUFFIXES))


def offered(names: list[str]) -> list[Any]:
    """Functions and classes of the extension modules among these, always in the same order."""
    found: dict[int, Any] = {}
    for name in names:
        module = sys.modules.get(name)
        for key in sorted(vars(module)) if module is not None and native(module) else ():
            value = getattr(module, key, None)
            usable = isinstance(value, type) or type(value).__name__ in FUNCTIONS
            foreign = getattr(value, "__module__", name) in sys.stdlib_module_names
            if usable and not foreign and harmless(key):
                found.setdefault(id(value), value)
    return list(found.values())[:MOST]


def attempt(function: Callable[..., Any], *given: Any) -> Any:
    """What a call returns, or the exception it raises."""
    try:
        return function(*given)
    except BaseException as error:  # noqa: BLE001 - an exception is an answer
        return error


def use(value: Any, shared: Any) -> None:
    """Use a function; or a class, and the object of it that all threads share."""
    made = attempt(value)
    if not isinstance(value, type):
        return
    for thing in (made, shared):
        if not isinstance(thing, value):
            continue
        for look in (repr, hash, dir, len, list):
            attempt(look, thing)
        attempt(lambda thing=thing: thing == shared)
        attempt(lambda thing=thing: thing.__copy__())
        for name in attempt(dir, thing):
            if harmless(name):
                got = attempt(getattr, thing, name)
                if type(got).__name__ in FUNCTIONS:
                    attempt(got)


def together(count: int, work: Callable[[int], None]) -> None:
    """Do something in so many threads, beginning at the same time."""
    barrier = threading.Barrier(count)

    def body(number: int) -> None:
        barrier.wait()
        attempt(work, number)

    threads = [threading.Thread(target=body, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def exercise(names: list[str], states: mmap.mmap, seconds: float, count: int) -> None:
    """Import the modules, then use what they offer, for so long and from so many threads.

    `states` has a byte for each object: those marked as slow or fatal are not used, and what they
    come to is written there.
    """

    def load(number: int) -> None:
        for index in range(len(names)):
            attempt(importlib.import_module, names[(index + number) % len(names)])

    together(count, load)
    things = []
    for index, value in enumerate(offered(names)):
        if states[index] not in (SLOW, FATAL):
            states[index] = BUSY
            things.append((index, value, attempt(value)))
            states[index] = QUICK
    end = time.monotonic() + seconds

    def work(number: int) -> None:
        # Half of them backwards: all threads at the same object, and at any two of them.
        order = things[:: -1 if number % 2 else 1]
        while order and time.monotonic() < end:
            for index, value, shared in order:
                began = time.monotonic()
                if states[index] != SLOW and began < end:
                    states[index] = BUSY
                    use(value, shared)
                    slow = time.monotonic() - began > LONG
                    states[index] = SLOW if slow else QUICK

    together(count, work)


def trial(names: list[str], states: mmap.mmap, seconds: float) -> bool:
    """The same from a single thread, in a fork; whether there may be something left to find out."""
    child = os.fork()
    if not child:
        exercise(names, states, seconds, 1)
        os._exit(0)
    deadline = time.monotonic() + seconds + SILENT
    while not (status := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)
    fatal = [index for index in range(MOST) if status[1] and states[index] == BUSY]
    for index in fatal:
        states[index] = FATAL
    if status[1] and not fatal:
        states[:] = bytes([FATAL]) * MOST  # whatever it was, nothing is safe to call
    return bool(fatal)


def stress(names: list[str], seconds: float, count: int, file: Any) -> None:
    """Try with one thread what can be used; then use it with many."""
    states = mmap.mmap(-1, MOST)
    for _ in range(TRIALS):
        if not trial(names, states, seconds / 2):
            break
    else:
        states[:] = bytes([FATAL]) * MOST
    # Not before: what a trial dies of is of no interest.
    faulthandler.enable(file)
    exercise(names, states, seconds, count)


def main() -> None:
    """Do what the arguments say, and leave without waiting for threads or running exit handlers."""
    folder, seconds, count, *names = sys.argv[1:]
    del sys.argv[1:]
    pid = os.getpid()
    witness.start()
    began = time.perf_counter()
    with open(f"{folder}/fault", "w", encoding="utf-8") as file:  # noqa: PTH123
        stress(names, float(seconds), int(count), file)
    if os.getpid() == pid:
        found = {
            "seconds": time.perf_counter() - began,
            "gil": witness.gil(),
            "culprits": witness.culprits(),
            "error": None,
            "lacks": None,
        }
        importing.report(f"{folder}/0", found)
    os._exit(0)


if __name__ == "__main__":
    main()
