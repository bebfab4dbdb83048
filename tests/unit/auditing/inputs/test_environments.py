from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftbuild.auditing.inputs.environments import read_environment
from ftbuild.errors import UsageError


def _installed(folder: Path, name: str, *requires: str, address: object = None) -> None:
    info = folder / "lib" / "python3.12" / "site-packages" / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
    lines += [f"Requires-Dist: {text}" for text in requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n\n")
    if address is not None:
        (info / "direct_url.json").write_text(json.dumps(address))


def test_what_is_installed(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    venv.mkdir()
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.4\n")
    _installed(venv, "app", "Lib_A>=1", "old ; python_version < '3.12'", "more ; extra == 'x'")
    _installed(venv, "lib-a")
    _installed(venv, "old")
    _installed(venv, "more")
    _installed(venv, "pip")
    _installed(venv, "setuptools")
    _installed(venv, "user", "setuptools")
    _installed(
        venv, "mine", "needed", address={"url": "file:///src", "dir_info": {"editable": True}}
    )
    _installed(venv, "needed")
    commit = {"vcs": "git", "commit_id": "0123"}
    _installed(venv, "vcs", address={"url": "https://git.example/v", "vcs_info": commit})
    _installed(venv, "odd", address=[])
    found = read_environment(venv)
    assert [root.text for root in found.roots] == [
        "app==1.0",
        "more==1.0",
        "needed==1.0",
        "odd==1.0",
        "old==1.0",
        "user==1.0",
        "vcs @ git+https://git.example/v@0123",
    ]
    assert "lib-a==1.0" in found.pins
    assert "setuptools==1.0" in found.pins
    assert not any(pin.startswith(("pip=", "mine=", "vcs=")) for pin in found.pins)
    assert found.notes == ("installed from this machine and left out: mine",)


def test_a_configuration_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_bytes(b"\xff\xfe\nversion = 3.12.4\n")
    _installed(tmp_path, "app", "old ; python_version < '3.12'")
    assert [root.text for root in read_environment(tmp_path).roots] == ["app==1.0"]


def test_what_is_no_whole_environment(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n")
    with pytest.raises(UsageError, match="no site-packages"):
        read_environment(tmp_path)
