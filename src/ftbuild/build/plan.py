"""The stages of one build as plain data. No I/O: what `--dry-run` prints is what will run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ftbuild.model.recipes import Profile
from ftbuild.model.spec import BuildSpec, Host
from ftbuild.model.versions import series_of

SUPPRESSIONS = Path("share/ftbuild/suppressions.txt")
"""Where below a prefix the sanitizer's suppression list is installed."""

_KEPT = ("PATH", "HOME", "TMPDIR", "USER", "LOGNAME", "SHELL", "TERM")


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One command of a build.

    Attributes:
        name: `configure`, `instrument`, `train`, `compile`, `install`, `pip`.
        argv: The command.
        cwd: The directory it runs in.
        parallel: Whether it is a make that draws on the job budget.
    """

    name: str
    argv: tuple[str, ...]
    cwd: Path
    parallel: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything needed to make one build.

    Attributes:
        name: Friendly name, `cpython-3.14.7t`; also the key of its events.
        spec: What is built.
        source: The unpacked source tree, shared by all builds of the release.
        tree: The build's own directory, out of the source tree.
        staging: `DESTDIR` of its installation.
        prefix: Where it will live.
        environment: The whole environment of every stage, but for make's job flags.
        stages: In order, up to the staged installation.
        settle: What runs inside the prefix once it is in place: pip is installed there.
    """

    name: str
    spec: BuildSpec
    source: Path
    tree: Path
    staging: Path
    prefix: Path
    environment: dict[str, str]
    stages: tuple[Stage, ...]
    settle: tuple[Stage, ...]

    @property
    def staged_prefix(self) -> Path:
        """The installed tree inside the staging directory."""
        return self.staging / self.prefix.relative_to("/")


def plan(
    spec: BuildSpec,
    *,
    name: str,
    profile: Profile,
    host: Host,
    environment: Mapping[str, str],
    variables: Mapping[str, str],
    source: Path,
    work: Path,
    prefix: Path,
    jobs: int,
) -> Plan:
    """The plan of one build.

    Args:
        spec: What to build.
        name: Its friendly name.
        profile: The profile the specification names.
        host: The facts about this machine.
        environment: The caller's environment; only what a build needs is taken over.
        variables: By which configure finds this host's libraries, where it needs help.
        source: The unpacked source tree.
        work: A directory for this build alone, on the file system of the prefix.
        prefix: The final prefix, absolute and without white space.
        jobs: The job budget, for byte-compiling during installation.
    """
    tree = work / "build"
    staging = work / "stage"
    suppressions = source / profile.suppressions.get(spec.variant, "")
    python = prefix / "bin" / f"python{series_of(spec.version)}{spec.abiflags}"
    configure = Stage(
        name="configure",
        argv=(
            str(source / "configure"),
            f"--prefix={prefix}",
            *spec.flags,
            *_compiler_variables(host),
            *spec.configure_args,
        ),
        cwd=tree,
    )
    return Plan(
        name=name,
        spec=spec,
        source=source,
        tree=tree,
        staging=staging,
        prefix=prefix,
        environment={
            **build_environment(environment, system=host.system),
            **variables,
            **sanitizer_environment(profile, suppressions),
        },
        stages=(
            configure,
            *_makes(
                host,
                tree=tree,
                staging=staging,
                jobs=jobs,
                pgo=spec.pgo,
                variables=_link_variables(spec, host, prefix),
            ),
        ),
        settle=(
            # Not left to `make install`: with DESTDIR, ensurepip finds a pip that an older
            # installation has at the final prefix "already satisfied" and stages none.
            Stage(
                name="pip",
                argv=(str(python), "-I", "-m", "ensurepip", "--upgrade", "--default-pip"),
                cwd=prefix,
            ),
        ),
    )


def build_environment(environment: Mapping[str, str], *, system: str) -> dict[str, str]:
    """The environment of a build: nothing of the caller's that could change the result.

    CFLAGS, LDFLAGS, MAKEFLAGS, PYTHON* and their like are left out on purpose. They would be
    inputs that no digest covers; `--configure-arg CFLAGS=…` is the way to set them.
    """
    kept = {name: environment[name] for name in _KEPT if name in environment}
    # English messages in UTF-8: causes are recognised in them, paths may hold any letter.
    locale = "en_US.UTF-8" if system == "darwin" else "C.UTF-8"
    return kept | {"LC_ALL": locale}


def sanitizer_environment(profile: Profile, suppressions: Path) -> dict[str, str]:
    """The profile's variables with the path of the suppression list filled in."""
    return {
        name: value.replace("{suppressions}", str(suppressions))
        for name, value in profile.environment.items()
    }


def render(plan: Plan, *, jobs: int) -> str:
    """The plan as a shell script that does the same by hand."""
    lines = [f"# {plan.name}", f"mkdir -p {shlex.quote(str(plan.tree))}"]
    lines += [
        f"export {name}={shlex.quote(value)}"
        for name, value in sorted(plan.environment.items())
        if name not in _KEPT
    ]
    for stage in (*plan.stages, *plan.settle):
        if stage.name == "pip":
            lines.append(shlex.join(("mv", str(plan.staged_prefix), str(plan.prefix))))
        words = (stage.argv[0], f"-j{jobs}", *stage.argv[1:]) if stage.parallel else stage.argv
        lines.append(f"cd {shlex.quote(str(stage.cwd))} && {shlex.join(words)}")
    return "\n".join(lines)


def _link_variables(spec: BuildSpec, host: Host, prefix: Path) -> tuple[str, ...]:
    """Link options of ours. Given to make, they reach every link and stay out of sysconfig."""
    options = []
    linker = host.compiler.tools.get("ld.lld")
    if spec.lto and linker:
        # Clang's LTO objects are bitcode, which the system's linker cannot read.
        options.append(f"--ld-path={linker}")
    if "--enable-shared" in (*spec.flags, *spec.configure_args) and host.system == "linux":
        # Nobody looks for libpython below our prefix. As a RUNPATH it comes after LD_LIBRARY_PATH,
        # by which the build runs its own interpreter and not one installed there before.
        options.append(f"-Wl,--enable-new-dtags,-rpath,{prefix}/lib")
    return (f"LDFLAGS_NODIST={' '.join(options)}",) if options else ()


def _makes(
    host: Host, *, tree: Path, staging: Path, jobs: int, pgo: bool, variables: tuple[str, ...]
) -> tuple[Stage, ...]:
    def make(name: str, *targets: str, parallel: bool = True) -> Stage:
        argv = (host.make.path, *targets, *variables)
        return Stage(name=name, argv=argv, cwd=tree, parallel=parallel)

    # The targets that CPython's own `profile-opt` runs one after the other. Asked for one by one
    # they are stages with a log, a time and a progress of their own.
    training = (make("instrument", "profile-gen-stamp"), make("train", "profile-run-stamp"))
    install = make(
        "install",
        "install",
        f"DESTDIR={staging}",
        "ENSUREPIP=no",
        # Upstream's default, -j0, would byte-compile on every CPU whatever the budget says.
        f"COMPILEALL_OPTS=-j{jobs}",
        # CPython's install targets create the same directories: not for a parallel make.
        parallel=False,
    )
    return (*(training if pgo else ()), make("compile"), install)


def _compiler_variables(host: Host) -> tuple[str, ...]:
    """The compiler and its companions by path: configure would take any llvm-profdata it meets."""
    tools = host.compiler.tools
    named = {
        "CC": host.compiler.path,
        "LLVM_PROFDATA": tools.get("llvm-profdata"),
        "LLVM_AR": tools.get("llvm-ar"),
    }
    return tuple(f"{name}={path}" for name, path in named.items() if path)
