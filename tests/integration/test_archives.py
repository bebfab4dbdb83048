"""Packing, installing elsewhere, and archives that are not what they should be."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import signal
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbuild import zstd
from ftbuild.store.prefixes import complete
from ftbuild.store.tree import hash_tree
from tests.integration.driver import NEW, Ftbuild, intact, wait_for
from tests.unit.fetch.loopback import Server, serve, status

NAME = "cpython-3.97.2t"


@pytest.fixture(scope="module")
def packer(tmp_path_factory: pytest.TempPathFactory) -> Ftbuild:
    """A user who has packed a pair; not to be changed."""
    user = Ftbuild(tmp_path_factory.mktemp("packer"))
    user.release(NEW)
    user("build", "3.97")
    user("pack", "3.97")
    return user


@pytest.fixture
def store(packer: Ftbuild, tmp_path: Path) -> Path:
    """A copy of those archives."""
    return Path(shutil.copytree(packer.archives, tmp_path / "store"))


@pytest.fixture
def user(packer: Ftbuild, tmp_path: Path) -> Iterator[Ftbuild]:
    """Somebody else, who has nothing yet and could build the same."""
    other = Ftbuild(tmp_path / "a-user-with-a-path-of-another-length")
    shutil.copytree(packer.mirror, other.mirror)
    shutil.copytree(packer.recipes, other.recipes)
    yield other
    other.end()


def free_threaded(store: Path) -> Path:
    """The archive of the free-threaded build."""
    (path,) = store.glob(f"{NAME}-*.tar.zst")
    return path


def record_of(archive: Path) -> Path:
    return archive.with_name(f"{archive.name}.json")


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A member of an archive, and what it holds."""

    member: tarfile.TarInfo
    data: bytes


def members(archive: Path) -> list[Content]:
    with zstd.reader(archive) as packed, tarfile.open(fileobj=packed, mode="r|") as opened:
        found = []
        for member in opened:
            file = opened.extractfile(member) if member.isreg() else None
            found.append(Content(member=member, data=file.read() if file else b""))
        return found


def write(archive: Path, contents: list[Content]) -> None:
    """Write an archive anew, and a record that fits it."""
    buffer = io.BytesIO()
    with (
        zstd.writer(buffer) as packed,
        tarfile.open(fileobj=packed, mode="w|") as opened,
    ):
        for content in contents:
            content.member.size = len(content.data)
            opened.addfile(content.member, io.BytesIO(content.data))
    packed_bytes = buffer.getvalue()
    archive.write_bytes(packed_bytes)
    record = json.loads(record_of(archive).read_text())
    record["manifest"] = json.loads(contents[0].data)
    record["size"] = len(packed_bytes)
    record["sha256"] = hashlib.sha256(packed_bytes).hexdigest()
    record_of(archive).write_text(json.dumps(record))


def remake(archive: Path, change: Callable[[Any], None]) -> None:
    """Change the manifest of an archive, in it and beside it."""
    first, *rest = members(archive)
    manifest = json.loads(first.data)
    change(manifest)
    write(archive, [Content(member=first.member, data=json.dumps(manifest).encode()), *rest])


def built(ftbuild: Ftbuild) -> bool:
    """Whether what is installed was compiled for it."""
    (archived,) = {item.manifest.archived is not None for item in ftbuild.installed}
    return not archived


def nothing_there(ftbuild: Ftbuild) -> bool:
    return not ftbuild.names and not ftbuild.prefixes and not ftbuild.litter


def test_moving_to_another_root(tmp_path: Path) -> None:
    """The old root is gone when the builds are used in the new one."""
    first = Ftbuild(tmp_path / "first")
    first.release(NEW)
    first("build", "3.97")
    packed = first("pack", "3.97", "--output", str(tmp_path / "out"), "--json").json
    assert [Path(item["path"]).is_file() for item in packed["archives"]] == [True, True]
    shutil.rmtree(first.root)
    second = Ftbuild(tmp_path / "a/second/one/further/down")
    second.release(NEW)
    done = second("install", str(tmp_path / "out"))
    assert f"{NEW}: a matched pair" in done.out
    assert second.names == ["cpython-3.97.2", NAME]
    assert intact(second.root / "bin/python3.97t")
    second("verify", "--files")
    second("verify")
    assert second.litter == []
    prefix = second.root / NAME
    assert "first" not in (prefix / "lib/python3.97t/_sysconfigdata.py").read_text()
    again = prefix / "lib/python3.97t/__pycache__/_sysconfigdata.cpython-397.opt-2.pyc"
    assert again.read_text().startswith("-I -B -m compileall -q -o 2 ")
    kept = (prefix / "lib/python3.97t/__pycache__/os.cpython-397.pyc").read_bytes()
    stamp = int((prefix / "lib/python3.97t/os.py").stat().st_mtime)
    assert kept[8:12] == stamp.to_bytes(4, "little"), "valid for the source beside it"
    assert not built(second)


def test_a_root_with_letters_beyond_ascii(store: Path, user: Ftbuild) -> None:
    root = user.folder / "prüfung-Ω"
    user("install", str(store), "--root", str(root))
    user("verify", "--root", str(root))
    user("verify", "--files", "--root", str(root))


def test_a_root_that_would_need_quoting(store: Path, user: Ftbuild) -> None:
    done = user("install", str(store), "--root", str(user.folder / "a'b"), code=1)
    assert "Choose a --root of letters, digits" in done.err


def test_the_manifest_says_where_it_came_from(store: Path, user: Ftbuild) -> None:
    user("install", str(free_threaded(store)))
    (installed,) = user.installed
    manifest = installed.manifest
    record = json.loads(record_of(free_threaded(store)).read_text())
    assert manifest.archived is not None
    assert manifest.archived.sha256 == record["sha256"]
    assert manifest.archived.prefix == record["manifest"]["archived"]["prefix"]
    assert manifest.prefix == str(installed.prefix)
    assert record["sha256"] in user("show", "3.97t").out


def test_the_same_installation_makes_the_same_archive(packer: Ftbuild, tmp_path: Path) -> None:
    packer("pack", "3.97t", "--output", str(tmp_path))
    again, before = (free_threaded(folder) for folder in (tmp_path, packer.archives))
    assert again.read_bytes() == before.read_bytes()
    assert record_of(again).read_bytes() == record_of(before).read_bytes()


def test_what_is_there_already_is_left_alone(store: Path, user: Ftbuild) -> None:
    user("install", str(store))
    before = user.installed
    assert user("install", str(store)).out.count("there already") == 2
    assert user.installed == before


def test_what_was_added_stays_out(ftbuild: Ftbuild) -> None:
    ftbuild("build", "3.97t")
    packages = ftbuild.root / NAME / "lib/python3.97t/site-packages"
    for name in ("one.py", "__pycache__/one.pyc"):
        file = packages / "requests" / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    done = ftbuild("pack", "3.97t")
    assert f"{NAME}: 2 files were added since and are left out: lib/python3.97t/site-" in done.out
    assert done.out.rstrip().endswith("site-packages/requests")
    names = [content.member.name for content in members(free_threaded(ftbuild.archives))]
    assert not any("requests" in name for name in names)


@pytest.mark.parametrize("harm", ["altered", "missing"])
def test_what_was_harmed_is_not_packed(ftbuild: Ftbuild, harm: str) -> None:
    ftbuild("build", "3.97t")
    file = ftbuild.root / NAME / "lib/python3.97t/os.py"
    file.write_text("other") if harm == "altered" else file.unlink()
    done = ftbuild("pack", "3.97t", code=1)
    assert "lib/python3.97t/os.py" in done.err
    assert harm in done.err
    assert "ftbuild verify --files" in done.err
    assert list(ftbuild.archives.iterdir()) == []


def test_a_lone_file_carries_its_record_in_it(store: Path, user: Ftbuild) -> None:
    record_of(free_threaded(store)).unlink()
    user("install", str(free_threaded(store)))
    assert user.names == [NAME]


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "with its record"])
@pytest.mark.parametrize("harm", ["truncated", "altered", "empty", "no archive"])
def test_a_damaged_file(store: Path, user: Ftbuild, harm: str, alone: bool) -> None:
    archive = free_threaded(store)
    good = archive.read_bytes()
    middle = len(good) // 2
    archive.write_bytes(
        {
            "truncated": good[:middle],
            "altered": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
            "empty": b"",
            "no archive": b"something else",
        }[harm]
    )
    if alone:
        record_of(archive).unlink()
    done = user("install", str(archive), code=1)
    assert archive.name in done.err
    assert "Traceback" not in done.err
    assert nothing_there(user)


def test_a_file_in_it_that_was_replaced(store: Path, user: Ftbuild) -> None:
    """The list in the archive tells, even where its record is made to fit."""
    archive = free_threaded(store)
    contents = members(archive)
    at = next(i for i, c in enumerate(contents) if c.member.name.endswith("/os.py"))
    contents[at] = Content(member=contents[at].member, data=b"import this")
    write(archive, contents)
    done = user("install", str(archive), code=1)
    assert "lib/python3.97t/os.py is not what was packed" in done.err
    assert nothing_there(user)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../../../../escaped", tarfile.REGTYPE),
        ("/tmp/escaped", tarfile.REGTYPE),
        ("{top}/../escaped", tarfile.REGTYPE),
        ("{top}/escaped", tarfile.SYMTYPE),
        ("{top}/escaped", tarfile.FIFOTYPE),
    ],
)
def test_a_member_that_would_escape(store: Path, user: Ftbuild, name: str, kind: bytes) -> None:
    archive = free_threaded(store)
    contents = members(archive)
    top = contents[0].member.name.partition("/")[0]
    bad = tarfile.TarInfo(name.format(top=top))
    bad.type, bad.linkname = kind, "/etc/passwd"
    write(archive, [*contents, Content(member=bad, data=b"")])
    done = user("install", str(archive), code=1)
    assert "escaped" in done.err
    assert nothing_there(user)
    assert not list(user.folder.rglob("escaped"))


def test_a_file_to_be_re_pointed_outside(store: Path, user: Ftbuild) -> None:
    archive = free_threaded(store)
    victim = user.folder / "victim"
    victim.write_text("/a/path")

    def point_outside(manifest: Any) -> None:
        manifest["archived"]["pointing"].append("../" * 9 + str(victim).lstrip("/"))

    remake(archive, point_outside)
    done = user("install", str(archive), code=1)
    assert "a text without sense - at `$.manifest.archived.pointing[" in done.err
    assert victim.read_text() == "/a/path"


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "with its record"])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: m["used"].update(machine="m68k"), "it was built for linux m68k; this is"),
        (lambda m: m["used"].update(system="darwin"), "it was built for darwin"),
        (lambda m: m["archived"].update(libc="glibc 9.99"), "it needs glibc 9.99 or newer"),
        (lambda m: m["archived"].update(libc="musl 1.2.5"), "it needs musl"),
        (lambda m: m.update(format=99), "its manifest has format 99"),
        (lambda m: m.pop("archived"), "does not say how it was packed"),
        (lambda m: m["spec"].update(version="3.97.1"), "digest is not that of what it describes"),
        (lambda m: m["spec"].update(profile="x/../.."), "a text without sense"),
        (lambda m: m.pop("used"), "cannot be read"),
    ],
)
def test_not_for_here(
    store: Path, user: Ftbuild, change: Callable[[Any], None], says: str, alone: bool
) -> None:
    archive = free_threaded(store)
    remake(archive, change)
    if alone:
        record_of(archive).unlink()
    assert says in user("install", str(archive), code=1).err
    assert nothing_there(user)


@pytest.fixture
def broken(packer: Ftbuild) -> Iterator[None]:
    """What was packed fails its checks where it is first installed."""
    once = packer.hooks / "once"
    once.touch()
    packer.hook("verify", f'! rm {once} || {{ echo "libfake.so.1: none" >&2; exit 1; }}')
    yield
    packer.unhook()


@pytest.mark.usefixtures("broken")
def test_one_that_does_not_run_here(store: Path, user: Ftbuild) -> None:
    """Its checks decide, as with any build; it is kept for a look and not listed."""
    done = user("install", str(free_threaded(store)), code=1)
    assert "libfake.so.1: none" in done.err
    assert user.names == []
    assert [path.suffix for path in user.prefixes] == [".failed"]


@pytest.mark.usefixtures("broken")
def test_one_that_does_not_run_here_is_compiled(store: Path, user: Ftbuild) -> None:
    goes_on(user, str(store), "libfake.so.1: none")


def test_words_that_name_no_archive(user: Ftbuild, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no archive was named" in user("install", code=2).err
    assert "there is no such file" in user("install", "nowhere.tar.zst", code=2).err
    said = user("install", "ftp://me:hunter2@x.test/y.tar.zst", code=2).err
    assert "there is no such file" in said
    assert "hunter2" not in said
    assert "No such file" in user("install", "file:///a%00b.tar.zst", code=3).err
    assert "holds no archive for" in user("install", str(tmp_path / "empty"), code=2).err
    assert "is not the address of an archive" in user("install", "http://x.test/y/", code=2).err
    assert "no version was named" in user("pack", code=2).err


def test_from_a_web_server(store: Path, user: Ftbuild) -> None:
    archive = free_threaded(store)
    with Server() as server:
        server.route(serve(archive.read_bytes()), path=f"/a/{archive.name}")
        url = server.url(f"/a/{archive.name}")
        assert "is not there: nothing tells what ought" in user("install", url, code=1).err
        server.route(serve(record_of(archive).read_bytes()), path=f"/a/{archive.name}.json")
        user("install", url)
    assert user.names == [NAME]
    assert user.litter == []


@pytest.fixture
def served(store: Path) -> Iterator[Server]:
    """That store behind a server of files."""
    with Server() as server:
        for path in store.iterdir():
            server.route(serve(path.read_bytes()), path=f"/{path.name}")
        yield server


@pytest.mark.parametrize("how", ["own", "option", "variable", "http"])
def test_a_build_uses_archives(store: Path, user: Ftbuild, served: Server, how: str) -> None:
    words: tuple[str, ...] = ("build", "3.97")
    if how == "own":
        shutil.copytree(store, user.archives)
    elif how == "variable":
        user.env["FTBUILD_ARCHIVE_STORE"] = f"{user.folder / 'nothing-there'},{store}"
    else:
        words = (*words, "--archive-store", str(store) if how == "option" else served.url(""))
    for path in user.mirror.iterdir():
        path.unlink()  # no source is needed
    done = user(*words)
    assert f"{NEW}: a matched pair" in done.out
    assert not built(user)
    assert "warning" not in done.err
    assert user.litter == []


def test_force_compiles(store: Path, user: Ftbuild) -> None:
    user("build", "3.97t", "--archive-store", str(store), "--force")
    assert built(user)


def test_another_build_is_not_taken(store: Path, user: Ftbuild) -> None:
    user("build", "3.97t", "--archive-store", str(store), "--configure-arg", "--with-x")
    assert built(user)


def test_offline_asks_no_server(store: Path, user: Ftbuild, served: Server) -> None:
    user("build", "3.97t", "--archive-store", served.url(""), "--offline", code=3)
    assert served.asked == []


def goes_on(user: Ftbuild, place: str, *says: str, version: str = "3.97t") -> None:
    """Build with a store that is of no use: one warning with the reason, then it is compiled."""
    done = user("build", version, "--archive-store", place)
    warnings = [line for line in done.err.splitlines() if "warning:" in line]
    assert len(warnings) == 1, done.err
    assert all(text in warnings[0] for text in says), warnings
    assert built(user)
    assert user.names


def test_a_store_that_is_down(user: Ftbuild) -> None:
    with Server() as server:
        url = server.url("")
    goes_on(user, url, "cannot be reached", "done without this store", version="3.97")


def test_a_store_that_fails(store: Path, user: Ftbuild) -> None:
    with Server() as server:
        server.route(status(500), path=f"/{record_of(free_threaded(store)).name}")
        goes_on(user, server.url(""), "500 Internal Server Error", "done without this store")


def test_a_store_that_has_a_record_and_no_archive(store: Path, user: Ftbuild) -> None:
    name = free_threaded(store).name
    free_threaded(store).unlink()
    goes_on(user, str(store), name, "cannot be read")


def test_a_store_whose_archive_is_not_the_one_it_describes(
    store: Path, user: Ftbuild, served: Server
) -> None:
    archive = free_threaded(store)
    served.route(serve(archive.read_bytes()[:-1] + b"?"), path=f"/{archive.name}")
    goes_on(user, served.url(""), archive.name, "not the pinned one")


def test_a_store_that_sends_something_else_under_that_name(store: Path, user: Ftbuild) -> None:
    (gil,) = store.glob("cpython-3.97.2-*.tar.zst")
    archive = free_threaded(store)
    shutil.copy(gil, archive)
    shutil.copy(record_of(gil), record_of(archive))
    goes_on(user, str(store), "it holds another build: cpython-3.97.2 ")


def test_a_store_for_another_machine(store: Path, user: Ftbuild) -> None:
    remake(free_threaded(store), lambda m: m["archived"].update(libc="glibc 9.99"))
    goes_on(user, str(store), "it needs glibc 9.99 or newer")


def test_a_store_whose_record_is_nonsense(store: Path, user: Ftbuild) -> None:
    record_of(free_threaded(store)).write_text("<html>")
    goes_on(user, str(store), "its record cannot be read")


def test_a_bad_store_does_not_hide_a_good_one(store: Path, user: Ftbuild) -> None:
    bad = store.with_name("bad")
    shutil.copytree(store, bad)
    free_threaded(bad).write_bytes(b"")
    done = user("build", "3.97t", "--archive-store", str(bad), "--archive-store", str(store))
    assert "warning:" in done.err
    assert not built(user)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_install(
    packer: Ftbuild, store: Path, user: Ftbuild, number: signal.Signals
) -> None:
    """Stopped as the interpreter in its new place recompiles what was changed."""
    packer.unhook()
    packer.hook("recompile", "sleep 300")
    try:
        run = user.start("install", str(free_threaded(store)))
        wait_for(lambda: "recompile t" in packer.trace, "it recompiles")
        run.signal(number)
        code = run.done().code
    finally:
        packer.unhook()
    assert code == (-9 if number == signal.SIGKILL else 130)
    assert user.names == []
    user("install", str(free_threaded(store)))
    assert user.names == [NAME]
    assert user.litter == []
    assert user.processes == []


def test_an_interrupted_pack(ftbuild: Ftbuild) -> None:
    """With a file that takes a while: what is packed is what the list names, whoever wrote it."""
    ftbuild("build", "3.97t")
    (installed,) = ftbuild.installed
    with (installed.prefix / "lib/big").open("wb") as file:
        file.truncate(2_000_000_000)
    contents = hash_tree(installed.prefix)
    result = msgspec.structs.replace(installed.manifest.result, files_sha256=contents.sha256)
    manifest = msgspec.structs.replace(installed.manifest, result=result)
    complete(installed.prefix, manifest, contents)
    run = ftbuild.start("pack", "3.97t")
    wait_for(lambda: any(ftbuild.archives.glob(".*")), "it writes")
    run.signal(signal.SIGINT)
    assert run.done().code == 130
    assert list(ftbuild.archives.iterdir()) == []
