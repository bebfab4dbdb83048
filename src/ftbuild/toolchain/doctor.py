"""What this host has and lacks for building CPython, and the command that mends it."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Collection, Iterable, Mapping

import msgspec
from packaging.version import Version

from ftbuild.errors import EnvironmentFault
from ftbuild.model.recipes import Catalogue, PackageManager
from ftbuild.model.spec import Compiler
from ftbuild.toolchain.compilers import (
    LLVM_TOOLS,
    find_compiler,
    find_compilers,
    tool_version,
    trial,
)
from ftbuild.toolchain.diagnosis import Diagnosis, Finding, Grade
from ftbuild.toolchain.environment import current_system, probe_environment
from ftbuild.toolchain.libraries import absent, relevant, survey, usable
from ftbuild.toolchain.linking import Trial, other_pkg_config, try_libraries
from ftbuild.toolchain.make import find_make
from ftbuild.toolchain.packages import (
    compiler_packages,
    fast_compiler_packages,
    install_command,
    installed_packages,
    library_packages,
    only_root,
    package_manager,
)
from ftbuild.toolchain.programs import major, said, which


def examine(catalogue: Catalogue, *, want: str = "auto", env: Mapping[str, str]) -> Diagnosis:
    """Look at everything a build needs or can use.

    Args:
        catalogue: The libraries and package managers.
        want: The compiler that is to be used, as for `find_compiler`.
        env: The caller's environment.

    Raises:
        UsageError: `want` names no compiler.
        EnvironmentFault: ftbuild does not build on this system.
    """
    system = current_system()
    name = package_manager(catalogue.managers, system=system, env=env)
    manager = None if name is None else catalogue.managers[name]
    env = probe_environment(catalogue.libraries, system=system, env=env)
    compiler, compiling = _compiler(want, system=system, manager=manager, env=env)
    findings = (
        *compiling,
        *_others(compiler, env),
        *_faster(want, compiler, manager, env),
        _make(manager, env),
        _pkg_config(manager, env),
        _lzma(),
        *_libraries(catalogue, compiler, system=system, manager=name, env=env),
    )
    packages = tuple(dict.fromkeys(p for finding in findings for p in finding.packages))
    if manager is not None:
        there = installed_packages(packages, manager, env=env)
        findings = tuple(_without_installed(finding, there, env) for finding in findings)
        packages = tuple(package for package in packages if package not in there)
    by_root = manager is not None and only_root(manager, env)
    root = by_root or os.geteuid() == 0
    return Diagnosis(
        system=system,
        manager=name,
        findings=findings,
        commands=install_command(packages, manager, root=root) if manager else (),
        by_root=by_root,
    )


def _compiler(
    want: str, *, system: str, manager: PackageManager | None, env: Mapping[str, str]
) -> tuple[Compiler | None, tuple[Finding, ...]]:
    """The compiler to be used, its companions, and whether it makes programs that run."""
    try:
        compiler = find_compiler(want, env=env)
    except EnvironmentFault as fault:
        way = "; `xcode-select --install` brings clang" if system == "darwin" else ""
        return None, (
            Finding(
                what="C compiler" if want == "auto" else want,
                status=Grade.MISSING,
                packages=() if manager is None else compiler_packages(want, manager),
                note=fault.message + way,
            ),
        )
    needs = _companions(compiler, system)
    packages = () if manager is None else _packages_of(compiler, manager)
    return compiler, (
        _present(compiler),
        *(_companion(compiler, tool, packages, env) for tool in needs),
        *_trials(compiler, () if manager is None else manager.build, packages, env),
    )


def _present(compiler: Compiler) -> Finding:
    return Finding(
        what=compiler.family, status=Grade.OK, found=f"{compiler.version} {compiler.path}"
    )


def _packages_of(compiler: Compiler, manager: PackageManager) -> tuple[str, ...]:
    exact = compiler_packages(f"{compiler.family}-{major(compiler.version)}", manager)
    return exact or compiler_packages(compiler.family, manager)


def _companions(compiler: Compiler, system: str) -> tuple[str, ...]:
    if compiler.family == "gcc":
        return ("gcc-ar",)
    # Apple's own ar and ld read bitcode.
    return LLVM_TOOLS[:1] if system == "darwin" else LLVM_TOOLS


def _companion(
    compiler: Compiler, tool: str, packages: tuple[str, ...], env: Mapping[str, str]
) -> Finding:
    there = compiler.tools.get(tool)
    if there is not None:
        return Finding(what=tool, status=Grade.OK, found=there)
    other = which(tool, env)
    if other is None or compiler.family == "gcc":
        note = f"optimized builds with {compiler.family} {compiler.version} need it"
        return Finding(what=tool, status=Grade.MISSING, packages=packages, note=note)
    version = tool_version(other, env=env) or "of an unknown version"
    return Finding(
        what=tool,
        status=Grade.WRONG,
        found=f"{version} {other}",
        packages=packages,
        note=f"clang is {compiler.version}; a tool of another release spoils an optimized build "
        "after its training",
    )


def _trials(
    compiler: Compiler,
    basics: tuple[str, ...],
    packages: tuple[str, ...],
    env: Mapping[str, str],
) -> tuple[Finding, ...]:
    plain = _trial("trial program", trial(compiler, env=env), basics)
    if compiler.family == "gcc" or plain.status is not Grade.OK:
        return (plain,)
    # Distributions pack the runtime that writes profiles apart from clang.
    flags = ("-fprofile-instr-generate",)
    return plain, _trial("clang's profile runtime", trial(compiler, *flags, env=env), packages)


def _trial(what: str, trouble: str, packages: tuple[str, ...]) -> Finding:
    if not trouble:
        return Finding(what=what, status=Grade.OK, found="compiles and runs")
    return Finding(what=what, status=Grade.WRONG, packages=packages, note=trouble)


def _others(compiler: Compiler | None, env: Mapping[str, str]) -> tuple[Finding, ...]:
    """The compilers that could be chosen instead."""
    chosen = None if compiler is None else compiler.identity
    return tuple(_present(c) for c in find_compilers(env=env) if c.identity != chosen)


def _faster(
    want: str, compiler: Compiler | None, manager: PackageManager | None, env: Mapping[str, str]
) -> tuple[Finding, ...]:
    """The compiler that `auto` would prefer, where it is not there and the distribution has it."""
    if want != "auto" or manager is None or (compiler and compiler.family == "clang"):
        return ()
    packages = fast_compiler_packages(manager, env)
    if not packages:
        return ()
    note = "builds are done sooner with it, and the interpreters are faster"
    return (Finding(what=packages[0], status=Grade.OPTIONAL, packages=packages, note=note),)


def _make(manager: PackageManager | None, env: Mapping[str, str]) -> Finding:
    try:
        make = find_make(env=env)
    except EnvironmentFault as fault:
        packages = () if manager is None else manager.build
        return Finding(what="make", status=Grade.MISSING, packages=packages, note=fault.message)
    return Finding(what="make", status=Grade.OK, found=f"{make.version} {make.path}")


def _pkg_config(manager: PackageManager | None, env: Mapping[str, str]) -> Finding:
    path = which("pkg-config", env)
    if path is not None:
        version = said(path, "--version", env=env).strip()
        return Finding(what="pkg-config", status=Grade.OK, found=f"{version} {path}")
    return Finding(
        what="pkg-config",
        status=Grade.OPTIONAL,
        packages=() if manager is None else manager.build,
        note="without it CPython's configure finds libraries in standard places only",
    )


def _lzma() -> Finding:
    if importlib.util.find_spec("_lzma") is not None:
        return Finding(what="lzma", status=Grade.OK, found="in the Python that runs ftbuild")
    return Finding(
        what="lzma",
        status=Grade.MISSING,
        note="the Python that runs ftbuild has no lzma and cannot unpack CPython's tarballs: run "
        "ftbuild with another Python",
    )


def _without_installed(finding: Finding, there: Collection[str], env: Mapping[str, str]) -> Finding:
    """A finding that recommends no package that is installed: that would change nothing."""
    rest = tuple(package for package in finding.packages if package not in there)
    note = finding.note
    if finding.packages and not rest:
        other = other_pkg_config(env)
        why = "yet it is not found"
        if other is not None:
            why = f"but {other[0]} is another prefix's. Put the next one first: {other[1]}"
        note = "; ".join(filter(None, (note, f"{', '.join(finding.packages)} is installed, {why}")))
    return msgspec.structs.replace(finding, packages=rest, note=note)


def _libraries(
    catalogue: Catalogue,
    compiler: Compiler | None,
    *,
    system: str,
    manager: str | None,
    env: Mapping[str, str],
) -> Iterable[Finding]:
    """The libraries found, and those that would bring further modules."""
    newest = max(catalogue.series, key=Version)
    recipes = relevant(catalogue.libraries, system=system, series=(newest,))
    there = survey(recipes, compiler=compiler, env=env).libraries
    versions = {library.name: library.version for library in there}
    good = {library.name for library in usable(there, recipes)}
    missing = absent(usable(there, recipes), recipes, newest, system)
    found = {name: recipe for name, recipe in recipes.items() if name in good}
    trials = {} if compiler is None else try_libraries(found, compiler=compiler, env=env)
    for name, recipe in recipes.items():
        packages = library_packages((name,), recipes, manager)
        lacking = Grade.MISSING if recipe.required else Grade.OPTIONAL
        version = versions.get(name, "")
        if name in good:
            trial = trials.get(name, Trial())
            status, note = Grade.OK, ""
            if trial.unlinked:
                status, note = lacking, f"cannot be linked with: {trial.unlinked}"
            elif trial.unloaded:
                # CPython's configure takes it, and the build ends when its module is imported.
                status, note = (
                    Grade.WRONG,
                    f"links, but does not load: {trial.unloaded}. {trial.way}",
                )
            elif trial.linked:
                note = f"linked with {trial.linked}, which is not what is loaded"
            yield Finding(
                what=name,
                status=status,
                found=" ".join(filter(None, (version or "found", trial.file))),
                gives=recipe.imports,
                packages=packages if trial.unlinked else (),
                note=note,
            )
        elif name in missing:
            yield Finding(
                what=name,
                status=lacking,
                found=version,
                gives=missing[name],
                packages=() if version else packages,
                note=f"CPython needs {recipe.minimum} or later" if version else "",
            )
