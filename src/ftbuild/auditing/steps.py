"""The steps of an audit, one after the other: resolve, grade, install, import, judge, advise."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ftbuild import __version__, process
from ftbuild.auditing.findings import (
    Advice,
    Audit,
    Finding,
    Grading,
    Installed,
    Package,
    Probed,
    Target,
    TestsRun,
)
from ftbuild.auditing.grading import graded, looked, nearest_of, sources
from ftbuild.auditing.inputs import Inputs
from ftbuild.auditing.judging import Answer, Questions, advised, findings_of, plainly
from ftbuild.auditing.probing import install, make, probe, run_tests
from ftbuild.auditing.probing.probe import TIMEOUT
from ftbuild.auditing.resolving import Unsatisfiable, resolve
from ftbuild.errors import EnvironmentFault, UsageError
from ftbuild.fetch import simple
from ftbuild.fetch.access import Access
from ftbuild.fetch.origins import Unavailable
from ftbuild.model.events import Measuring, Noted
from ftbuild.provision import World
from ftbuild.store import work
from ftbuild.toolchain import usable_cpus
from ftbuild.wheels.complaints import denied
from ftbuild.wheels.indexes import default_index, redacted, uv_with_indexes
from ftbuild.wheels.options import Options, options_in, variables_in
from ftbuild.wheels.uv import PASSED, Uv, entries_of

_UNTRUSTED = (
    "an audit runs code of the packages: it imports them, in processes of their own and without "
    "your environment, but as you (--no-probe runs none)"
)


_TESTS = 3600.0
"""Seconds that the project's tests may take: it is up to them, but nothing shall hang for ever."""

_UNAUTHORIZED = "401"
"""The HTTP status of an index that wants to know who asks. One that refuses the list of all its
names to everybody has another, 403."""


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How to audit.

    Attributes:
        probe: Whether to install and import.
        build: Whether to compile what has no wheel.
        stress: Whether to call from many threads at once, too.
        tests: A command that runs the project's tests, or an empty text.
        timeout: Seconds that importing one module may take, or None for 30, and more where more
            processes want to run than there are CPUs.
        jobs: Processes at a time, or None for as many as this process may use CPUs.
        offline: Whether to use nothing but what is cached.
        variables: Variables of the caller's environment that the project's addresses may have.
    """

    probe: bool = True
    build: bool = False
    stress: bool = False
    tests: str = ""
    timeout: float | None = None
    jobs: int | None = None
    offline: bool = False
    variables: tuple[str, ...] = ()


def audit(inputs: Inputs, targets: Iterable[Target], how: How, world: World) -> tuple[Audit, ...]:
    """Audit a project's dependencies, for one target after the other.

    Raises:
        UsageError: The inputs cannot be resolved, or something is to be run and nothing to be.
        EnvironmentFault: An index or a tool does not do its part.
        Interrupted: The world was stopped.
    """
    running = {"--build": how.build, "--stress": how.stress, "--tests": how.tests}
    contrary = [option for option, given in running.items() if given and not how.probe]
    if contrary:
        raise UsageError(
            f"--no-probe runs no code of the packages, and {contrary[0]} does",
            hint="Drop one of them.",
        )
    given = (*PASSED, *how.variables)
    stated = options_in([file.path for file in inputs.files], world.env, given)
    if how.probe:
        world.emit(Noted(text=_UNTRUSTED))
    audits = []
    for target in targets:
        with work.scratch_or_temporary(world.layout) as scratch:
            uv, refused = uv_with_indexes(
                world.env,
                inputs.project,
                scratch / "uv",
                offline=how.offline,
                stop=world.stop,
                stated=stated,
                variables=how.variables,
            )
            told = _refusing(inputs, (*_withheld(inputs, stated, world.env, given), *refused))
            access = Access(env=uv.env, stop=world.stop, offline=how.offline, addresses=uv.indexes)
            run = _Run(told, target, how, world, uv=uv, access=access, scratch=scratch)
            audits.append(run.audit())
    return tuple(audits)


def _withheld(
    inputs: Inputs, stated: Options, env: Mapping[str, str], given: Sequence[str]
) -> Iterator[str]:
    """The variables that inputs refer to and do not get, for people."""
    texts = "\n".join(line.root.text for line in inputs.lines)
    for name in dict.fromkeys((*stated.variables, *variables_in(texts, env, given))):
        yield f"the value of ${{{name}}} (--variable {name} gives it)"


def _refusing(inputs: Inputs, refused: Sequence[str]) -> Inputs:
    """Inputs with a note on what they ask for and only the user can say."""
    if not refused:
        return inputs
    note = f"kept from the project, as only you can grant it: {'; '.join(refused)}"
    return msgspec.structs.replace(inputs, notes=(*inputs.notes, note))


def _counted(packages: Sequence[Package]) -> str:
    return f"{len(packages)} package{'s' * (len(packages) != 1)}"


class _Run:
    """An audit for one target under way: what its steps share, and how long each took."""

    def __init__(
        self,
        inputs: Inputs,
        target: Target,
        how: How,
        world: World,
        *,
        uv: Uv,
        access: Access,
        scratch: Path,
    ) -> None:
        self._inputs, self._target, self._how = inputs, target, how
        self._emit, self._stop = world.emit, world.stop
        # What indexes said is kept below a root that is ours, and for this run in any other.
        self._cache = world.layout.index if scratch.parent == world.layout.work else scratch
        self._uv, self._access, self._scratch = uv, access, scratch
        self._seconds: dict[str, float] = {}

    @contextmanager
    def _step(self, name: str, label: str) -> Iterator[None]:
        label = f"{self._target.label}: {label}"
        self._emit(Measuring(task="audit", label=label, done=0, total=1, left=None))
        began = time.monotonic()
        try:
            yield
        finally:
            self._seconds[name] = round(time.monotonic() - began, 3)

    def audit(self) -> Audit:
        target = self._target
        with self._step("resolve", "resolving"):
            packages = self._resolved(self._inputs)
        with self._step("grade", f"looking at what {_counted(packages)} ship"):
            gradings = self._graded(packages)
        installed: Mapping[str, Installed] = {}
        probed: Mapping[str, tuple[Probed, ...]] = {}
        tests = None
        if self._how.probe and (packages or self._how.tests):
            installed, probed, tests = self._tried(packages, gradings)

        def judged(advice: Mapping[str, Advice]) -> tuple[Finding, ...]:
            return findings_of(
                packages, gradings, installed, probed, advice, target=target, tests=tests
            )

        findings = judged({})
        with self._step("advise", "asking for better versions"):
            advice = advised(
                findings,
                target,
                Questions(nearest=self._nearest, allows=self._allows, sources=self._sources),
            )
        return Audit(
            ftbuild=__version__,
            target=target,
            inputs=self._inputs.labels,
            probed=self._how.probe,
            findings=judged(advice),
            tests=tests,
            notes=self._inputs.notes,
            seconds=self._seconds,
        )

    def _resolved(self, inputs: Inputs, *, also: tuple[str, ...] = ()) -> tuple[Package, ...]:
        return resolve(
            inputs,
            self._target,
            self._uv,
            scratch=self._scratch,
            known=self._names,
            also=also,
            build=self._how.probe,
        )

    def _names(self) -> tuple[str, ...]:
        """The names of all packages, to find those like a misspelt one; none if nobody tells.

        Raises:
            EnvironmentFault: An index asks for credentials. With pip's way of choosing among
                several indexes uv does not say so, and takes what it has not seen for missing.
        """
        entries = entries_of(self._uv.settings)
        usual = any(entry.get("default") for entry in entries) or default_index(self._uv)
        words = (*self._uv.indexes, usual if isinstance(usual, str) else None)
        found: set[str] = set()
        for index in filter(None, words):
            try:
                found.update(simple.names(index, access=self._access, cache=self._cache))
            except Unavailable as fault:
                if any(_UNAUTHORIZED in attempt.said for attempt in fault.attempts):
                    raise denied(redacted(index), _UNAUTHORIZED) from None
        return tuple(found)

    def _graded(self, packages: tuple[Package, ...]) -> dict[str, Grading]:
        shipped = looked(
            packages, self._target, access=self._access, cache=self._cache, emit=self._emit
        )
        return {item.name: graded(item, self._target, shipped[item.name]) for item in packages}

    def _tried(
        self, packages: tuple[Package, ...], gradings: Mapping[str, Grading]
    ) -> tuple[Mapping[str, Installed], Mapping[str, tuple[Probed, ...]], TestsRun | None]:
        """Install, import, and run the project's tests."""
        how, tests = self._how, None
        jobs = how.jobs or usable_cpus()
        with self._step("install", f"installing {_counted(packages)}"):
            place = make(self._target, self._scratch, self._uv)
            installed = install(
                packages,
                gradings,
                place,
                self._uv,
                build=how.build,
                jobs=jobs,
                emit=self._emit,
            )
        with self._step("probe", "importing"):
            probed = probe(
                place,
                self._target,
                packages,
                jobs=jobs,
                timeout=how.timeout or TIMEOUT * process.load(),
                stress=how.stress,
                emit=self._emit,
                stop=self._stop,
            )
        if how.tests:
            with self._step("tests", "running the project's tests"):
                tests = run_tests(
                    how.tests,
                    place,
                    self._inputs.project,
                    timeout=_TESTS,
                    stop=self._stop,
                    emit=self._emit,
                )
        return installed, probed, tests

    def _nearest(self, item: Finding) -> tuple[str, str] | None:
        if item.package.index is None:
            raise EnvironmentFault("it comes from a directory or a page of links")
        found = nearest_of(item.package, self._target, access=self._access, cache=self._cache)
        return None if found is None else (found.version, found.wheel.name)

    def _sources(self, item: Finding) -> tuple[str, ...]:
        sdist = item.package.sdist
        if sdist is None or item.package.index is None:
            return ()
        return sources(sdist, access=self._access, cache=self._cache)

    def _allows(self, requirement: str) -> Answer:
        try:
            self._resolved(self._inputs, also=(requirement,))
        except Unsatisfiable as refused:
            if not self._inputs.pins:
                return Answer(allowed=False, why=plainly(refused.reason, requirement))
        except (EnvironmentFault, UsageError) as error:
            return Answer(allowed=None, why=error.message)
        else:
            return Answer(allowed=True)
        # A lock or an environment holds every version; ask what the project itself has to say.
        free = msgspec.structs.replace(self._inputs, pins=())
        try:
            self._resolved(free, also=(requirement,))
        except Unsatisfiable as refused:
            return Answer(allowed=False, why=plainly(refused.reason, requirement))
        except (EnvironmentFault, UsageError) as error:
            return Answer(allowed=None, why=error.message)
        return Answer(allowed=True, unlocked=True)
