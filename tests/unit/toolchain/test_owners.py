from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import EnvironmentFault
from ftbuild.model.components import Package
from ftbuild.toolchain.owners import apk_owners, dpkg_owners, dpkg_packages, owners, rpm_owners
from ftbuild.toolchain.packages import release

STOP = threading.Event()
SSL = Path("/usr/lib/libssl.so.3")


@pytest.fixture
def os_release(tmp_path: Path) -> Path:
    path = tmp_path / "os-release"
    path.write_text('NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n')
    return path


def package(kind: str, name: str, version: str, architecture: str, **more: str) -> Package:
    return Package(
        kind=kind,
        name=name,
        version=version,
        architecture=architecture,
        distribution="debian",
        release="12",
        **more,
    )


def test_what_dpkg_says() -> None:
    said = (
        "libssl3t64:amd64: /usr/lib/x86_64-linux-gnu/libssl.so.3\n"
        "libc6:i386, libc6:amd64: /usr/share/doc/libc6\n"
        "dash: /bin/dash\n"
        "diversion by dash from: /bin/sh\n"
        "dpkg-query: no path found matching pattern /x\n"
    )
    assert dpkg_owners(said) == {
        "/usr/lib/x86_64-linux-gnu/libssl.so.3": "libssl3t64:amd64",
        "/usr/share/doc/libc6": "libc6:i386",
        "/bin/dash": "dash",
    }


def test_what_dpkg_says_of_packages() -> None:
    said = "libssl3:amd64\tlibssl3\t3.0.17-1~deb12u2\tamd64\nnonsense\n"
    assert dpkg_packages(said, "debian", "12") == {
        "libssl3:amd64": package("deb", "libssl3", "3.0.17-1~deb12u2", "amd64")
    }


def test_what_apk_says() -> None:
    said = (
        "/usr/lib/libssl.so.3 is owned by libssl3-3.5.1-r0\n"
        "/usr/lib/libgdbm_compat.so.4 symlink target is owned by gdbm-1.24-r0\n"
        "/lib/ld-musl-x86_64.so.1 is owned by musl-1.2.5-r10\n"
        "ERROR: /x: Could not find owner package\n"
    )
    found = apk_owners(said, "x86_64", "alpine", "3.22")
    assert {path: (each.name, each.version) for path, each in found.items()} == {
        "/usr/lib/libssl.so.3": ("libssl3", "3.5.1-r0"),
        "/usr/lib/libgdbm_compat.so.4": ("gdbm", "1.24-r0"),
        "/lib/ld-musl-x86_64.so.1": ("musl", "1.2.5-r10"),
    }


def test_what_rpm_says() -> None:
    said = (
        "openssl-libs\t3.2.6-2.fc41\tx86_64\t1\t/usr/lib64/libssl.so.3\n"
        "zlib-ng-compat\t2.2.3-1.fc41\tx86_64\t(none)\t/usr/lib64/libz.so.1\n"
        "file /opt/libown.so is not owned by any package\n"
    )
    found = rpm_owners(said, "fedora", "41")
    assert {path: (each.name, each.epoch) for path, each in found.items()} == {
        "/usr/lib64/libssl.so.3": ("openssl-libs", "1"),
        "/usr/lib64/libz.so.1": ("zlib-ng-compat", ""),
    }


@given(st.text())
def test_anything_may_be_said(said: str) -> None:
    for found in (dpkg_owners(said), apk_owners(said, "", "", ""), rpm_owners(said, "", "")):
        assert all(found.values())
    dpkg_packages(said, "", "")


def test_a_path_that_the_package_spells_in_another_way(
    program: Callable[[str, str], Path], env: dict[str, str], os_release: Path
) -> None:
    program(
        "dpkg-query",
        """
        case $1 in
            --search) echo "libssl3:amd64: /lib/libssl.so.3"; exit 1 ;;
            --show) printf "$3\\tlibssl3\\t3.0\\tamd64\\n" ;;
        esac
        """,
    )
    found = owners([SSL, Path("/opt/x")], env=env, stop=STOP, os_release=os_release)
    assert found == {SSL: package("deb", "libssl3", "3.0", "amd64")}


def test_the_package_manager_that_knows_the_files_is_believed(
    program: Callable[[str, str], Path], env: dict[str, str], os_release: Path
) -> None:
    """On Fedora, with dpkg installed."""
    program("dpkg-query", "exit 1")
    program("rpm", f"printf 'openssl-libs\\t3.2-2\\tx86_64\\t1\\t{SSL}\\n'")
    found = owners([SSL], env=env, stop=STOP, os_release=os_release)
    assert found == {SSL: package("rpm", "openssl-libs", "3.2-2", "x86_64", epoch="1")}


def test_apk(program: Callable[[str, str], Path], env: dict[str, str], os_release: Path) -> None:
    program(
        "apk",
        f"""
        case $1 in
            --print-arch) echo x86_64 ;;
            info) echo "{SSL} is owned by libssl3-3.5.1-r0" ;;
        esac
        """,
    )
    found = owners([SSL], env=env, stop=STOP, os_release=os_release)
    assert found == {SSL: package("apk", "libssl3", "3.5.1-r0", "x86_64")}


def test_files_that_nobody_knows(
    program: Callable[[str, str], Path], env: dict[str, str], os_release: Path
) -> None:
    program("rpm", "echo file is not owned; exit 1")
    assert owners([SSL], env=env, stop=STOP, os_release=os_release) == {}
    assert owners([], env={"PATH": "/nowhere"}, stop=STOP) == {}


def test_no_package_manager(env: dict[str, str]) -> None:
    with pytest.raises(EnvironmentFault, match="none of dpkg-query, apk, rpm is here"):
        owners([SSL], env=env, stop=STOP)


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="no Debian, nor its like")
def test_the_real_dpkg() -> None:
    shell = Path("/bin/sh").resolve()
    found = owners([shell], env={"PATH": os.environ["PATH"]}, stop=STOP)
    assert found[shell].kind == "deb"
    assert found[shell].version[0].isdigit()


def test_the_distribution_and_its_release(os_release: Path, tmp_path: Path) -> None:
    assert release(os_release) == ("debian", "12")
    assert release(tmp_path / "gone") == ("", "")
