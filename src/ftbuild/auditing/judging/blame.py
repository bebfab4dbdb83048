"""What counts against which package.

Importing one package imports those that it requires. An extension module of another package that
switches the GIL on meanwhile counts against that other one, and a package cannot be judged by
imports that fail because something it requires is not there, or takes the interpreter down itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from packaging.utils import canonicalize_name

from ftbuild.auditing.findings import Audit, Culprit, Ending, Installed, Package, Probed

CRASHES = frozenset({Ending.CRASHED, Ending.HUNG})


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks for and against one package.

    Attributes:
        probed: Its modules, without those whose end is another package's doing.
        culprits: Its extension modules that switch the GIL on, whoever's import showed it.
        brings: The packages it imports that switch the GIL on.
        waits: Why some of its modules cannot be judged yet; empty if all can.
    """

    probed: tuple[Probed, ...] = ()
    culprits: tuple[Culprit, ...] = ()
    brings: tuple[str, ...] = ()
    waits: str = ""


def evidence(
    packages: Iterable[Package],
    installed: Mapping[str, Installed],
    probed: Mapping[str, tuple[Probed, ...]],
    also: Iterable[Culprit] = (),
) -> dict[str, Evidence]:
    """The evidence on every package, by its name.

    Args:
        packages: All packages of the project.
        installed: What came of installing them.
        probed: What came of importing their modules.
        also: Culprits that the project's tests met.
    """
    required = requirements(packages)
    theirs = _culprits(required, probed, also)
    # What has no wheel was not even tried, unless it was to be compiled.
    there = {name for name, item in installed.items() if item.how is not None}
    absent = required.keys() - there if installed else frozenset()
    crashing = {name for name in required if any(map(_crashes, probed.get(name, ())))}
    found = {}
    for name, needed in required.items():
        own = probed.get(name, ())
        # Of two that require each other, neither is the cause of the other's end.
        below = sorted(other for other in needed if name not in required[other])
        gone = [other for other in below if other in absent]
        worse = [other for other in below if other in crashing]
        kept = tuple(
            item
            for item in own
            if not (worse and _crashes(item)) and not (gone and _for_want(item, own))
        )
        waits = ""
        if len(kept) < len(own):
            waits = (
                f"requires {gone[0]}, which is not installed"
                if gone
                else f"requires {worse[0]}, which takes the interpreter down"
            )
        seen = {owner for item in own for owner in _owners(item, name, required)}
        if any(item.ending is Ending.GIL and not item.culprits for item in own):
            seen |= needed & theirs.keys()
        found[name] = Evidence(
            probed=kept,
            culprits=theirs.get(name, ()),
            brings=tuple(sorted(seen - {name})),
            waits=waits,
        )
    return found


def culprits_in(audit: Audit) -> dict[str, tuple[Culprit, ...]]:
    """The extension modules that switch the GIL on, by the name of their package."""
    return _culprits(
        requirements(item.package for item in audit.findings),
        {item.package.name: item.probed for item in audit.findings},
        audit.tests.culprits if audit.tests else (),
    )


def requirements(packages: Iterable[Package]) -> dict[str, frozenset[str]]:
    """What every package requires, directly or not: all of them by name, none its own."""
    known = tuple(packages)
    direct: dict[str, set[str]] = {package.name: set() for package in known}
    for package in known:
        for parent in package.via:
            if parent in direct:
                direct[parent].add(package.name)
    closed = {}
    for name in direct:
        reached: set[str] = set()
        due = [name]
        while due:
            fresh = direct[due.pop()] - reached
            reached |= fresh
            due += fresh
        closed[name] = frozenset(reached - {name})
    return closed


def _crashes(item: Probed) -> bool:
    """Whether importing alone takes the interpreter down."""
    return item.ending in CRASHES and not item.stress


def _for_want(item: Probed, own: Iterable[Probed]) -> bool:
    """Whether an import may have failed for want of a requirement, not of something optional."""
    if item.ending is not Ending.FAILED:
        return False
    return item.needs is None or any(
        top.ending is Ending.FAILED and not top.extension for top in own
    )


def _owners(item: Probed, name: str, known: Mapping[str, object]) -> Iterable[str]:
    return (_owner(culprit, name, known) for culprit in item.culprits)


def _owner(culprit: Culprit, seen_by: str, known: Mapping[str, object]) -> str:
    """Whose a culprit is: the one whose import showed it, where nobody else can be named."""
    name = canonicalize_name(culprit.distribution or "")
    return name if name in known else seen_by


def _culprits(
    required: Mapping[str, frozenset[str]],
    probed: Mapping[str, tuple[Probed, ...]],
    also: Iterable[Culprit],
) -> dict[str, tuple[Culprit, ...]]:
    """The culprits of every package that has any, each once, by module."""
    met = [
        (_owner(culprit, name, required), culprit)
        for name, items in probed.items()
        for item in items
        for culprit in item.culprits
    ]
    # What the tests met and no package of the project has is not about the dependencies.
    met += [(_owner(culprit, "", required), culprit) for culprit in also]
    found: dict[str, dict[str, Culprit]] = {}
    for owner, culprit in sorted(met, key=lambda pair: _telling(pair[1])):
        if owner:
            found.setdefault(owner, {}).setdefault(culprit.module, culprit)
    for name, items in probed.items():
        nobody = [item for item in items if item.ending is Ending.GIL and not item.culprits]
        if nobody and not (required[name] | {name}) & found.keys():
            module = nobody[0].module
            found[name] = {module: Culprit(module=module, distribution=name, chain=(module,))}
    return {
        owner: tuple(culprits[module] for module in sorted(culprits))
        for owner, culprits in found.items()
    }


def _telling(culprit: Culprit) -> tuple[bool, int, tuple[str, ...]]:
    """A culprit met on the way that users take tells more than one imported by its full name."""
    return len(culprit.chain) <= 1, len(culprit.chain), culprit.chain
