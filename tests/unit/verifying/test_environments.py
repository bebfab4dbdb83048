from __future__ import annotations

from pathlib import Path

from ftbuild.model.report import Status
from ftbuild.verifying.environments import environments

from .builds import build, changed, context, failing, named, with_python


def test_a_build_without_pip_is_not_asked_for_it(tmp_path: Path) -> None:
    installation = changed(build(tmp_path), "used", configure=("configure", "--without-ensurepip"))
    checks = environments(installation, context(tmp_path))
    assert {check.status for check in checks} == {Status.SKIPPED}


def test_a_pip_from_elsewhere_is_not_this_ones(tmp_path: Path) -> None:
    script = """
        case "$*" in
          *-m\\ pip*) echo "pip 26.0 from /usr/lib/python3/dist-packages/pip (python 3.14)" ;;
          *) echo "Error: no room" >&2; exit 1 ;;
        esac"""
    checks = environments(with_python(build(tmp_path), script), context(tmp_path))
    assert failing(checks) == {"pip.version", "venv.create"}
    assert named(checks)["venv.create"].found == "exit status 1: Error: no room"


def test_a_virtual_environment_of_another_kind_is_found(tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    answer = f"""{{"version": "3.14.7", "gil": true, "gil_disabled": false, "abiflags": "",
        "soabi": "", "ext_suffix": "", "debug": false, "prefix": "/", "platform": "",
        "base_prefix": "{prefix}"}}""".replace("\n", "")
    script = f"""
        case "$*" in
          *venv/bin*) ;;
          *-m\\ venv*) mkdir -p "$5/bin"; cp "$0" "$5/bin/python" ;;
          *identity.py*) echo '{answer}' ;;
          *) echo "pip 26.0 from $(dirname "$(dirname "$0")")/lib/pip (python 3.14)" ;;
        esac"""
    checks = named(environments(with_python(build(prefix), script), context(tmp_path)))
    assert checks["pip.version"].status is Status.PASSED
    assert checks["venv.pip"].status is Status.PASSED
    assert checks["venv.python"].status is Status.FAILED
    assert checks["venv.python"].found == f"GIL on, abiflags '', based on {prefix}"
