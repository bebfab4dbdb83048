"""Results on what other tools find: links, launchers, tool caches, snippets, the PATH."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ftbuild.console import columns, say
from ftbuild.errors import Refused
from ftbuild.export.links import Link
from ftbuild.export.path import OnPath
from ftbuild.export.toolcache import Exported
from ftbuild.render.documents import plain, print_json
from ftbuild.toolchain import Finding, Grade

MARKS = {Grade.OK: "ok", Grade.OPTIONAL: "--", Grade.MISSING: "NO", Grade.WRONG: "NO"}
"""How good a finding is, at the beginning of its line."""


def linked(found: Sequence[Link], *, after: str, json: bool) -> None:
    """The links that were made. Raises `Refused` where a name was taken.

    Args:
        found: The links.
        after: The command that makes the other tool take notice.
        json: For programs.
    """
    if json:
        print_json(links=[link_fields(item) for item in found])
    else:
        say(link_text(found))
        if any(item.status in {"linked", "updated"} for item in found):
            say(f"\nNext: {after}")
    _refuse_taken(found)


def on_path(found: OnPath, *, json: bool) -> None:
    """The launchers that were made, and what a shell needs. Raises `Refused` for a taken name."""
    if json:
        print_json(
            directory=str(found.folder),
            links=[link_fields(item) for item in found.links],
            found_first=found.found,
            shell=found.shell,
            fish=found.fish,
        )
    else:
        say(link_text(found.links))
        if not found.found:
            say(f"\n{found.folder} is not first on your PATH for these names. To mend that:")
            say(f"  {found.shell}   # in ~/.bashrc or ~/.zshrc\n  {found.fish}   # fish, once")
    _refuse_taken(found.links)


def unlinked(found: Sequence[Link], *, json: bool) -> None:
    """The links that were removed."""
    if json:
        print_json(links=[link_fields(item) for item in found])
    else:
        say(link_text(found) or "There was nothing of this root to unlink.")


def toolcache(found: Sequence[Exported], *, json: bool) -> None:
    """The builds in a tool cache."""
    if json:
        print_json(toolcache=[msgspec.to_builtins(item, enc_hook=plain) for item in found])
        return
    words = {"already": "there already", "replaced": "in place of another build"}
    rows = [(item.build, words.get(item.status, item.status), str(item.path)) for item in found]
    say(columns(rows))


def snippet(file: str, text: str, pythons: Mapping[str, Path], *, json: bool) -> None:
    """A file for another tool, to be piped into place."""
    if json:
        named = {name: str(path) for name, path in pythons.items()}
        print_json(file=file, content=text, interpreters=named)
    else:
        say(text.rstrip("\n"))


def path_text(found: Sequence[Finding]) -> str:
    """What doctor found on the PATH; names that are missing for one reason share a line."""
    missing: dict[str, list[str]] = {}
    for item in found:
        if item.status is Grade.OPTIONAL:
            missing.setdefault(item.note, []).append(item.what)
    rows = [
        (MARKS[item.status], item.what, item.found, item.note)
        for item in found
        if item.status is not Grade.OPTIONAL
    ]
    lines = [f"{MARKS[Grade.OPTIONAL]}  {', '.join(missing[note])}: {note}" for note in missing]
    return "\n".join(filter(None, (columns(rows), *lines)))


def link_fields(item: Link) -> dict[str, str]:
    """A link, for programs."""
    fields: dict[str, str] = msgspec.to_builtins(item, enc_hook=plain)
    return fields


def link_text(found: Sequence[Link]) -> str:
    """Links, for people: a line each."""
    words = {"already": "there already", "taken": "NOT LINKED"}
    return columns(
        [
            (
                item.name,
                words.get(item.status, item.status),
                str(item.path),
                item.note or item.build,
            )
            for item in found
        ]
    )


def _refuse_taken(found: Sequence[Link]) -> None:
    taken = [item for item in found if item.status == "taken"]
    if taken:
        raise Refused(
            "\n".join(f"{item.path} exists and is not ours: {item.note}" for item in taken),
            hint="It was left alone. Move it away and run this again.",
        )
