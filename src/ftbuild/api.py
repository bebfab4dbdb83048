"""What ftbuild does, as functions: what `import ftbuild` offers.

```python
import ftbuild

world = ftbuild.world("/opt/pythons", emit=print)
for outcome in ftbuild.build("3.14", world=world).outcomes:
    if outcome.error:
        raise outcome.error
[python] = ftbuild.installed("3.14t", world=world)
print(python.python, all(report.ok for report in ftbuild.verify("3.14", world=world)))
[audit] = ftbuild.audit("numpy", python="3.14t", world=world)
print([finding.package.name for finding in audit.blocking])
```

The command line calls the same functions of the layers below, with the same types. What goes wrong
in a way that is to be expected is raised as an `FtbuildError`, which says what happened, what to
do next (`hint`) and where the log is; a build that fails is an `Outcome` with its error instead,
because others of the same call may have succeeded. All functions may be called from any thread;
what they started ends when `World.stop` is set, and when Ctrl-C interrupts a call.

A type not described here is what the fields' docstrings in its module say. Names outside this page
may change in any release.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ftbuild import catalogue, provision
from ftbuild.archive.stores import Archives
from ftbuild.building.given import NOTHING_GIVEN, Given
from ftbuild.errors import UsageError
from ftbuild.fetch.sources import Sources
from ftbuild.files import expand_home
from ftbuild.model.events import Emit, Event, Warned
from ftbuild.model.manifest import Installation
from ftbuild.model.report import Report, expect
from ftbuild.model.spec import BuildSpec
from ftbuild.model.versions import Request, parse_requests
from ftbuild.provision import Options, Summary, World
from ftbuild.store.layout import layout_of, open_root, root_complaints
from ftbuild.store.listing import Damaged, damaged, meant
from ftbuild.verifying import FULL, files

if TYPE_CHECKING:  # imported when it is wanted: it takes longer than all the rest
    from ftbuild.auditing import Audit, How


def world(
    root: str | Path = "",
    *,
    recipes: str | Path | Sequence[str | Path] = (),
    mirrors: str | Path | Sequence[str | Path] = (),
    archive_stores: str | Path | Sequence[str | Path] = (),
    offline: bool = False,
    env: Mapping[str, str] | None = None,
    emit: Emit | None = None,
    stop: threading.Event | None = None,
    given: Given = NOTHING_GIVEN,
) -> World:
    """What the other functions work with. Nothing is read but recipes, and nothing is written.

    Args:
        root: Where everything lives; the command line's own choice without one: `FTBUILD_ROOT`,
            else `~/.local/share/ftbuild`.
        recipes: Folders of recipes of your own, laid over ftbuild's and the user's.
        mirrors: Base URLs or directories asked first for sources, before those of `FTBUILD_MIRROR`.
        archive_stores: Directories or addresses of packed builds, which save compiling, before
            those of `FTBUILD_ARCHIVE_STORE`.
        offline: Whether to use the cache of sources and local archives alone.
        env: The environment, for this and for what is run; that of this process without one.
        emit: Receives events (`ftbuild.model.events`) from any thread; nobody without one.
        stop: Ends whatever goes on when set, with `Interrupted`.
        given: Releases that the catalogue need not know.

    Raises:
        UsageError: A recipe is wrong, or a store is neither a directory nor an address.
    """
    env = os.environ if env is None else env
    emit = emit or _nobody
    stop = stop or threading.Event()
    layout = layout_of(root_of(root, env))
    known = given.added_to(catalogue.load(recipe_folders(recipes, env)))
    return World(
        catalogue=known,
        layout=layout,
        env=env,
        emit=emit,
        stop=stop,
        sources=Sources(
            catalogue=known,
            cache=layout.sources,
            mirrors=(*_words(mirrors), *_listed(env, "FTBUILD_MIRROR")),
            given=given.tarballs,
            env=env,
            emit=emit,
            stop=stop,
            offline=offline,
        ),
        checks=FULL,
        archives=Archives(
            (
                str(layout.archives),
                *_words(archive_stores),
                *_listed(env, "FTBUILD_ARCHIVE_STORE"),
            ),
            env=env,
            emit=emit,
            stop=stop,
            offline=offline,
        ),
    )


def resolve(
    *versions: str, options: Options | None = None, world: World | None = None
) -> tuple[BuildSpec, ...]:
    """What `build` would make of the same words on this host. Asks no network, writes nothing.

    A series is resolved to the newest release of which the source is in the cache, else to the
    newest in the catalogue.

    Args:
        versions: `3.14` (both builds), `3.14t`, `3.14+gil`, `3.14.7`, `3.15.0rc1t`, `3.14t+tsan`.
        options: How to build.
        world: Where; `ftbuild.world()` without one.

    Returns:
        One specification for each build, in the order asked for. Equal digests mean
        interchangeable builds.

    Raises:
        UsageError: The catalogue has no such release or profile.
        EnvironmentFault: There is no compiler or no make.
    """
    where = world or _default()
    return provision.specify(_requests(versions), options or Options(), where)


def build(*versions: str, options: Options | None = None, world: World | None = None) -> Summary:
    """Make sure that builds are there: fetched, verified, built, installed, proven and linked.

    What is installed already is left alone, and what can be had as an archive is unpacked.

    Args:
        versions: As for `resolve`.
        options: How to build.
        world: Where; `ftbuild.world()` without one.

    Returns:
        An outcome for each build, in the order asked for, and the verdicts on pairs. Where a build
        failed, its outcome has the error.

    Raises:
        UsageError: The catalogue has no such release or profile, or the root cannot be used.
        EnvironmentFault: There is no compiler, no source, no space: nothing was started.
        Interrupted: The world was stopped.
    """
    where = world or _default()
    layout = open_root(where.layout.root)
    for text in root_complaints(layout, user=os.geteuid()):
        where.emit(Warned(text=text))
    return provision.provide(_requests(versions), options or Options(), where)


def installed(*versions: str, world: World | None = None) -> tuple[Installation, ...]:
    """The installed builds that words mean; all of them without a word.

    Args:
        versions: As for `resolve`; a series means its newest installed release.
        world: Where; `ftbuild.world()` without one.

    Raises:
        UsageError: Nothing installed fits a word; the hint has the command that builds it.
    """
    where = world or _default()
    default = where.catalogue.default_profile
    return meant(where.layout, parse_requests(versions), default_profile=default)


def verify(*versions: str, hashes: bool = False, world: World | None = None) -> tuple[Report, ...]:
    """Prove again that installed builds are what they say, and that pairs match.

    Args:
        versions: As for `installed`.
        hashes: Compare every file with its recorded hash instead.
        world: Where; `ftbuild.world()` without one.

    Returns:
        A report for each build, and then one for each pair of which both builds are meant; without
        a word, at last one that failed for each damaged build. `Report.ok` tells whether nothing
        failed.

    Raises:
        UsageError: Nothing installed fits a word.
        Interrupted: The world was stopped.
    """
    where = world or _default()
    found = installed(*versions, world=where)
    broken = () if versions else tuple(map(_damaged, damaged(where.layout)))
    if hashes:
        return (*provision.check(found, where, checks=(files,)), *broken)
    reports = provision.check(found, where, checks=where.checks)
    return (*reports, *provision.judge_pairs(found, where.layout, again=True), *broken)


def audit(
    *inputs: str,
    python: str | Sequence[str] = (),
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    how: How | None = None,
    world: World | None = None,
) -> tuple[Audit, ...]:
    """Audit a project's dependencies for free threading, with an installed free-threaded build.

    They are resolved, what each ships is graded, and every extension module is imported in a
    process of its own, which runs code of the packages unless `how` says otherwise.

    Args:
        inputs: Projects, requirements or lock files, virtual environments, or requirements
            (`"numpy<3"`); the current directory without one.
        python: The free-threaded builds: `"3.14t"`; the newest installed one without a word.
        extras: Extras of the project.
        groups: Dependency groups of the project.
        how: What to try, for how long, with how many processes.
        world: Where; `ftbuild.world()` without one.

    Returns:
        One audit for each build.

    Raises:
        UsageError: The inputs cannot be resolved; no such build is installed, or it has the GIL.
        EnvironmentFault: An index or a tool does not do its part.
        Interrupted: The world was stopped.
    """
    from ftbuild import auditing  # noqa: PLC0415 - see above

    where = world or _default()
    builds = auditing.builds(
        parse_requests((python,) if isinstance(python, str) else python),
        where.layout,
        default_profile=where.catalogue.default_profile,
    )
    targets = [auditing.target_of(build, where.env) for build in builds]
    asked = auditing.read_inputs(inputs, extras=extras, groups=groups, cwd=Path.cwd())
    return auditing.audit(asked, targets, how or auditing.How(), where)


def root_of(root: str | Path, env: Mapping[str, str]) -> Path:
    """The root that is named, else the environment's, else the user's own.

    Raises:
        UsageError: None is named, and there is no home directory.
    """
    # The same place on macOS: its own data directory has a space in its name.
    named = root or env.get("FTBUILD_ROOT") or _own("XDG_DATA_HOME", ".local/share", env)
    if named is None:
        raise UsageError(
            "there is no home directory for a root: neither HOME nor the system's list of users "
            "names one",
            hint="Name a directory with --root or FTBUILD_ROOT.",
        )
    return Path(named)


def recipe_folders(
    recipes: str | Path | Sequence[str | Path], env: Mapping[str, str]
) -> list[Path]:
    """The user's folders of recipes, in the order they are laid over ftbuild's own."""
    own = _own("XDG_CONFIG_HOME", ".config", env)
    folders = [own / "recipes"] if own and (own / "recipes").is_dir() else []
    return [*folders, *(expand_home(Path(folder)) for folder in _words(recipes))]


def _own(variable: str, usual: str, env: Mapping[str, str]) -> Path | None:
    """The user's folder for ftbuild, if there is a home for one.

    The XDG specification has a relative path disregarded.
    """
    named = Path(env.get(variable, ""))
    if named.is_absolute():
        return named / "ftbuild"
    try:
        return Path(env.get("HOME") or Path.home(), usual, "ftbuild")
    except RuntimeError:  # no HOME, and no such user
        return None


def _damaged(item: Damaged) -> Report:
    """What verifying has to say of a build that is damaged."""
    check = expect("manifest", "a whole record of the build", item.why, item.remedy)
    return Report(kind="verify", subject=item.prefix.name, checks=(check,))


def _words(given: str | Path | Sequence[str | Path]) -> tuple[str, ...]:
    """One word, or several: a text is a sequence, too, and nobody means its letters."""
    return (str(given),) if isinstance(given, str | Path) else tuple(map(str, given))


def _default() -> World:
    return world()


def _requests(versions: Sequence[str]) -> tuple[Request, ...]:
    requests = parse_requests(versions)
    if not requests:
        raise UsageError("no version was named", hint='For instance: ftbuild.build("3.14t")')
    return requests


def _listed(env: Mapping[str, str], variable: str) -> tuple[str, ...]:
    """The words of a comma-separated environment variable."""
    return tuple(filter(None, env.get(variable, "").split(",")))


def _nobody(_event: Event) -> None:
    """Receives events where nobody wants them."""
