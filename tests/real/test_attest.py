"""What is said of archives of real builds, checked by ftbuild and signed by the real cosign."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from .conftest import Pair, ftbuild

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def store(
    root: Path, pair_313: Pair, pair_314: Pair, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Archives of both pairs; not to be changed."""
    folder = tmp_path_factory.mktemp("archives")
    words = [f"{pair[0].spec.version}+fast" for pair in (pair_313, pair_314)]
    done = ftbuild("pack", *words, "--output", str(folder), root=root)
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture
def archive(store: Path, pair_314: Pair, tmp_path: Path) -> Path:
    """A copy of one of them, with what is said of it."""
    for path in store.glob(f"{pair_314[1].prefix.name}-*"):
        shutil.copyfile(path, tmp_path / path.name)
    (found,) = tmp_path.glob("*.tar.zst")
    return found


def beside(archive: Path, suffix: str) -> Path:
    return archive.with_name(archive.name + suffix)


def documents(store: Path, suffix: str) -> list[Any]:
    return [json.loads(path.read_text()) for path in sorted(store.glob(f"*{suffix}"))]


def recorded(pair: Pair) -> None:
    if any(item.manifest.used.bundled is None for item in pair):
        pytest.skip("these builds are kept from an ftbuild that recorded nothing of the kind")


def test_every_archive_is_as_it_is_said(store: Path, root: Path) -> None:
    done = ftbuild("attest", "verify", str(store), "--json", root=root)
    assert done.returncode == 0, done.stdout
    assert len(json.loads(done.stdout)["reports"]) == 4


def test_packing_again_changes_no_byte(
    store: Path, root: Path, pair_314: Pair, tmp_path: Path
) -> None:
    name = f"{pair_314[1].spec.version}t+fast"
    assert ftbuild("pack", name, "--output", str(tmp_path), root=root).returncode == 0
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (store / path.name).read_bytes(), path.name


def test_bills_of_materials_keep_to_their_schema(store: Path) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for path in store.glob("*.cdx.json"):
        assert validator.validate_str(path.read_text()) is None, path.name


def test_the_components_that_cpython_brings(store: Path, pair_313: Pair, pair_314: Pair) -> None:
    recorded(pair_313)
    recorded(pair_314)
    for bill in documents(store, ".cdx.json"):
        names = {part["name"]: part.get("version") for part in bill["components"]}
        assert {"expat", "mpdecimal", "mimalloc", "hacl-star", "pip"} <= names.keys()
        assert names["mimalloc"] == "2.1.2"
        # 3.14 has its own BLAKE2 of HACL*; libb2's is 3.13's.
        version = bill["metadata"]["component"]["version"]
        linked = {
            each["value"] for part in bill["components"] for each in part.get("properties", ())
        }
        own = version.startswith("3.13.") and not any(each.startswith("libb2") for each in linked)
        assert ("libb2" in names) == own


def test_the_linked_libraries_are_those_that_the_loader_takes(store: Path, pair_314: Pair) -> None:
    """By what a process with every extension module has mapped."""
    recorded(pair_314)
    gil, _ = pair_314
    script = (
        "import importlib, pathlib, sysconfig\n"
        "for path in pathlib.Path(sysconfig.get_config_var('DESTSHARED')).glob('*.so'):\n"
        "    try: importlib.import_module(path.name.split('.')[0])\n"
        "    except ImportError: pass\n"
        "print(pathlib.Path('/proc/self/maps').read_text())"
    )
    said = subprocess.run(
        [gil.python, "-I", "-c", script], capture_output=True, text=True, check=True
    )
    mapped = {
        os.path.realpath(line.split()[-1]) for line in said.stdout.splitlines() if "/" in line
    }
    linked = gil.manifest.used.linked
    assert linked
    for library in linked:
        assert library.path is not None, library
        assert os.path.realpath(library.path) in mapped, library
        assert library.package is not None or shutil.which("dpkg-query") is None, library


@pytest.mark.parametrize("suffix", ["", ".provenance.json", ".cdx.json", ".json"])
def test_a_flipped_byte(archive: Path, root: Path, suffix: str) -> None:
    path = beside(archive, suffix)
    content = bytearray(path.read_bytes())
    # In a digest, where the document stays JSON; anywhere in the archive.
    at = content.find(b'"sha256": "') + 20 if suffix else len(content) // 2
    if suffix == ".cdx.json":
        at = content.find(b'"content": "') + 20
    content[at] = ord("0") if content[at] != ord("0") else ord("1")
    path.write_bytes(content)
    done = ftbuild("attest", "verify", str(archive), "--json", root=root)
    assert done.returncode == 1
    (report,) = json.loads(done.stdout)["reports"]
    assert not report["ok"]


def test_cosign_signs_the_statement_as_it_is(archive: Path) -> None:
    """With a local key, and without anybody's servers."""
    cosign = shutil.which("cosign")
    if cosign is None:
        pytest.skip("cosign is not installed")

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [cosign, *words],
            cwd=archive.parent,
            env={**os.environ, "COSIGN_PASSWORD": "", "HOME": str(archive.parent)},
            capture_output=True,
            text=True,
            check=False,
        )

    run("generate-key-pair")
    made = run("signing-config", "create", "--out", "offline.json")
    if made.returncode:
        pytest.skip("this cosign is older than 3")
    statement, bundle = (
        beside(archive, ".provenance.json"),
        f"{archive.name}.provenance.sigstore.json",
    )
    local = ("--yes", "--key", "cosign.key", "--signing-config", "offline.json")
    signed = run("attest-blob", *local, "--statement", statement, "--bundle", bundle)
    assert signed.returncode == 0, signed.stderr
    check = (
        "verify-blob-attestation",
        *("--key", "cosign.pub", "--insecure-ignore-tlog", "--type", "slsaprovenance1"),
        *("--bundle", bundle),
    )
    verified = run(*check, archive)
    assert verified.returncode == 0, verified.stderr
    with archive.open("ab") as file:
        file.write(b"x")
    refused = run(*check, archive)
    assert refused.returncode != 0
    assert "do not match digests in statement" in refused.stderr
