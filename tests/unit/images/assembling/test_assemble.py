"""Builds of a few files, whose interpreters are scripts that answer as their manifests have it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from ftbuild.archive.relocate import STAMP
from ftbuild.errors import EnvironmentFault, Refused, UsageError
from ftbuild.images.assembling.assemble import Assembled, builds, lay_out
from ftbuild.images.names import Flavour
from ftbuild.model.events import Event, Noted
from ftbuild.model.manifest import Installation, Manifest
from ftbuild.model.versions import BOTH, Variant
from ftbuild.provision import World
from ftbuild.store.layout import Layout
from ftbuild.store.prefixes import complete
from ftbuild.store.tree import HASHES, hash_tree
from tests.builders import build, changed, specification, store
from tests.unit.provision.worlds import world

# Where it lies, it finds out by itself, as CPython does; what it compiles holds what it was given.
PYTHON = """#!/bin/sh
here=$(cd "${{0%/*}}/.." && pwd)
case "$*" in
  *identity.py*) echo '{facts}' | sed "s|PREFIX|$here|" ;;
  *sanitizers.py*|*extensions.py*) echo '[]' ;;
  *compileall*)
    for word; do last=$word; done
    printf again > "${{last%/*}}/__pycache__/data.cpython-314.pyc" ;;
  *gil=1*) echo True ;;
  *) case "$PYTHON_GIL" in 1) echo True ;; 0) {off} ;; esac ;;
esac
"""
REFUSED = "echo Disabling the GIL is not supported by this build >&2; exit 1"
BYTECODE = b"MAGC\0\0\0\0timesize"
DATA = b"prefix = '$prefix'"


def library(variant: Variant) -> str:
    return f"lib/python3.14{variant.suffix}"


def python(variant: Variant) -> bytes:
    t = variant.suffix
    facts = {
        "version": "3.14.7",
        "gil": not t,
        "gil_disabled": bool(t),
        "abiflags": t,
        "soabi": f"cpython-314{t}-x86_64-linux-gnu",
        "ext_suffix": f".cpython-314{t}-x86_64-linux-gnu.so",
        "debug": False,
        "prefix": "PREFIX",
        "base_prefix": "PREFIX",
        "platform": "linux-x86_64",
    }
    off = "echo False" if t else REFUSED
    return PYTHON.format(facts=json.dumps(facts), off=off).encode()


def files(variant: Variant) -> dict[str, bytes]:
    """What both builds have, with what is their own in it."""
    below = library(variant)
    own = variant.suffix.encode()
    return {
        f"bin/python3.14{variant.suffix}": python(variant),
        "bin/python3.14": python(variant),
        "bin/pip3.14": b"#!$prefix/bin/python3.14" + own + b"\n",
        f"{below}/os.py": b"import sys",
        f"{below}/__pycache__/os.cpython-314.pyc": BYTECODE + b"os" + own,
        f"{below}/__pycache__/os.cpython-314.opt-2.pyc": BYTECODE + b"os",
        f"{below}/data.py": DATA,
        f"{below}/__pycache__/data.cpython-314.pyc": BYTECODE + b"stale",
        f"{below}/empty.py": b"",
        f"{below}/turtle.py": b"import tkinter",
        f"{below}/site-packages/pip-1.dist-info/RECORD": b"../../../bin/pip3.14,sha256=x,1\n",
        "include/Python.h": b"#define PY",
    }


def installed(layout: Layout, variant: Variant, more: Mapping[str, bytes]) -> Installation:
    prefix = layout.store / specification(variant).store_name("fast")
    made = build(prefix, variant)
    for name, content in {**files(variant), **more}.items():
        path = prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.replace(b"$prefix", str(prefix).encode()))
        path.chmod(0o700 if name.startswith("bin/") else 0o600)
    (prefix / "bin/python3").symlink_to("python3.14")
    tree = hash_tree(prefix)
    made = changed(made, "result", links=tree.links, files_sha256=tree.sha256)
    return complete(prefix, made.manifest, tree)


def assembled(
    layout: Layout,
    into: Path,
    *variants: Variant,
    flavour: Flavour = Flavour.SLIM,
    primary: Variant = Variant.GIL,
    more: Mapping[str, bytes] | None = None,
) -> Assembled:
    found = [installed(layout, variant, more or {}) for variant in variants]
    return lay_out(found, flavour=flavour, primary=primary, into=into, world=here(layout))


def here(layout: Layout) -> World:
    env = {"PATH": os.environ.get("PATH", os.defpath)}
    return msgspec.structs.replace(world(layout)[0], env=env)


def place(into: Path, variant: Variant) -> Path:
    return into / f"opt/python/3.14{variant.suffix}"


def manifest(into: Path, variant: Variant) -> Manifest:
    document = (place(into, variant) / "ftbuild.json").read_bytes()
    return msgspec.json.decode(document, type=Manifest)


def test_a_build_is_at_its_place_in_the_image(layout: Layout, tmp_path: Path) -> None:
    made = assembled(layout, tmp_path / "image", Variant.GIL)
    assert made.prefixes == ("/opt/python/3.14",)
    folder = place(tmp_path / "image", Variant.GIL)
    assert (folder / "lib/python3.14/data.py").read_text() == "prefix = '/opt/python/3.14'"
    assert (folder / "bin/pip3.14").read_text() == "#!/opt/python/3.14/bin/python3.14\n"
    compiled = folder / "lib/python3.14/__pycache__/data.cpython-314.pyc"
    assert compiled.read_text() == "again"


def test_a_place_named_from_the_current_directory(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assembled(layout, Path("image"), Variant.GIL)
    assert place(tmp_path / "image", Variant.GIL).is_dir()


def test_its_record_is_of_what_is_there(layout: Layout, tmp_path: Path) -> None:
    into = tmp_path / "image"
    made = assembled(layout, into, *BOTH)
    for variant in BOTH:
        found, there = manifest(into, variant), hash_tree(place(into, variant))
        assert found.prefix == f"/opt/python/3.14{variant.suffix}"
        assert found.result.left_out == made.left_out == ("turtle",)
        assert found.result.files_sha256 == there.sha256
        assert found.result.links == there.links
        assert (found.result.files, found.result.size) == (there.count, there.size)
        assert (place(into, variant) / HASHES).read_text() == there.text
        name = f"{library(variant)}/site-packages/pip-1.dist-info/RECORD"
        pip = place(into, variant) / f"bin/pip3.14{variant.suffix}"
        words = (place(into, variant) / name).read_text().strip().split(",")
        assert words[0] == f"../../../bin/{pip.name}"
        assert words[2] == str(pip.stat().st_size)


def test_what_both_have_is_there_once(layout: Layout, tmp_path: Path) -> None:
    into = tmp_path / "image"
    made = assembled(layout, into, *BOTH)
    first, second = (place(into, variant) for variant in BOTH)
    for name in ("os.py", "__pycache__/os.cpython-314.pyc"):
        ours, theirs = first / "lib/python3.14" / name, second / "lib/python3.14t" / name
        assert ours.samefile(theirs)
    assert (first / "include/Python.h").samefile(second / "include/Python.h")
    assert not (first / "lib/python3.14/data.py").samefile(second / "lib/python3.14t/data.py")
    # Programs write into empty files.
    assert not (first / "lib/python3.14/empty.py").samefile(second / "lib/python3.14t/empty.py")
    both = {path.stat().st_ino: path for path in into.rglob("*") if path.is_file()}
    assert made.size == sum(path.stat().st_size for path in both.values())
    assert made.bytecode == sum(
        path.stat().st_size for path in both.values() if path.suffix == ".pyc"
    )


def test_the_bytecode_is_that_of_the_primary_build(layout: Layout, tmp_path: Path) -> None:
    assembled(layout, tmp_path / "image", *BOTH, primary=Variant.FREE_THREADED)
    for variant in BOTH:
        path = place(tmp_path / "image", variant) / library(variant) / "__pycache__"
        compiled = (path / "os.cpython-314.pyc").read_bytes()
        assert compiled == BYTECODE[:8] + STAMP.to_bytes(4, "little") + BYTECODE[12:] + b"ost"


def test_other_bytecode_is_not_shared(layout: Layout, tmp_path: Path) -> None:
    gil = installed(layout, Variant.GIL, {})
    name = "lib/python3.14t/__pycache__/os.cpython-314.pyc"
    other = installed(layout, Variant.FREE_THREADED, {name: b"OTHR\0\0\0\0timesize"})
    lay_out(
        (gil, other),
        flavour=Flavour.SLIM,
        primary=Variant.GIL,
        into=tmp_path / "image",
        world=here(layout),
    )
    compiled = place(tmp_path / "image", Variant.FREE_THREADED) / name
    assert compiled.read_bytes().startswith(b"OTHR")


def test_everybody_can_read_it_and_nothing_tells_when_it_was_made(
    layout: Layout, tmp_path: Path
) -> None:
    into = tmp_path / "image"
    mask = os.umask(0o077)
    try:
        assembled(layout, into, *BOTH)
    finally:
        os.umask(mask)
    for path in (into, *into.rglob("*")):
        status = path.lstat()
        assert status.st_mtime == STAMP, path
        if not path.is_symlink():
            program = path.is_dir() or "bin" in path.parts[-2:]
            assert stat.S_IMODE(status.st_mode) == (0o755 if program else 0o644), path


def test_programs_are_known_outside_the_prefixes(layout: Layout, tmp_path: Path) -> None:
    assembled(layout, tmp_path / "image", *BOTH)
    folder = tmp_path / "image/usr/local/bin"
    assert {path.name for path in folder.iterdir()} == {
        *("python", "python3", "python3.14", "python3.14t"),
        *("pip3.14", "pip3.14t"),
    }
    assert "/opt/python/3.14/bin/python3 " in (folder / "python3").read_text()
    assert "/opt/python/3.14t/bin/python3.14t " in (folder / "python3.14t").read_text()


def test_the_dev_flavour_has_everything(layout: Layout, tmp_path: Path) -> None:
    made = assembled(layout, tmp_path / "image", Variant.GIL, flavour=Flavour.DEV)
    folder = place(tmp_path / "image", Variant.GIL) / "lib/python3.14"
    assert made.left_out == ()
    assert (folder / "turtle.py").is_file()
    assert not (folder / "__pycache__/os.cpython-314.opt-2.pyc").exists()


def test_the_suppressions_of_both_are_in_one_list(layout: Layout, tmp_path: Path) -> None:
    name = "share/ftbuild/suppressions.txt"
    lists = {
        Variant.GIL: b"race:a\nrace:b\n",
        Variant.FREE_THREADED: b"race:b\n# why\nrace:c\n",
    }
    found = [installed(layout, variant, {name: text}) for variant, text in lists.items()]
    lay_out(
        found,
        flavour=Flavour.TSAN,
        primary=Variant.GIL,
        into=tmp_path / "image",
        world=here(layout),
    )
    joined = tmp_path / "image/opt/python/suppressions.txt"
    assert joined.read_text() == "race:a\nrace:b\n# why\nrace:c\n"


@pytest.mark.parametrize("flavour", [Flavour.SLIM, Flavour.DEV])
def test_symbols_and_packages(layout: Layout, tmp_path: Path, flavour: Flavour) -> None:
    compiler, strip, dpkg = map(shutil.which, ("cc", "strip", "dpkg-query"))
    if not (compiler and strip and dpkg):
        pytest.skip("no C compiler, binutils or dpkg")
    source = b"static int hidden(void) { return 1; } int shown(void) { return hidden() + 1; }"
    made = tmp_path / "made.so"
    options = ["-O0", "-shared", "-fPIC", "-Wl,--no-as-needed", "-lgcc_s"]
    subprocess.run([compiler, "-xc", "-", "-o", made, *options], input=source, check=True)
    name = "lib/python3.14/lib-dynload/made.so"
    into = tmp_path / "image"
    result = assembled(layout, into, Variant.GIL, flavour=flavour, more={name: made.read_bytes()})
    content = (place(into, Variant.GIL) / name).read_bytes()
    assert (b"hidden" in content) == (flavour is Flavour.DEV)
    assert b"shown" in content
    assert result.packages == ("libgcc-s1",)
    assert (into / "opt/python/packages").read_text() == "libgcc-s1\n"


def test_nothing_to_strip_with(layout: Layout, tmp_path: Path) -> None:
    item = installed(layout, Variant.GIL, {"lib/x.so": b"\x7fELF"})
    bare = msgspec.structs.replace(here(layout), env={"PATH": str(tmp_path)})
    with pytest.raises(EnvironmentFault, match="neither strip nor llvm-strip"):
        lay_out(
            (item,),
            flavour=Flavour.SLIM,
            primary=Variant.GIL,
            into=tmp_path / "image",
            world=bare,
        )
    assert not (tmp_path / "image").exists()


def test_a_build_that_does_not_work_there(layout: Layout, tmp_path: Path) -> None:
    broken = {"bin/python3.14": python(Variant.GIL).replace(b"3.14.7", b"3.14.6")}
    with pytest.raises(Refused, match=r"identity\.version: expected 3\.14\.7, found 3\.14\.6"):
        assembled(layout, tmp_path / "image", Variant.GIL, more=broken)
    assert not (tmp_path / "image").exists()


def test_what_is_there_already_is_left_alone(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "image").mkdir()
    (tmp_path / "image/mine").touch()
    with pytest.raises(UsageError, match="is there already"):
        assembled(layout, tmp_path / "image", Variant.GIL)
    assert list((tmp_path / "image").iterdir()) == [tmp_path / "image/mine"]


def test_no_place_to_write(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFault, match="file"):
        assembled(layout, tmp_path / "file/image", Variant.GIL)


def test_a_full_disk(layout: Layout, small_disk: Path) -> None:
    more = {"lib/large": bytes(300_000)}
    with pytest.raises(EnvironmentFault, match=f"{small_disk}/image.*: No space left"):
        assembled(layout, small_disk / "image", Variant.GIL, more=more)
    assert not (small_disk / "image").exists()


def test_it_is_said_what_goes_where(layout: Layout, tmp_path: Path) -> None:
    events: list[Event] = []
    talking = msgspec.structs.replace(here(layout), emit=events.append)
    lay_out(
        (installed(layout, Variant.GIL, {}),),
        flavour=Flavour.SLIM,
        primary=Variant.GIL,
        into=tmp_path / "image",
        world=talking,
    )
    assert events == [Noted(text="laying out cpython-3.14.7 as /opt/python/3.14")]


def test_the_builds_of_an_image(layout: Layout) -> None:
    both = tuple(store(layout, variant) for variant in BOTH)
    store(layout, version="3.14.6")
    store(layout, profile="debug")
    made = here(layout)
    assert builds("3.14.7", None, "fast", made) == both
    assert builds("3.14.7", Variant.FREE_THREADED, "fast", made) == both[1:]


def test_a_build_that_is_not_there(layout: Layout) -> None:
    store(layout, Variant.GIL)
    with pytest.raises(UsageError, match=r"no installed build matches 3\.14\.7t"):
        builds("3.14.7", None, "fast", here(layout))
