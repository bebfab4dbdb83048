"""Every parser of what others wrote, with valid documents to begin with.

The property is one: a value, or an error that says what is wrong with the document.
"""

from __future__ import annotations

import contextlib
import io
import json
import lzma
import tarfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from ftbuild import catalogue, process, zstd
from ftbuild.archive import elf
from ftbuild.archive import read as archives
from ftbuild.attest import judge
from ftbuild.attest.verify import _component_digest, _name, _read, _subject_digest
from ftbuild.auditing.inputs.words import read_inputs
from ftbuild.auditing.reports import baseline
from ftbuild.bench import comparison, document, ftscalingbench, pyperformance, schedule, text
from ftbuild.building import bundled, diagnose, evidence, progress
from ftbuild.building.given import given_source
from ftbuild.errors import FtbuildError
from ftbuild.export import pyenv
from ftbuild.export.uv import index
from ftbuild.fetch import origins, simple, wire
from ftbuild.fetch.access import logins, with_credentials
from ftbuild.fetch.deadlines import Limits
from ftbuild.fetch.download import Downloads
from ftbuild.fetch.origins import Origin
from ftbuild.fetch.signing import bundles, openpgp
from ftbuild.fetch.signing.verdict import Bad, Unjudged
from ftbuild.images import stored
from ftbuild.model import archive as record
from ftbuild.model import training
from ftbuild.model.recipes import Catalogue
from ftbuild.model.report import Report, expect, skipped
from ftbuild.model.training import TrainingProfile
from ftbuild.model.versions import parse_request
from ftbuild.render import builds as render
from ftbuild.store import collect, links, listing, pairs, places, profiles, tree
from ftbuild.store.layout import Layout, open_root
from ftbuild.toolchain import cgroups, kernel, libraries, owners, packages, programs
from ftbuild.upstream import listing as upstream
from ftbuild.wheels import complaints, options, tags
from tests.builders import HOST, build, specification
from tests.faults.server import Hostile, answer
from tests.unit.attest.archives import packed
from tests.unit.auditing.inputs.test_locks import POETRY, PYLOCK, UV
from tests.unit.auditing.inputs.test_words import LOCK, PROJECT
from tests.unit.bench.examples import BIG
from tests.unit.bench.examples import results as bench_results
from tests.unit.images.engines import DOCKER
from tests.unit.images.test_stored import BUILDAH
from tests.unit.toolchain.test_libraries import PKG_CONFIG
from tests.unit.wheels.test_complaints import NEW, OLD

RECIPES = ("cpython", "profiles", "libraries", "origins", "signers", "bases")


class Parser(msgspec.Struct, frozen=True, kw_only=True):
    """Something that reads what others wrote.

    Attributes:
        read: Reads a document; may use a directory of its own.
        seeds: Makes valid documents, given a directory.
        share: Of the documents, how many it is given, relative to the others.
        raises: What it raises besides errors of ours, as its description says.
    """

    read: Callable[[bytes, Path], object]
    seeds: Callable[[Path], tuple[bytes, ...]]
    share: int = 4
    raises: tuple[type[Exception], ...] = ()


def _text(content: bytes) -> str:
    """Text as the command line has it from the system."""
    return content.decode("utf-8", "surrogateescape")


def _said(content: bytes) -> str:
    """Text as `process` has it from a program."""
    return content.decode(errors="replace")


def _file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _of(*texts: str) -> Callable[[Path], tuple[bytes, ...]]:
    return lambda _: tuple(text.encode() for text in texts)


# -- requests, recipes


def read_request(content: bytes, _: Path) -> object:
    return parse_request(_text(content))


def read_recipe(name: str) -> Callable[[bytes, Path], object]:
    def read(content: bytes, folder: Path) -> object:
        path = _file(folder, f"{name}.yaml", content)
        sections = {key: dict(value) if isinstance(value, dict) else value for key, value in _own()}
        catalogue._overlay(sections, catalogue._read(path), path)
        made = catalogue._assemble(sections)
        return [made.candidates(series) for series in made.series], _origins(made)

    return read


@cache
def _own() -> tuple[tuple[str, Any], ...]:
    sections: dict[str, Any] = {
        name: {} for kinds in catalogue._SECTIONS.values() for name in kinds
    }
    for path in sorted(catalogue.own_recipes().glob("*.yaml")):
        catalogue._overlay(sections, catalogue._read(path), path)
    return tuple(sections.items())


def _origins(made: Catalogue) -> object:
    version = next(iter(made.releases))
    return origins.origins_for(version, made.origins, mirrors=(), apt=())


def _recipe_seeds(name: str) -> Callable[[Path], tuple[bytes, ...]]:
    """The first entries of our own: YAML is slow to read."""

    def seeds(_: Path) -> tuple[bytes, ...]:
        own = yaml.safe_load((catalogue.own_recipes() / f"{name}.yaml").read_text())
        few = {
            section: dict(list(entries.items())[:3]) if isinstance(entries, dict) else entries
            for section, entries in own.items()
        }
        for signer in few.get("signers", {}).values():
            signer.pop("key", None)  # it is looked for beside the file
        return (yaml.safe_dump(few).encode(),)

    return seeds


# -- what is installed, packed and recorded


@cache
def _archive(folder: Path) -> Path:
    return packed(open_root(folder / "packer"), folder)


def _manifests(folder: Path) -> tuple[bytes, ...]:
    with_archive = archives.read_manifest(_archive(folder))
    return (
        msgspec.json.encode(build(folder / "x").manifest),
        msgspec.json.encode(with_archive),
        (folder / "packer/store").glob("*/ftbuild.json").__next__().read_bytes(),
    )


def read_installation(content: bytes, folder: Path) -> object:
    """What `list`, `show`, `gc`, `which` and the launchers make of a manifest."""
    layout = _layout(folder)
    name = _store_name(content)
    if name is None:
        return listing.load_manifest(_file(folder, "manifest.json", content))
    prefix = layout.store / name
    prefix.mkdir(exist_ok=True)
    (prefix / listing.MANIFEST).write_bytes(content)
    try:
        return _listed(layout)
    finally:
        (prefix / listing.MANIFEST).unlink()
        prefix.rmdir()


def _store_name(content: bytes) -> str | None:
    """Where a manifest would belong by what it says; None where that is no name of a file."""
    try:
        said = json.loads(content)
        name = f"{said['name']}-{str(said['digest'])[:8]}"
        return name if len(name.encode()) < 200 and not {"/", "\0"} & set(name) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


@cache
def _layout(folder: Path) -> Layout:
    return open_root(folder / "root")


def _listed(layout: Layout) -> object:
    found = listing.installations(layout)
    links.launchers(found, default_profile="fast")
    with contextlib.redirect_stdout(io.StringIO()):
        for as_json in (True, False):
            render.listing(found, layout, json=as_json)
            render.details(found, json=as_json)
    for item in found:
        _ = item.python, item.environment({}), listing.is_linked(layout, item)
    return collect.collect(layout, days=0, dry_run=True)


def read_record(content: bytes, _: Path) -> object:
    return record.objection(record.decode_record(content).manifest, HOST.platform)


def read_packed_manifest(content: bytes, _: Path) -> object:
    return record.objection(record.decode_manifest(content), HOST.platform)


def read_archive(content: bytes, folder: Path) -> object:
    path = _file(folder, "x.tar.zst", content)
    archives.read_manifest(path)
    return archives.unpack_build(path, folder / "unpacked", stop=threading.Event())


def read_tarball(content: bytes, folder: Path) -> object:
    """The same where the compression is sound and the tar is not."""
    return read_archive(_zstd(content), folder)


def _zstd(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zstd.writer(buffer) as sink:
        sink.write(content)
    return buffer.getvalue()


def _tarball(folder: Path) -> tuple[bytes, ...]:
    with zstd.reader(_archive(folder)) as source:
        return (source.read()[:60_000],)


def read_profile(content: bytes, folder: Path) -> object:
    """The record of a training profile, in an archive as ftbuild writes it."""
    path = folder / "profile.tar.xz"
    profiles._write(path, {profiles._RECORD: content, "Objects/list.gcda": b"counts"})
    return profiles.read_profile(path).unfit(specification())


def read_profile_archive(content: bytes, folder: Path) -> object:
    """The archive itself: a tar that was altered, compressed."""
    path = _file(folder, "profile.tar.xz", lzma.compress(content, preset=0))
    return profiles.read_profile(path)


def _profile() -> bytes:
    return msgspec.json.encode(
        TrainingProfile(
            format=training.FORMAT,
            spec=specification(),
            sha256=profiles._digest({"Objects/list.gcda": b"counts"}),
            frozen=None,
            ftbuild="0.1.0",
        )
    )


def _profile_tar(_: Path) -> tuple[bytes, ...]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in ((profiles._RECORD, _profile()), ("Objects/list.gcda", b"counts")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return (buffer.getvalue(),)


def read_verdict(content: bytes, folder: Path) -> object:
    layout, gil = _layout(folder), build(folder / "x")
    pairs._path(layout, gil).write_bytes(content)
    return pairs.read_verdict(layout, gil, gil)


def _verdicts(folder: Path) -> tuple[bytes, ...]:
    layout, gil = _layout(folder), build(folder / "x")
    checks = (expect("identity.version", "3.14.7", "3.14.7"), skipped("gil.off", "no"))
    pairs.save_verdict(layout, gil, gil, Report(kind="pair", subject="x", checks=checks))
    return (pairs._path(layout, gil).read_bytes(),)


def read_place(content: bytes, folder: Path) -> object:
    layout = _layout(folder)
    layout.places.mkdir(exist_ok=True)
    _file(layout.places, "path-x.json", content)
    return places.places(layout, "path")


def read_hashes(content: bytes, _: Path) -> object:
    return tree.parse(content.decode("utf-8", "surrogateescape"))


def read_elf(content: bytes, folder: Path) -> object:
    return elf.newest(elf.needs_of(_file(folder, "x.so", content)).libc)


def _elf(folder: Path) -> tuple[bytes, ...]:
    """A library as small as a compiler makes it; the shell where there is none."""
    source = _file(folder, "x.c", b'#include <stdio.h>\nint f(void) { return puts(""); }\n')
    done = process.capture(
        ("cc", "-shared", "-fPIC", "-s", "-o", folder / "seed.so", source), env={"PATH": "/usr/bin"}
    )
    path = folder / "seed.so" if done.ok else Path("/bin/sh")
    return (path.read_bytes(),)


# -- what others list


def read_project(name: str) -> Callable[[bytes, Path], object]:
    def read(content: bytes, folder: Path) -> object:
        own = folder / name.replace(".", "-")
        own.mkdir(exist_ok=True)
        path = _file(own, name, content)
        return read_inputs((str(path),), extras=(), groups=(), cwd=own)

    return read


PDM = """
[metadata]
groups = ["default", "dev"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:00"

[[metadata.targets]]
requires_python = ">=3.12"

[[package]]
name = "numpy"
version = "2.4.0"
requires_python = ">=3.11"
groups = ["default"]
marker = "python_version >= '3.12'"
files = [
    {file = "numpy-2.4.0-cp314-cp314t-manylinux_2_28_x86_64.whl", hash = "sha256:00"},
]
"""

POETRY_PROJECT = """
[tool.poetry]
name = "app"
version = "1"
[tool.poetry.dependencies]
python = "^3.9"
numpy = "~2.1"
requests = { version = "^2.28", extras = ["socks"], optional = true, markers = "os_name == 'nt'" }
near = { path = "../near" }
vcs = { git = "https://git.example/x.git", rev = "main" }
[tool.poetry.extras]
web = ["requests"]
[tool.poetry.group.dev.dependencies]
pytest = { version = ">=8", python = "<3.13" }
"""

REQUIREMENTS = """\
--index-url https://u:p@index.example/simple/
--extra-index-url=${EXTRA}/simple
-r other.txt
-f ./links
-e .
--find-links $HOME/y
--trusted-host index.example
numpy[x]==1.26.4 ; python_version < "3.12" \\
    --hash=sha256:00  # c
app @ https://files.example/app-1.0.tar.gz
-c \\
constraints.txt
"""


def read_requirements(content: bytes, folder: Path) -> object:
    path = _file(folder, "requirements.txt", content)
    read_inputs((str(path),), extras=(), groups=(), cwd=folder)
    return options.options_in((path,), {"EXTRA": "https://x.example"})


def read_word(content: bytes, folder: Path) -> object:
    """A requirement on the command line."""
    word = _text(content).partition("\0")[0] or "x"
    return read_inputs((word,), extras=(), groups=(), cwd=folder)


PAGE_URL = "https://index.example/simple/numpy/"

PAGES = (
    """{"meta": {"api-version": "1.1"}, "name": "numpy", "files": [{"filename":
"numpy-2.4.0-cp314-cp314t-manylinux_2_28_x86_64.whl", "url": "../../numpy-2.4.0.whl#sha256=00",
"hashes": {"sha256": "%s"}, "requires-python": ">=3.11", "size": 17, "yanked": false,
"core-metadata": {"sha256": "00"}}, {"filename": "numpy-2.4.0.tar.gz", "url": "x", "hashes": {},
"yanked": "because"}]}"""
    % ("0" * 64),
    """<!DOCTYPE html><html><head><base href="https://files.example/"><title>x</title></head><body>
<a href="numpy-2.4.0-cp314-cp314t-win_amd64.whl#sha256=%s" data-requires-python="&gt;=3.11"
data-core-metadata="sha256=00">numpy</a><br/><a href="http://[x/y">z</a>
<a href='//u:p@h.example/numpy-1.0.tar.gz' data-yanked>1.0</a></body></html>"""
    % ("0" * 64),
)


def read_page(content: bytes, _: Path) -> object:
    return [tags.wheel_of(file.name) for file in simple.parsed(content, PAGE_URL)]


def read_url(content: bytes, _: Path) -> object:
    url = _text(content)
    shown = origins.printable(url)
    login = logins({}, (url,))
    with_credentials(url, login)
    return shown, login, origins.directory_url(url)


URLS = (
    "https://me:s%40cret@mirror.example:8443/python/",
    "file:///srv/python",
    "/srv/py thon",
    "http://[2001:db8::1]/x",
    "../mirror",
)

ANSWERS = tuple(
    f"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n{{}}"
    for head in (
        "200 OK\r\nContent-Length: 2",
        "206 Partial Content\r\nContent-Range: bytes 0-1/2\r\nContent-Length: 2",
        "429 Too Many Requests\r\nRetry-After: 120",
        "503 Service Unavailable\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT",
        "302 Found\r\nLocation: http://127.0.0.1:1/x?y#z",
        "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0",
        "200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2",
    )
)


def read_answer(content: bytes, folder: Path) -> object:
    """Whatever a server says to a question: status line, headers and body."""
    downloads = Downloads(
        cache=folder / "cache",
        env={},
        emit=lambda _: None,
        stop=threading.Event(),
        limits=Limits(tries=1),
    )
    with Hostile(answer(content)) as server:
        return downloads.read(Origin(name="x", url=server.url("/x")), limit=1000)


def read_releases(content: bytes, _: Path) -> object:
    if b"sha256_sum" in content:
        return upstream.tarball(content, "3.14.7")
    return upstream.published(content)


RELEASES = (
    """[{"name": "Python 3.14.7", "slug": "x", "is_published": true, "pre_release": false,
"resource_uri": "https://www.python.org/api/v2/downloads/release/17/"}]""",
    """[{"name": "XZ", "url": "https://www.python.org/ftp/Python-3.14.7.tar.xz", "filesize": 17,
"sha256_sum": "%s", "md5_sum": ""}]"""
    % ("0" * 64),
)


def read_index(content: bytes, _: Path) -> object:
    found = index.decode(content, "downloads.json")
    return index.encode(found, "https://mirror.example")


def _indexes(folder: Path) -> tuple[bytes, ...]:
    manifest = archives.read_manifest(_archive(folder))
    entry = index.entry(manifest, libc="glibc 2.36", contents="0" * 64, sha256="0" * 64)
    return (index.encode({entry.key: entry}, "https://mirror.example"),)


def read_baseline(content: bytes, folder: Path) -> object:
    return baseline.load(_file(folder, "baseline.json", content), may_be_absent=False)


BASELINE = json.dumps(
    {
        "kind": "audit-baseline",
        "format": baseline.FORMAT,
        "targets": {"3.14t": {"numpy": {"status": "gil", "why": ["numpy.core"]}}},
    },
    indent=2,
)


def read_bench(content: bytes, folder: Path) -> object:
    found = document.load(_file(folder, "bench.json", content))
    text.measurement(found)
    return text.comparison(comparison.compare(found, found))


def _benches(_: Path) -> tuple[bytes, ...]:
    return (msgspec.json.encode(bench_results(rounds=2)),)


def read_attestation(content: bytes, folder: Path) -> object:
    path = _file(folder, "statement.json", content)
    said = _read(path)
    _name(said), _subject_digest(said), _component_digest(said)
    true = json.loads(_attestations(folder)[0])
    judge.judge_sbom(said, true, "x.")
    return judge.judge_statement(said, true, "x.")


def _attestations(folder: Path) -> tuple[bytes, ...]:
    archive = _archive(folder)
    documents = sorted(archive.parent.glob(f"{archive.name}.*.json"))
    return tuple(path.read_bytes() for path in documents)


# -- what programs of the system say


def read_programs(content: bytes, _: Path) -> object:
    said = _said(content)
    for reads in (owners.dpkg_owners, libraries.answers, programs.numbers, programs.major):
        reads(said)
    owners.dpkg_packages(said, "debian", "12")
    owners.rpm_owners(said, "fedora", "43")
    owners.apk_owners(said, "x86_64", "alpine", "3.22")
    packages.distribution(said)
    lines = said.splitlines()
    evidence.read_evidence(lines), diagnose.likely_cause(lines), progress.units_in(said)
    for line in lines:
        progress.trained(line)
    return cgroups.group_folders(said, said, "cpu"), ftscalingbench.parse(said)


PROGRAMS = (
    "libssl3:amd64, x: /usr/lib/libssl.so.3\ndiversion by dash from: /bin/sh\n",
    "libssl3:amd64\tlibssl3\t3.0.17-1\tamd64\n",
    "openssl-libs\t3.5.0\tx86_64\t1\t/usr/lib64/libssl.so.3\n",
    "/usr/lib/libz.so.1 is owned by zlib-1.3.1-r2\n",
    'ID=debian\nID_LIKE="ubuntu debian"\nVERSION_ID="12"\nPRETTY_NAME=\'x\n',
    '# 1 "x.c"\n"ftbuild" "zlib" "1.3.1" "end" "ftbuild" "gdbm" 1 23 GDBM_VERSION_PATCH "end"\n',
    "gcc -c -O3 -o Objects/listobject.o x.c\ngcc -o python a.o -ldl\n",
    "0:00:01 [ 3/43] test_x passed\n",
    "0::/user.slice/x\n4:cpu,cpuacct:/y\n31 24 0:27 /y /sys/fs/cgroup rw - cgroup cgroup rw,cpu\n",
    "pymethod                   1.9x faster\nx 3.4x slower\n",
    "clang version 19.1.7 (++20250114)\nTarget: x86_64-pc-linux-gnu\n",
    PKG_CONFIG,
)


def read_gpg(content: bytes, _: Path) -> object:
    said = _said(content)
    claims, expiry = openpgp.claims(said), openpgp.expiries(said)
    return openpgp.verdict(claims, fingerprint="A" * 40, expiry=expiry)


GPG = (
    "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG AAAAAAAAAAAAAAAA me\n[GNUPG:] VALIDSIG "
    + "A" * 40
    + " 2026-11-01 1793500000 0 4 0 22 10 00 "
    + "A" * 40
    + "\npub:u:255:22:A:1:1793600000::u:::scESC:\nfpr:::::::::"
    + "A" * 40
    + ":\n",
    "[GNUPG:] NEWSIG\n[GNUPG:] ERRSIG AAAAAAAAAAAAAAAA 1 10 00 1793500000 9 "
    + "A" * 40
    + "\n[GNUPG:] NO_PUBKEY AAAAAAAAAAAAAAAA\n",
)


BUNDLE = """{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial":
{"tlogEntries": [{"logIndex": "1", "inclusionProof": {"checkpoint": {"envelope": "x"}}}]}}"""


def read_bundle(content: bytes, _: Path) -> object:
    bundles._refuse_older(content)
    return None


def read_uv(content: bytes, folder: Path) -> object:
    done = process.Completed(argv=("uv",), returncode=1, stdout="", stderr=_said(content))
    complaints.wants_to_build(done)
    return complaints.error_of(done, cwd=folder, offline=False, known=lambda: ("numpy",)).message


def read_options(content: bytes, _: Path) -> object:
    word = _text(content)
    return [_or_refused(reads, word) for reads in (_counts, schedule.parse_size, _pinned)]


def _or_refused(reads: Callable[[str], object], word: str) -> object:
    try:
        return reads(word)
    except FtbuildError as error:
        return error.message


def _counts(word: str) -> object:
    return schedule.worker_counts(schedule.parse_counts(word), BIG)


def _pinned(word: str) -> object:
    return schedule.pinning(word, BIG)


def read_engine(content: bytes, _: Path) -> object:
    read = stored.read_buildah if content[:8] == b'{"Type":' else stored.read
    return read(_said(content), reference="app:1")


def read_given(content: bytes, folder: Path) -> object:
    """`--source` and `--sha256`."""
    name, _, sha256 = _text(content).partition(" ")
    path = folder / name.replace("/", "").partition("\0")[0]
    with contextlib.suppress(OSError):
        path.touch()
    return given_source((), str(path), sha256)


def read_marker(content: bytes, folder: Path) -> object:
    _file(folder, pyenv.MARKER, content)
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(content, type=pyenv.Made)
    return None


PARSERS = {
    "requests": Parser(
        read=read_request,
        seeds=_of("3.14t+gil", "3.14.7t", "3.15.0rc1t", "3.97+optimized"),
        share=6,
    ),
    **{
        f"recipes: {name}": Parser(read=read_recipe(name), seeds=_recipe_seeds(name), share=1)
        for name in RECIPES
        if (catalogue.own_recipes() / f"{name}.yaml").exists()
    },
    "manifests": Parser(read=read_installation, seeds=_manifests, share=10),
    "archive records": Parser(
        read=read_record,
        seeds=lambda folder: (Path(f"{_archive(folder)}.json").read_bytes(),),
        share=6,
    ),
    "manifests in archives": Parser(
        read=read_packed_manifest,
        seeds=lambda folder: (msgspec.json.encode(archives.read_manifest(_archive(folder))),),
        share=6,
    ),
    "archives": Parser(
        read=read_archive, seeds=lambda folder: (_archive(folder).read_bytes(),), share=1
    ),
    "archives, inside": Parser(read=read_tarball, seeds=_tarball, share=1),
    "training profiles": Parser(read=read_profile, seeds=lambda _: (_profile(),), share=2),
    "training profiles, the archive": Parser(
        read=read_profile_archive, seeds=_profile_tar, share=2
    ),
    "pair verdicts": Parser(read=read_verdict, seeds=_verdicts),
    "places of links": Parser(
        read=read_place, seeds=_of('{"kind":"path","path":"/usr/local/bin"}'), share=2
    ),
    "pyenv markers": Parser(
        read=read_marker, seeds=_of('{"root":"/x","prefix":"/x/store/y"}'), share=1
    ),
    "lists of hashes": Parser(
        read=read_hashes, seeds=_of("0" * 64 + "  a/b\n\\" + "0" * 64 + "  new\\nline\n")
    ),
    "ELF files": Parser(read=read_elf, seeds=_elf, share=1),
    "uv.lock": Parser(read=read_project("uv.lock"), seeds=_of(UV, LOCK)),
    "poetry.lock": Parser(
        read=read_project("poetry.lock"),
        seeds=_of(POETRY.replace("extra == 'x'", "os_name == 'posix'")),
    ),
    "pylock.toml": Parser(read=read_project("pylock.toml"), seeds=_of(PYLOCK)),
    "pdm.lock": Parser(read=read_project("pdm.lock"), seeds=_of(PDM), share=2),
    "pyproject.toml": Parser(
        read=read_project("pyproject.toml"), seeds=_of(PROJECT, POETRY_PROJECT), share=6
    ),
    "requirements": Parser(read=read_requirements, seeds=_of(REQUIREMENTS)),
    "requirements on the command line": Parser(
        read=read_word, seeds=_of("psycopg[binary]>=3 ; os_name == 'posix'", "numpy==1.26.4", "a/b")
    ),
    "index pages": Parser(read=read_page, seeds=_of(*PAGES), raises=(wire.Failed,)),
    "addresses": Parser(read=read_url, seeds=_of(*URLS), share=6),
    "answers of servers": Parser(
        read=read_answer, seeds=_of(*ANSWERS), share=1, raises=(wire.Failed,)
    ),
    "python.org's API": Parser(read=read_releases, seeds=_of(*RELEASES), share=2),
    "uv's index": Parser(read=read_index, seeds=_indexes),
    "baselines": Parser(read=read_baseline, seeds=_of(BASELINE)),
    "measurements": Parser(read=read_bench, seeds=_benches, share=1),
    "reports of pyperf": Parser(
        read=lambda content, _: pyperformance.decoded(content),
        seeds=_of('{"benchmarks": [{"runs": [{"values": [0.1], "warmups": [[1, 0.1]]}]}]}'),
        share=1,
        raises=(msgspec.MsgspecError,),
    ),
    "provenance and SBOMs": Parser(read=read_attestation, seeds=_attestations, share=2),
    "CPython's own SBOM": Parser(
        read=lambda content, _: bundled.components(content),
        seeds=lambda _: (
            Path(__file__)
            .parents[1]
            .joinpath("integration/source/Misc/sbom.spdx.json")
            .read_bytes(),
        ),
        share=2,
        raises=(msgspec.DecodeError,),
    ),
    "what programs say": Parser(read=read_programs, seeds=_of(*PROGRAMS), share=6),
    "lists of CPUs": Parser(
        read=lambda content, _: kernel.cpu_list(_text(content)),
        seeds=_of("0,4-6", "0-3"),
        share=1,
        raises=(ValueError,),
    ),
    "gpg's status": Parser(read=read_gpg, seeds=_of(*GPG), share=2, raises=(Bad, Unjudged)),
    "Sigstore bundles": Parser(
        read=read_bundle,
        seeds=_of(BUNDLE),
        share=1,
        raises=(Bad, Unjudged),
    ),
    "what uv says": Parser(read=read_uv, seeds=_of(NEW, OLD), share=2),
    "options of bench": Parser(read=read_options, seeds=_of("1,2,4", "1.5GiB", "0,2,4-7"), share=2),
    "a source of the user's": Parser(
        read=read_given, seeds=_of("Python-3.98.0b1.tar.xz " + "0" * 64), share=2
    ),
    "what container engines say": Parser(read=read_engine, seeds=_of(BUILDAH, DOCKER), share=2),
}
