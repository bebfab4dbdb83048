"""Findings to test with: what an audit of a few packages might have found."""

from __future__ import annotations

import msgspec

from ftbuild.auditing.findings import (
    Audit,
    Culprit,
    Ending,
    File,
    Finding,
    Grade,
    Grading,
    Installed,
    Package,
    Probed,
    Status,
    Target,
    TestsRun,
)
from ftbuild.auditing.target import accepted

TARGET = Target(
    label="3.14t",
    name="cpython-3.14.7t",
    version="3.14.7",
    digest="ab" * 32,
    python="/opt/ftbuild/cpython-3.14.7t/bin/python3.14t",
    tags=accepted("3.14.7"),
    markers={
        "implementation_name": "cpython",
        "implementation_version": "3.14.7",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "6.1",
        "platform_system": "Linux",
        "platform_version": "#1",
        "python_full_version": "3.14.7",
        "python_version": "3.14",
        "sys_platform": "linux",
    },
    suffixes=(".cpython-314t-x86_64-linux-gnu.so", ".so"),
)


WHEEL = Installed(how="wheel")
BUILT = Installed(how="built", seconds=42.0)
ABSENT = Installed(how=None, why="it has no wheel")
BROKEN = Installed(how=None, why="its build backend failed", log=("x.c:1: error",), seconds=3.0)


def package(
    name: str, version: str = "1.0", *wheels: str, via: str = "requirements.txt"
) -> Package:
    """A package with the wheels of these tags: `cp314-cp314t-manylinux_2_28_x86_64`."""
    stem = f"{name.replace('-', '_')}-{version}"
    return Package(
        name=name,
        version=version,
        via=(via,),
        chain=(via,),
        index="https://index.example/simple",
        wheels=tuple(
            File(name=f"{stem}-{tag}.whl", url=f"https://files.example/{stem}-{tag}.whl")
            for tag in wheels
        ),
        sdist=File(name=f"{stem}.tar.gz", url=f"https://files.example/{stem}.tar.gz"),
    )


def finding(name: str, status: Status, grade: Grade = Grade.FREE_THREADED) -> Finding:
    """A finding whose reason is made up."""
    return Finding(
        package=package(name),
        grading=Grading(grade=grade),
        status=status,
        detail=f"{name} is {status}",
    )


def audit(*findings: Finding) -> Audit:
    """An audit that found these."""
    return Audit(
        ftbuild="0.1",
        target=TARGET,
        inputs=("requirements.txt",),
        probed=True,
        findings=findings,
    )


def required(name: str, *via: str) -> Package:
    """A package that these require."""
    return msgspec.structs.replace(package(name), via=via, chain=("requirements.txt", *via[:1]))


def grading(grade: Grade, name: str = "foo", abis: tuple[str, ...] = ()) -> Grading:
    """What a package of that grade might ship for `TARGET`."""
    tags = {
        Grade.PURE: "py3-none-any",
        Grade.FREE_THREADED: "cp314-cp314t-manylinux_2_28_x86_64",
        Grade.ABI3T: "cp315-abi3.abi3t-manylinux_2_28_x86_64",
        Grade.BINARIES: "py3-none-manylinux_2_28_x86_64",
        Grade.SUSPICIOUS: "cp314-none-manylinux_2_28_x86_64",
    }
    wheel = f"{name.replace('-', '_')}-1.0-{tags[grade]}.whl" if grade in tags else None
    inside = (f"{name}/_core.so",) if grade is Grade.SUSPICIOUS else ()
    return Grading(grade=grade, wheel=wheel, abis=abis, sdist=True, inside=inside)


def probed(module: str, ending: Ending = Ending.FINE, **known: object) -> Probed:
    """A top-level module, or an extension module if its name has a dot."""
    made = Probed(module=module, extension="." in module, ending=ending, seconds=30.0)
    return msgspec.structs.replace(made, **known)


def switched(module: str, *culprits: Culprit) -> Probed:
    """A module whose import switched the GIL on."""
    return probed(module, Ending.GIL, culprits=culprits)


def culprit(module: str, distribution: str | None, *chain: str) -> Culprit:
    """An extension module, and the modules being imported before it."""
    return Culprit(module=module, distribution=distribution, chain=(*chain, module))


def ran(code: int = 0, *, gil: bool = False, culprits: tuple[Culprit, ...] = ()) -> TestsRun:
    """The project's tests, after which the GIL was on or not."""
    return TestsRun(
        command="pytest",
        code=code,
        ending=f"exit status {code}",
        seconds=1.0,
        gil_before=False,
        gil_after=gil,
        culprits=culprits,
        tail=("1 failed",),
    )


def changed(one: Finding, **values: object) -> Finding:
    """The same finding with other values."""
    return msgspec.structs.replace(one, **values)


def told(found: Audit, **values: object) -> Audit:
    """The same audit with other values."""
    return msgspec.structs.replace(found, **values)


def target_at(version: str) -> Target:
    """The free-threaded build of another release."""
    label = f"{'.'.join(version.split('.')[:2])}t"
    return msgspec.structs.replace(
        TARGET, label=label, name=f"cpython-{version}t", version=version, tags=accepted(version)
    )
