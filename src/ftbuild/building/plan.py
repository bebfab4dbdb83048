"""The stages of one build as plain data. No I/O: what `--dry-run` prints is what will run."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ftbuild.building.stages import Stage, make_stages
from ftbuild.model.arguments import configured
from ftbuild.model.recipes import Profile
from ftbuild.model.spec import BuildSpec, Host
from ftbuild.model.versions import series_of
from ftbuild.store.profiles import FROZEN, STAMP, frozen_beside

SUPPRESSIONS = Path("share/ftbuild/suppressions.txt")
"""Where below a prefix the sanitizer's suppression list is installed."""

SITE = "config.site"
"""Where below a build's scratch directory configure is told of answers that are known already."""

_DETAILS = Path(__file__).with_name("probes") / "details.py"
"""What writes `build-details.json`, a script that the built Python runs."""

_KEPT = ("PATH", "HOME", "TMPDIR", "USER", "LOGNAME", "SHELL", "TERM")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything needed to make one build.

    Attributes:
        name: Friendly name, `cpython-3.14.7t`; also the key of its events.
        spec: What is built.
        source: The unpacked source tree, shared by all builds of the release.
        tree: The build's own directory, out of the source tree.
        staging: `DESTDIR` of its installation.
        prefix: Where it will live.
        training: A stored profile, to be unpacked into the build tree before the first stage.
        frozen: Whether frozen modules are unpacked with it.
        environment: The whole environment of every stage, but for make's job flags.
        stages: In order, up to the staged installation.
        settle: What runs inside the prefix once it is in place: pip is installed there, and
            `build-details.json` written.
    """

    name: str
    spec: BuildSpec
    source: Path
    tree: Path
    staging: Path
    prefix: Path
    training: Path | None
    frozen: bool
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
    training: Path | None = None,
    frozen: bool = False,
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
        jobs: The job budget, for byte-compiling during installation and links by clang.
        training: A stored profile; with one nothing is instrumented and trained.
        frozen: Whether the modules that its training build has frozen lie beside it.
    """
    tree = work / "build"
    staging = work / "stage"
    suppressions = source / profile.suppressions.get(spec.variant, "")
    python = prefix / "bin" / f"python{series_of(spec.version)}{spec.abiflags}"
    # Not left to `make install`: with DESTDIR, ensurepip finds a pip that an older installation has
    # at the final prefix "already satisfied" and stages none.
    pip = Stage(
        name="pip",
        argv=(str(python), "-I", "-m", "ensurepip", "--upgrade", "--default-pip"),
        cwd=prefix,
    )
    configure = Stage(
        name="configure",
        argv=(
            # A relative name is the same in every run: gcc's profiles hold the names of sources.
            f"{os.path.relpath(source, tree)}/configure",
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
        training=training,
        frozen=frozen,
        environment={
            **build_environment(environment, system=host.system),
            **variables,
            "CONFIG_SITE": str(work / SITE),
            **sanitizer_environment(profile, suppressions),
        },
        stages=(
            configure,
            *make_stages(
                spec,
                host,
                tree=tree,
                staging=staging,
                prefix=prefix,
                jobs=jobs,
                trained=training is not None,
                frozen=frozen,
            ),
        ),
        settle=(
            *(() if configured(spec.configure_args, "with_ensurepip") == "no" else (pip,)),
            # -B: it must not add bytecode of what it imports.
            Stage(name="details", argv=(str(python), "-I", "-B", str(_DETAILS)), cwd=prefix),
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
    if plan.training is not None:
        archives = (plan.training, *((frozen_beside(plan.training),) if plan.frozen else ()))
        lines += [shlex.join(("tar", "-xJf", str(a), "-C", str(plan.tree))) for a in archives]
        # The headers must be newer than the modules they are made from, and count as made.
        lines.append(f"touch {shlex.quote(str(plan.tree / STAMP))}")
        if plan.frozen:
            lines.append(f"touch {shlex.quote(str(plan.tree / FROZEN))}/*.h")
    lines += [
        f"export {name}={shlex.quote(value)}"
        for name, value in sorted(plan.environment.items())
        if name not in _KEPT
    ]
    for stage in (*plan.stages, *plan.settle):
        if stage == plan.settle[0]:
            lines.append(shlex.join(("mv", str(plan.staged_prefix), str(plan.prefix))))
        words = (stage.argv[0], f"-j{jobs}", *stage.argv[1:]) if stage.parallel else stage.argv
        lines.append(f"cd {shlex.quote(str(stage.cwd))} && {shlex.join(words)}")
    return "\n".join(lines)


def _compiler_variables(host: Host) -> tuple[str, ...]:
    """The compiler and its companions by path: configure would take any llvm-profdata it meets."""
    tools = host.compiler.tools
    named = {
        "CC": host.compiler.path,
        "LLVM_PROFDATA": tools.get("llvm-profdata"),
        "LLVM_AR": tools.get("llvm-ar"),
    }
    return tuple(f"{name}={path}" for name, path in named.items() if path)
