from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.auditing.probing.frames import MOST, frames, telling

SITE = "/work/venv/lib/python3.14t/site-packages"

CRASHED = f"""\
Fatal Python error: Segmentation fault

<Cannot show all threads while the GIL is disabled>
Stack (most recent call first):
  File "<frozen importlib._bootstrap>", line 491 in _call_with_frames_removed
  File "{SITE}/foo/bar.py", line 12 in work
  File "{SITE}/foo/__init__.py", line 3 in <module>
  File "/src/ftbuild/auditing/probes/importing.py", line 40 in load

Current thread's C stack trace (most recent call first):
  Binary file "/work/venv/bin/python", at _Py_DumpStack+0x29 [0x5558c1096f69]
  Binary file "/lib/x86_64-linux-gnu/libc.so.6", at +0x3c050 [0x7ff6b49d6050]
  Binary file "{SITE}/foo/_core.so", at start+0x13 [0x7ff6b2608414]

Extension modules: foo._core (total: 1)
"""

THREADS = """\
Fatal Python error: Aborted

Thread 0x00007f (most recent call first):
  File "/lib/python3.13/queue.py", line 1 in get

Current thread 0x00007e [python] (most recent call first):
  File "a.py", line 2 in inner

Thread 0x00007d (most recent call first):
  File "b.py", line 3 in other
"""


def test_native_frames_of_packages_come_before_pythons() -> None:
    assert frames(CRASHED) == (
        "foo/_core.so at start+0x13",
        "foo/bar.py:12 in work",
        "foo/__init__.py:3 in <module>",
    )


def test_the_current_thread_is_the_one_that_counts() -> None:
    assert frames(THREADS) == ("a.py:2 in inner",)


def test_a_deep_stack_is_cut() -> None:
    lines = "\n".join(f'  File "a.py", line {n} in f' for n in range(100))
    assert len(frames(f"Stack (most recent call first):\n{lines}")) == MOST


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("hello\nFatal Python error: none_dealloc: bad\n", "Fatal Python error: none_dealloc: bad"),
        ("Fatal Python error: Segmentation fault\n\n", ""),
        ("python: a.c:3: f: Assertion `x' failed.", "python: a.c:3: f: Assertion `x' failed."),
        ("terminate called after throwing an instance of 'X'", None),
        ("thread 'main' panicked at src/lib.rs:1", None),
        ("nothing of note", ""),
    ],
)
def test_the_line_that_says_why(said: str, told: str | None) -> None:
    assert telling(said) == (said if told is None else told)


@given(st.text())
def test_anything_may_be_said(text: str) -> None:
    assert len(frames(text)) <= MOST
    assert len(telling(text)) <= 300
