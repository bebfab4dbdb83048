"""Results on builds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ftbuild import catalogue as recipes
from ftbuild.console import columns, complain, duration, report_text, say, size
from ftbuild.errors import Interrupted, Refused
from ftbuild.export.links import Link
from ftbuild.fetch import Fetched, printable
from ftbuild.fetch.signing import Signature, Unsigned
from ftbuild.fetch.sources import Sources
from ftbuild.model.manifest import Installation
from ftbuild.model.recipes import Catalogue
from ftbuild.model.report import Report
from ftbuild.model.training import TrainingProfile
from ftbuild.model.versions import build_name, newest_first, series_of
from ftbuild.provision import Brought, Packed, Summary
from ftbuild.render.documents import (
    damaged_fields,
    installation_fields,
    kind_of,
    outcome_fields,
    print_json,
    refuse,
    report_fields,
    signature_fields,
    signature_text,
)
from ftbuild.render.links import MARKS, link_fields, path_text
from ftbuild.store.collect import Collected
from ftbuild.store.layout import Layout
from ftbuild.store.listing import Damaged, is_linked, nothing_in
from ftbuild.toolchain import Diagnosis, Finding

_SHOWN = 5
"""Paths that a line names before it only counts."""


def summary(done: Summary, layout: Layout, *, json: bool) -> None:
    """What a build run did. Raises the error of a build that failed, or `Refused` for a pair."""
    if json:
        print_json(
            builds=[outcome_fields(outcome) for outcome in done.outcomes],
            pairs=[report_fields(pair) for pair in done.pairs],
        )
    else:
        _summary_text(done, layout)
    errors = [outcome.error for outcome in done.outcomes if outcome.error is not None]
    # What was stopped because another build failed is told first: the exit code is the failure's.
    failed = sorted(errors, key=lambda error: not isinstance(error, Interrupted))
    for error in failed[:-1]:
        complain(error)
    if failed:
        raise failed[-1]
    refuse(done.pairs, "these builds are no matched pair")


def _summary_text(done: Summary, layout: Layout) -> None:
    rows: list[tuple[str, ...]] = []
    for outcome in done.outcomes:
        there = outcome.installation
        checks = f"{len(outcome.report.checks)} checks" if outcome.report else ""
        rows.append(
            (
                outcome.name,
                {"present": "there already"}.get(outcome.status, outcome.status),
                duration(outcome.seconds) if outcome.seconds else "",
                size(there.manifest.result.size) if there else "",
                checks,
                str(layout.root / outcome.name) if there else "",
            )
        )
    if all(outcome.status == "present" for outcome in done.outcomes):
        rows = [(row[0], row[1], row[-1]) for row in rows]
    say(columns(rows))
    for pair in done.pairs:
        if pair.ok:
            say(f"{pair.subject}: a matched pair, {len(pair.checks)} facts compared")
    made = [o.installation for o in done.outcomes if o.status == "installed" and o.installation]
    if made:
        text = made[-1].manifest.name.removeprefix("cpython-")
        example = '"import sys; print(sys._is_gil_enabled())"'
        say(f"\nNext:\n  ftbuild run {text} -- -c {example}")
        spec = made[-1].spec
        launcher = f"python{series_of(spec.version)}{spec.variant.suffix}"
        say(f'  export PATH="{layout.bin}:$PATH"   # {launcher} and its like')


def fetched(found: Sequence[Brought], *, json: bool) -> None:
    """The sources that are in the cache now, and who signed them."""
    if json:
        print_json(
            sources=[
                {
                    "path": str(item.fetched.path),
                    "origin": _origin(item.fetched),
                    "signature": signature_fields(item.signature),
                }
                for item in found
            ]
        )
        return
    say(
        columns(
            [(str(item.fetched.path), _origin(item.fetched) or "cached already") for item in found]
        )
    )
    for item in found:
        if isinstance(item.signature, Signature):
            say(f"{item.version}: {signature_text(item.signature)}")
        elif isinstance(item.signature, Unsigned):
            # What every origin said, `--signature require` tells.
            why = "; ".join(reason.partition("\n")[0] for reason in item.signature.reasons)
            say(f"{item.version}: no signature; the pin alone vouches for it ({why})")


def _origin(fetched: Fetched) -> str | None:
    return printable(fetched.origin.url) if fetched.origin else None


def diagnosis(found: Diagnosis, first: Sequence[Finding], *, json: bool) -> None:
    """What doctor found. Raises `Refused` where nothing can be built.

    Args:
        found: What a build needs.
        first: What a shell finds on its PATH.
        json: For programs.
    """
    if json:
        print_json(
            diagnosis=msgspec.to_builtins(found),
            ok=found.ok,
            command=found.command,
            path=msgspec.to_builtins(first),
        )
    else:
        say(
            columns(
                [
                    (
                        MARKS[item.status],
                        item.what,
                        item.found or "not found",
                        " ".join(filter(None, (", ".join(item.gives), item.note))),
                    )
                    for item in found.findings
                ]
            )
        )
        if found.commands:
            say(
                f"\nTo install what is missing (`ftbuild doctor --install` does it):\n"
                f"  {found.command}"
            )
        elif found.ok:
            say("\nNothing is missing: `ftbuild build 3.14` can start.")
        if first:
            say(f"\nOn the PATH\n{path_text(first)}")
    if not found.ok:
        raise Refused(
            "this host cannot build CPython yet: "
            + ", ".join(fault.what for fault in found.faults),
            hint=found.command or "\n".join(fault.note for fault in found.faults),
        )


def catalogue(
    known: Catalogue, sources: Sources, installed: Sequence[Installation], *, json: bool
) -> None:
    """What can be built, in which profiles, and from where."""
    have: dict[str, list[str]] = {}
    for item in installed:
        have.setdefault(item.spec.version, []).append(item.manifest.name)
    if json:
        print_json(
            series=msgspec.to_builtins(known.series),
            releases={
                version: {
                    **msgspec.to_builtins(release),
                    "cached": sources.cached(version),
                    "origins": [printable(origin.url) for origin in sources.origins(version)],
                    "installed": have.get(version, []),
                }
                for version, release in known.releases.items()
            },
            profiles=msgspec.to_builtins(known.profiles),
            default_profile=known.default_profile,
        )
        return
    for series, about in known.series.items():
        releases = newest_first(v for v in known.releases if series_of(v) == series)
        say(f"Python {series} ({about.status}; free threading {about.free_threading})")
        rows = []
        for version in releases:
            release = known.releases[version]
            marks = [
                *have.get(version, []),
                *(["source cached"] if sources.cached(version) else []),
            ]
            length = f"{release.size / 1e6:.1f} MB" if release.size else ""
            seen = f"pinned by {', '.join(release.seen)}"
            rows.append((f"  {version}", length, seen, ", ".join(marks)))
        say(columns(rows) + "\n")
    say("Profiles")
    default = known.default_profile
    rows = [
        (f"  {name}", profile.summary, "(default)" if name == default else "", "")
        for name, profile in known.profiles.items()
    ]
    say(columns(rows))
    newest = newest_first(known.releases)[0]
    say(f"\nOrigins, in the order they are asked ({newest})")
    say(f"  {sources.cache}")
    for origin in sources.origins(newest):
        say(f"  {printable(origin.url)}")
    say(f"\nRecipes: {recipes.own_recipes()}")


def said_nothing(found: Sequence[object], layout: Layout, *, json: bool, so: str = "") -> bool:
    """Say so where a task that reports on builds has none to report on; true if it was said."""
    if found or json:
        return False
    nothing = nothing_in(layout)
    say(f"{nothing.message[0].upper()}{nothing.message[1:]}{so}. {nothing.hint}")
    return True


def listing(
    found: Sequence[Installation],
    layout: Layout,
    *,
    damaged: Sequence[Damaged] = (),
    json: bool,
) -> None:
    """The installed builds, and what is left of damaged ones."""
    if json:
        print_json(
            builds=[{**installation_fields(i), "linked": is_linked(layout, i)} for i in found],
            **damaged_fields(damaged),
        )
        return
    if said_nothing((*found, *damaged), layout, json=json):
        return
    rows = [
        (
            item.manifest.name,
            kind_of(item),
            item.spec.compiler.rsplit(" ", 1)[0],
            size(item.manifest.result.size),
            item.manifest.used.started[:10],
            str(item.prefix) + ("" if is_linked(layout, item) else "  (replaced)"),
        )
        for item in found
    ]
    if rows:
        say(columns(rows, ("name", "profile", "compiler", "size", "built", "prefix")))
    for bad in damaged:
        say(f"{'not for this ftbuild' if bad.newer else 'damaged'}: {bad.prefix}: {bad.why}")
        say(f"  {bad.remedy}")


def details(found: Sequence[Installation], *, json: bool) -> None:
    """Everything recorded about installed builds."""
    if json:
        print_json(
            builds=[installation_fields(item) | {"manifest": item.manifest} for item in found]
        )
        return
    for item in found:
        spec, used, result = item.manifest.spec, item.manifest.used, item.manifest.result
        took = sum(stage.seconds for stage in used.stages)
        stages = ", ".join(f"{stage.name} {duration(stage.seconds)}" for stage in used.stages)
        libraries = ", ".join(f"{lib.name} {lib.version}".strip() for lib in spec.libraries)
        pgo = "no"
        if result.training_profile:
            pgo = f"yes, profile {result.training_profile[:16]} ({used.training})"
        rows = (
            ("prefix", str(item.prefix)),
            ("python", str(item.python)),
            ("digest", item.manifest.digest),
            ("source", f"{used.origin}, SHA-256 {spec.source_sha256}"),
            ("profile", kind_of(item)),
            ("configure", " ".join(used.configure)),
            ("compiler", f"{spec.compiler} ({used.compiler.path})"),
            ("PGO", pgo),
            ("LTO", "yes" if result.lto else "no"),
            ("libraries", libraries),
            ("missing", ", ".join(result.missing) or "nothing"),
            ("host", f"{used.system} {used.machine}, {used.libc}, kernel {used.kernel}"),
            (
                "built",
                f"{used.started[:19]} UTC by ftbuild {used.ftbuild} in {duration(took)} ({stages})",
            ),
            ("size", f"{size(result.size)} in {result.files} files"),
            *_archive(item),
        )
        say(f"{item.manifest.name}\n{columns([(f'  {name}', text) for name, text in rows])}\n")


def _archive(item: Installation) -> tuple[tuple[str, str], ...]:
    """The line on the archive that a build came from, if it did."""
    archived = item.manifest.archived
    if archived is None:
        return ()
    return (("archive", f"SHA-256 {archived.sha256}, packed at {archived.prefix}"),)


def reports(found: Sequence[Report], *, json: bool, everything: bool) -> None:
    """What verify found. Raises `Refused` if a check failed."""
    if json:
        print_json(reports=[report_fields(report) for report in found])
    else:
        say("\n".join(report_text(report, everything=everything) for report in found))
    refuse(found, "checks failed")


def profiles(found: Mapping[Path, TrainingProfile], *, json: bool) -> None:
    """Training profiles: where each lies, what for, how to use it elsewhere."""
    if json:
        print_json(profiles=[{"path": str(path), "profile": item} for path, item in found.items()])
        return
    if not found:
        say("No training profile is stored for what is installed.")
        return
    rows = [
        (
            build_name(item.spec.version, item.spec.variant, item.spec.profile, item.spec.profile),
            item.spec.compiler.rsplit(" ", 1)[0],
            item.sha256[:16],
            str(path),
        )
        for path, item in found.items()
    ]
    say(columns(rows, ("build", "compiler", "SHA-256", "profile")))
    say("\n`ftbuild build --profile-data FILE` uses one on another host with the same compiler.")


def packed(found: Sequence[Packed], *, json: bool) -> None:
    """The archives that were made."""
    if json:
        print_json(
            archives=[
                {
                    "name": item.record.manifest.name,
                    "path": str(item.path),
                    "sha256": item.record.sha256,
                    "size": item.record.size,
                    "left_out": {"files": item.added_files, "paths": item.added},
                }
                for item in found
            ]
        )
        return
    say(columns([(i.record.manifest.name, size(i.record.size), str(i.path)) for i in found]))
    for item in found:
        if item.added_files:
            more = f" and {len(item.added) - _SHOWN} more" if len(item.added) > _SHOWN else ""
            say(
                f"{item.record.manifest.name}: {item.added_files} files were added since and are "
                f"left out: {', '.join(item.added[:_SHOWN])}{more}"
            )


def removed(
    found: Sequence[Installation],
    outside: Sequence[Link],
    *,
    gone: Sequence[Installation] = (),
    damaged: Sequence[Damaged] = (),
    json: bool,
) -> None:
    """The builds that were removed, also by another run, and what led to them from outside."""
    if json:
        print_json(
            removed=[installation_fields(item) for item in found],
            gone=[installation_fields(item) for item in gone],
            **damaged_fields(damaged),
            links=[link_fields(item) for item in outside],
        )
        return
    for item in found:
        say(f"removed {item.manifest.name} ({size(item.manifest.result.size)}, {item.prefix})")
    for bad in damaged:
        say(f"removed {bad.prefix}, which was damaged: {bad.why}")
    for item in gone:
        say(f"{item.manifest.name} was removed by another run ({item.prefix})")
    for link in outside:
        say(f"{link.status} {link.path}{f' ({link.note})' if link.note else ''}")


def collected(found: Collected, *, dry_run: bool, json: bool) -> None:
    """What garbage collection removed."""
    if json:
        print_json(
            dry_run=dry_run,
            replaced=[installation_fields(item) for item in found.replaced],
            leftovers=[str(path) for path in found.leftovers],
            abandoned=found.abandoned,
            size=found.size,
        )
        return
    verb = "would remove" if dry_run else "removed"
    for path in (*(item.prefix for item in found.replaced), *found.leftovers):
        say(f"{verb} {path}")
    if found.abandoned:
        say(f"{verb} {found.abandoned} scratch directories of runs that were killed")
    if not (found.replaced or found.leftovers or found.abandoned):
        say("nothing to remove")
