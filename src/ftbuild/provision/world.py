"""What a run works with: the options, the catalogue, the places, where events go."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import msgspec

from ftbuild.archive.stores import Archives
from ftbuild.fetch.sources import Sources
from ftbuild.model.events import Emit
from ftbuild.model.recipes import Catalogue
from ftbuild.provision.training import Training
from ftbuild.store.layout import Layout
from ftbuild.verifying import Checker


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to build, beyond what a request says.

    Attributes:
        profile: The profile, or None for the catalogue's default.
        compiler: `auto`, `gcc`, `clang`, `clang-19` or a path.
        jobs: Parallel jobs over all builds, or None for the CPUs this process may use.
        configure_args: Further arguments for configure.
        force: Build again what is installed already.
        fail_fast: Stop the other builds when one fails.
        pgo_fallback: Build without PGO where the training run fails.
        profile_data: Training profiles that the user gives, as `provision.given_profiles` reads
            them.
        retrain: Train even where a stored profile would do.
        debug_info: Keep debug information.
    """

    profile: str | None = None
    compiler: str = "auto"
    jobs: int | None = None
    configure_args: tuple[str, ...] = ()
    force: bool = False
    fail_fast: bool = False
    pgo_fallback: bool = False
    profile_data: tuple[Training, ...] = ()
    retrain: bool = False
    debug_info: bool = False


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What a run works with.

    Attributes:
        catalogue: What can be built.
        layout: The places below the root.
        env: The caller's environment.
        emit: Receives events.
        stop: Ends the run when set.
        sources: Delivers verified tarballs.
        checks: What a build must pass before it is linked.
        archives: Packed builds, which save compiling.
    """

    catalogue: Catalogue
    layout: Layout
    env: Mapping[str, str]
    emit: Emit
    stop: threading.Event
    sources: Sources
    checks: Sequence[Checker]
    archives: Archives
