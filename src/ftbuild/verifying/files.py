"""Are the installed files still what was installed, and what has come beside them?

docs/verification.md has what fails, what is a warning and what a note.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import posixpath
import re
import shlex
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import msgspec

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Check, Status, expect, skipped
from ftbuild.store import tree
from ftbuild.verifying.probes.files import Entry, look, read_regular
from ftbuild.verifying.probing import Context, NoAnswer, ask

_NAMED = 20
"""Names that a check lists before it only counts."""

_MEND = "Build it again to replace the prefix; packages installed into it have to follow."

_EMPTY = hashlib.sha256().hexdigest()

_LIBRARY = r"lib\w*/python\d+\.\d+t?/"

_STANDARD = re.compile(_LIBRARY + r"(?!site-packages/)")
"""How files of the standard library begin."""

_LOADED = re.compile(r"lib\w*/[^/]+\.so[.\d]*")
"""What the loader may find before the system's, where libpython lies."""

_HOOK = re.compile(
    rf"""
    (bin/)?pyvenv\.cfg                              # makes it a virtual environment of another one
    | (bin|lib\w*)/[^/]+\._pth                      # replaces the path
    | bin/(pybuilddir\.txt|Modules/Setup\.local)    # makes it a build tree
    | bin/{_LIBRARY}.+                              # found before the standard library
    | lib\w*/python\d+t?\.zip                       # comes before it on the path
    | {_LIBRARY}((lib-dynload|site-packages)/)?(site|user)customize([./].+)?
    | {_LIBRARY}site-packages/[^/]+\.(pth|start)
    """,
    re.VERBOSE,
)
"""What decides what runs when Python starts: CPython's Modules/getpath.py, Lib/site.py, PEP 829."""

_PATH = ("bin/", "", "lib-dynload/", "site-packages/")
"""The directories that modules come from, in their order; of programs, their own is the first."""

_KINDS = ("so", "py", "pyc")
"""The files that a module can be, in the order of `importlib`; a package comes before them all."""

_MODULE = re.compile(
    rf"(?P<path>bin/|{_LIBRARY}(?P<below>(?:lib-dynload|site-packages)/)?)"
    r"(?P<module>(?:[^/.]+/)*?[^/.]+)(?P<package>/__init__)?\.(?:[\w-]+\.(?=so$))?(?P<kind>so|pyc?)"
)

_CACHE = "__pycache__"

_USUAL = frozenset({stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK})

_OPEN = stat.S_IWOTH | stat.S_ISUID | stat.S_ISGID

_PACKAGE = re.compile(
    rf"(?P<site>{_LIBRARY}site-packages/)(?P<project>[^/]+?)-(?P<version>[^/-]+)\.dist-info/RECORD"
)


class _There(msgspec.Struct, frozen=True, kw_only=True):
    """What is below a prefix: the answer of `probes/files.py`.

    Attributes:
        text: The list of hashes that the installation recorded, as it is now.
        sha256: The hash of that list.
        entries: Everything below the prefix.
    """

    text: str
    sha256: str
    entries: dict[str, Entry]


def files(installation: Installation, context: Context) -> tuple[Check, ...]:
    """Every file has the hash, the mode and the owner, and every link the target, that it had.

    What was added is told. It fails where Python imports it in the place of what was installed.
    """
    return tuple(map(_printable, _checks(installation, context)))


def _checks(installation: Installation, context: Context) -> tuple[Check, ...]:
    prefix = str(installation.prefix)
    if context.inside is not None:
        there = ask(installation, context, "files.py", prefix, tree.HASHES, kind=_There)
        if isinstance(there, NoAnswer):
            return (there.failed("files.list", f"{prefix} can be read"),)
        return _judged(installation, there, read=None)
    try:
        raw = read_regular(f"{prefix}/{tree.HASHES}")
        text, sha256 = raw.decode("utf-8", "surrogateescape"), hashlib.sha256(raw).hexdigest()
        wanted = tree.parse(text) if sha256 == installation.manifest.result.files_sha256 else ()
        there = _There(text=text, sha256=sha256, entries=look(prefix, wanted))
    except OSError as error:
        where, why = error.filename or prefix, error.strerror
        return (NoAnswer(how=f"{why}. {_MEND}").failed("files.list", f"{where} can be read"),)
    return _judged(installation, there, read=lambda name: read_regular(f"{prefix}/{name}"))


def _judged(
    installation: Installation, there: _There, read: Callable[[str], bytes] | None
) -> tuple[Check, ...]:
    """The checks on what is there.

    Args:
        installation: The build.
        there: What is below its prefix.
        read: Gives the content of a file there; None where nothing does.
    """
    result, entries = installation.manifest.result, there.entries
    intact = expect("files.list", result.files_sha256, there.sha256, _MEND)
    if intact.status is Status.FAILED:
        return intact, skipped("files.content", f"{tree.HASHES} itself is damaged")
    listed = tree.parse(there.text)
    regular = {name for name, entry in entries.items() if stat.S_ISREG(entry.mode)}
    known = {*listed, *result.links, *tree.OWN}
    added = {n for n, e in entries.items() if n not in known and not stat.S_ISDIR(e.mode)}
    claims = {name: _claims(name, read) for name in added if read and _PACKAGE.fullmatch(name)}
    replaced = dict(_replaced(listed, entries, claims))
    excused = {name for names in replaced.values() for name in names}
    unreadable = {n: e.trouble for n, e in entries.items() if e.trouble}
    dark = tuple("" if name == "." else f"{name}/" for name in unreadable if name not in regular)
    present = (listed.keys() & regular) - excused
    changed = {n for n in present - unreadable.keys() if entries[n].text != listed[n]}
    emptied = {n for n in changed if entries[n].text == _EMPTY}
    missing = {n for n in listed.keys() - regular - excused if not n.startswith(dark)}
    links = {n for n, to in result.links.items() if n not in entries or entries[n].text != to}
    return (
        intact,
        _none("files.unreadable", unreadable),
        _none("files.missing", missing),
        _none("files.emptied", emptied),
        _none("files.changed", changed - emptied),
        _none("files.links-changed", {n for n in links if not n.startswith(dark)}),
        *_modes(installation, entries, present),
        *_additions(entries, present, added, claims),
        _told(
            "files.replaced",
            tuple(replaced),
            Status.NOTED,
            "They are as their own lists say. `ftbuild pack` needs the build as it was installed.",
        ),
        _told(
            "files.elsewhere",
            {name for name in present if entries[name].elsewhere},
            Status.NOTED,
            "They have names outside the prefix, by which they can be altered.",
        ),
    )


def _modes(
    installation: Installation, entries: Mapping[str, Entry], present: Collection[str]
) -> Iterator[Check]:
    """The permissions and owners of what was installed, and of the directories that it is in."""
    prefix, programs = installation.prefix, installation.manifest.result.executables
    folders = {".", *tree.folders_of(present)}
    known = {n for n in (*present, *folders, *tree.OWN) if n in entries}
    wrong: dict[str, str] = {}
    mend: dict[str, list[str]] = {}
    for name in sorted(known):
        mode = stat.S_IMODE(entries[name].mode)
        wanted = tree.mode_of(executable=name in folders or name in (programs or ()))
        if programs is None:
            bad = mode & (stat.S_ISUID | stat.S_IWOTH)
        elif name == "." or name in tree.OWN:
            bad = mode & ~wanted  # the directory above all may be closed to others
        else:
            bad = mode ^ wanted
        if bad:
            wrong[name] = f"{mode:04o}, not {wanted:04o}"
            mend.setdefault(f"{wanted:o}", []).append(shlex.quote(str(prefix / name)))
    commands = "; ".join(f"chmod {mode} {' '.join(paths)}" for mode, paths in mend.items())
    mended = f"To mend it: {commands}" if len(wrong) <= _NAMED else _MEND
    if programs is None and not wrong:
        yield skipped("files.modes", "an earlier ftbuild made it, and recorded no modes")
    else:
        yield _none("files.modes", wrong, mended)
    rightful = {0, entries["."].owner}
    yield _none(
        "files.owners",
        {n: f"user {entries[n].owner}" for n in known if entries[n].owner not in rightful},
        f"They can alter them. To mend it, as root: chown -R {entries['.'].owner} {prefix}",
    )


def _additions(
    entries: Mapping[str, Entry],
    present: Collection[str],
    added: Collection[str],
    claims: Mapping[str, Mapping[str, str]],
) -> Iterator[Check]:
    """What came into the prefix since it was recorded; `claims` has what lists of packages name."""
    judged = {".", *present, *tree.folders_of(present), *tree.OWN}
    # A link may lead to the directory of a package; in `bin`, it leads to a program.
    linked = {n for n in added if stat.S_ISLNK(entries[n].mode) and not n.startswith("bin/")}
    modules = {
        name: found
        for name in added
        if (found := _module(name) or _module(f"{name}/__init__.py" if name in linked else ""))
    }
    first: dict[str, tuple[int, ...]] = {}
    for module, rank in filter(None, map(_module, present if modules else ())):
        first[module] = min(first.get(module, rank), rank)
    shadowing = {n for n, (module, rank) in modules.items() if rank < first.get(module, ())}
    hooks = {name for name in added if _HOOK.fullmatch(name)} - shadowing
    special = {n for n, e in entries.items() if stat.S_IFMT(e.mode) not in _USUAL}
    bytecode = {name for name in added if posixpath.basename(posixpath.dirname(name)) == _CACHE}
    stale = {n for n in bytecode if _STANDARD.match(n) and _source(n) in present}
    rest = {*added} - shadowing - hooks - special - bytecode
    claimed = {name for names in claims.values() for name in names}
    loaded = {name for name in rest if _LOADED.fullmatch(name)} - claimed
    standard = loaded | {name for name in rest if _STANDARD.match(name)}
    yield _none(
        "files.shadowing", _aims(shadowing, entries), "Python imports them first: remove them."
    )
    yield _told(
        "files.hooks", _aims(hooks, entries), reason="They decide what runs when Python starts."
    )
    yield _told("files.bytecode", stale, reason="Python runs it in the place of the source.")
    yield _told("files.standard-library", _aims(standard, entries))
    yield _told("files.special", special, reason="They are no files, directories or links.")
    yield _told(
        "files.writable",
        {
            name
            for name, entry in entries.items()
            if name not in judged
            and not stat.S_ISLNK(entry.mode)
            and entry.mode & (stat.S_IWOTH if stat.S_ISDIR(entry.mode) else _OPEN)
        },
        reason="Anybody can alter them, or they run with the rights of their owner.",
    )
    packages = sorted(
        f"{found['project']} {found['version']}"
        for found in map(_PACKAGE.fullmatch, claims)
        if found
    )
    others = tree.tops_of(rest - standard - claimed, tree.folders_of((*present, *claimed)))
    parts = [f"{len(packages)} packages: {_some(packages)}"] if packages else []
    parts += [f"{'and ' if parts else ''}{_some(_aims(others, entries))}"] if others else []
    count = len(rest - standard)
    yield Check(
        name="files.added",
        status=Status.NOTED if count else Status.PASSED,
        found=f"{count} files" + (f": {'; '.join(parts)}" if parts else ""),
    )


def _module(name: str) -> tuple[str, tuple[int, ...]] | None:
    """The module that a file is to `import`, and what decides between several of that name."""
    found = _MODULE.fullmatch(name)
    if found is None:
        return None
    place = _PATH.index("bin/" if found["path"] == "bin/" else found["below"] or "")
    return found["module"], (place, not found["package"], _KINDS.index(found["kind"]))


def _source(bytecode: str) -> str:
    folder, _, name = bytecode.rpartition(f"{_CACHE}/")
    return f"{folder}{name.partition('.')[0]}.py"


def _claims(record: str, read: Callable[[str], bytes]) -> dict[str, str]:
    """What the list of a package's files (RECORD) names, with their hashes as it has them.

    A damaged one claims what can be read of it.
    """
    folder, claims = posixpath.dirname(posixpath.dirname(record)), {}
    with contextlib.suppress(OSError, ValueError, csv.Error):
        for path, digest, *_ in csv.reader(io.StringIO(read(record).decode(), newline="")):
            claims[posixpath.normpath(posixpath.join(folder, path))] = digest
    return claims


def _replaced(
    listed: Mapping[str, str],
    entries: Mapping[str, Entry],
    claims: Mapping[str, Mapping[str, str]],
) -> Iterator[tuple[str, set[str]]]:
    """Packages of ours that a user has replaced by another release (pip), and our files of them.

    Of these are those that are as the other release's own list says, and those that are gone.
    """
    new = {found["project"]: found for found in map(_PACKAGE.fullmatch, claims) if found}
    for old in filter(None, map(_PACKAGE.fullmatch, listed)):
        by = new.get(old["project"])
        if by is None or old[0] in entries:
            continue
        claim = claims[by[0]]
        site = by["site"]
        tops = {n.removeprefix(site).split("/")[0] for n in claim if n.startswith(site)}
        tops.add(posixpath.basename(posixpath.dirname(old[0])))
        yield (
            f"{old['project']} {old['version']} by {by['version']}",
            {
                name
                for name in listed
                if (
                    claim.get(name) in {"", tree.spelt(entries[name].text)}
                    if name in entries
                    else name.startswith(site) and name.removeprefix(site).split("/")[0] in tops
                )
            },
        )


def _aims(names: Iterable[str], entries: Mapping[str, Entry]) -> dict[str, str]:
    """Names, those of links with what they lead to."""
    return {
        name: f"-> {entry.text}"
        if (entry := entries.get(name)) and stat.S_ISLNK(entry.mode)
        else ""
        for name in names
    }


def _none(name: str, wrong: Collection[str], reason: str = _MEND) -> Check:
    return _told(name, wrong, Status.FAILED, reason)


def _told(
    name: str, found: Collection[str], status: Status = Status.WARNED, reason: str = ""
) -> Check:
    """A check of which nothing should be found; of a mapping, the values say more of each name."""
    return Check(
        name=name,
        status=status if found else Status.PASSED,
        expected="none",
        found=f"{len(found)}: {_some(found)}" if found else "none",
        reason=reason if found else "",
    )


def _some(names: Collection[str]) -> str:
    """The first of some names and how many more there are: `bin/a, lib/b, and 5 more`."""
    more = names if isinstance(names, Mapping) else {}
    shown = [
        f"{name} ({more[name]})" if more.get(name) else name for name in sorted(names)[:_NAMED]
    ]
    rest = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return ", ".join((*shown, *rest))


def _printable(check: Check) -> Check:
    """A check fit to print, whatever names there are below the prefix."""
    return msgspec.structs.replace(
        check,
        expected=_plain(check.expected),
        found=_plain(check.found),
        reason=_plain(check.reason),
    )


def _plain(text: str) -> str:
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
