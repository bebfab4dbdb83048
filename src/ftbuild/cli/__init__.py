"""The command line: each task reads its options, calls one function, renders what came of it.

The same functions serve as `ftbuild TASK` (through `program.Program`) and `inv TASK` in a checkout.
Only this package reads the environment and catches signals.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from typing import NoReturn

from invoke.collection import Collection

import ftbuild
from ftbuild.catalogue import own_checkout
from ftbuild.cli.attesting import attest_verify
from ftbuild.cli.auditing import audit
from ftbuild.cli.building import build, doctor, fetch, install, pack, upgrade
from ftbuild.cli.cataloguing import catalogue, catalogue_update
from ftbuild.cli.exporting import export_nox, export_toolcache, export_tox, export_uv
from ftbuild.cli.imaging import image_assemble, image_build, image_render, image_verify
from ftbuild.cli.keeping import gc, list_, profiles, remove, run, show, verify, which
from ftbuild.cli.linking import link_path, link_pyenv, unlink_path, unlink_pyenv
from ftbuild.cli.measuring import bench, compare
from ftbuild.program import Program

namespace = Collection(
    build,
    fetch,
    doctor,
    list_,
    show,
    profiles,
    which,
    run,
    verify,
    pack,
    install,
    upgrade,
    remove,
    gc,
)
_cataloguing = Collection("catalogue")
_cataloguing.add_task(catalogue, default=True)
_cataloguing.add_task(catalogue_update)
namespace.add_collection(_cataloguing)
_measuring = Collection("bench")
_measuring.add_task(bench, default=True)
_measuring.add_task(compare)
namespace.add_collection(_measuring)
namespace.add_task(audit)
_attesting = Collection("attest")
_attesting.add_task(attest_verify)
namespace.add_collection(_attesting)
_imaging = Collection("image")
for part in (image_build, image_verify, image_render, image_assemble):
    _imaging.add_task(part)
namespace.add_collection(_imaging)
_exporting = Collection("export", export_uv, export_toolcache, export_tox, export_nox)
namespace.add_collection(_exporting)
namespace.add_collection(Collection("link", link_pyenv, link_path))
namespace.add_collection(Collection("unlink", unlink_pyenv, unlink_path))


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the `ftbuild` command and exit."""
    _hear_signals()
    program = Program(
        name="ftbuild",
        binary="ftbuild",
        version=ftbuild.__version__,
        namespace=_checkout_tasks() or namespace,
    )
    program.run(None if argv is None else ["ftbuild", *argv])
    raise SystemExit(0)


_AGAIN = 10.0
"""Seconds in which further signals do not cut short what the first one began. A terminal that goes
away sends two of them, and clearing up takes four, or more where a container engine does it."""


def _hear_signals() -> None:
    """Have signals end a run as Ctrl-C does: what it started is stopped, nothing half-made left.

    Those that are ignored from the start stay so: SIGHUP below `nohup`, SIGINT and SIGQUIT in the
    background of a script.
    """
    heard: list[float] = []

    def end(_number: int, _frame: object) -> None:
        if not heard or time.monotonic() - heard[-1] > _AGAIN:
            heard.append(time.monotonic())
            raise KeyboardInterrupt
        with contextlib.suppress(OSError):  # not by way of a buffer that may be in use
            os.write(2, b"ftbuild: clearing up; this takes some seconds\n")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        if number is signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)


def _checkout_tasks() -> Collection | None:
    """In a checkout, the namespace of `tasks.py`: ours and the contributors' tasks."""
    checkout = own_checkout()
    path = checkout / "tasks.py" if checkout else None
    if path is None or not path.is_file():
        return None
    spec = spec_from_file_location("tasks", path)
    assert spec is not None  # noqa: S101 - it is for a path that ends in .py
    assert spec.loader is not None  # noqa: S101
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Collection = module.namespace
    return found
