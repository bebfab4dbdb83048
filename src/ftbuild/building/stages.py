"""The stages of a build that are makes, with what ftbuild adds to each: see docs/performance.md."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec

from ftbuild.model.arguments import configured
from ftbuild.model.spec import BuildSpec, Host

_MAKE_WITH_EVAL = 4
"""The first version of GNU make that hands --eval on to the makes it starts."""

_GCC_WITH_FIFO = 13
"""The first gcc whose LTO finds a job server behind a `fifo:`."""

_NO_TESTEMBED = "Programs/_testembed: private LINKCC = @:"
"""For tests of embedding, in the build tree only: a whole link, and with LTO a long one."""


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One command of a build.

    Attributes:
        name: `configure`, `instrument`, `train`, `compile`, `install`, `pip`, `details`.
        argv: The command.
        cwd: The directory it runs in.
        parallel: Whether it is a make that draws on the job budget.
    """

    name: str
    argv: tuple[str, ...]
    cwd: Path
    parallel: bool = False


def make_stages(
    spec: BuildSpec,
    host: Host,
    *,
    tree: Path,
    staging: Path,
    prefix: Path,
    jobs: int,
    trained: bool,
    frozen: bool,
) -> tuple[Stage, ...]:
    """Everything after configure.

    Args:
        spec: What is built.
        host: The facts about this machine.
        tree: The build directory.
        staging: `DESTDIR` of the installation.
        prefix: The final prefix.
        jobs: The job budget.
        trained: Whether a profile lies in the build tree already.
        frozen: Whether the modules that its training build has frozen lie there, too.
    """
    linking = _linking(spec, host, prefix)
    flags = spec.stage_flags
    training = spec.pgo and not trained

    def make(*words: str, rules: tuple[str, ...]) -> tuple[str, ...]:
        if int(host.make.version.partition(".")[0]) < _MAKE_WITH_EVAL:
            return (host.make.path, *words)
        # --eval reaches the makes that CPython's Makefile starts; other options do not.
        return (host.make.path, *words, *(w for rule in rules for w in ("--eval", rule)))

    # What the training build has frozen is kept: the programs that do it are not made again.
    frozen = frozen or training
    rules = _rules(spec, host, jobs=jobs, frozen=frozen)
    compiling = flags.compile
    if frozen and spec.lto and host.compiler.family == "gcc":
        # Machine code beside the LTO code would be for helpers that are linked without LTO.
        compiling = (*compiling, "-fno-fat-lto-objects")
    final = (
        *_options("CFLAGS_NODIST", compiling),
        *_options("LDFLAGS_NODIST", (*linking, *flags.link)),
        *(("FREEZE_MODULE_DEPS=", "FREEZE_MODULE_BOOTSTRAP_DEPS=") if frozen else ()),
    )
    compile_ = Stage(name="compile", argv=make(*final, rules=rules), cwd=tree, parallel=True)
    install = Stage(
        name="install",
        argv=make(
            "install",
            f"DESTDIR={staging}",
            "ENSUREPIP=no",
            # Upstream's default, -j0, would byte-compile on every CPU whatever the budget says.
            f"COMPILEALL_OPTS=-j{jobs}",
            *final,
            rules=rules,
        ),
        # CPython's install targets create the same directories: not for a parallel make.
        cwd=tree,
    )
    if not training:
        return (compile_, install)
    # The targets that CPython's own `profile-opt` runs one after the other. Asked for one by one
    # they are stages with a log, a time and a progress of their own.
    instrument = make(
        "profile-gen-stamp",
        *_options("CFLAGS_NODIST", flags.instrument),
        *_options("LDFLAGS_NODIST", (*linking, *(("-fno-lto",) if spec.lto else ()))),
        *_options("PGO_PROF_GEN_FLAG", flags.counters),
        rules=(_NO_TESTEMBED,),
    )
    task = _options("PROFILE_TASK", flags.training)
    train = (
        # The training ends with the removal of everything but the profile.
        "cp -pR Python/frozen_modules ..",
        shlex.join((host.make.path, "profile-run-stamp", *task)),
        "cp -pR ../frozen_modules Python",
    )
    return (
        Stage(name="instrument", argv=instrument, cwd=tree, parallel=True),
        Stage(name="train", argv=("/bin/sh", "-ec", "\n".join(train)), cwd=tree),
        compile_,
        install,
    )


def _options(variable: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """The setting of a make variable, if there is anything to set."""
    return (f"{variable}={' '.join(words)}",) if words else ()


def _linking(spec: BuildSpec, host: Host, prefix: Path) -> tuple[str, ...]:
    """Options of every link, those of the training build included."""
    linker = host.compiler.tools.get("ld.lld")
    # Clang's LTO objects are bitcode, which the system's linker cannot read.
    options = [f"--ld-path={linker}"] if spec.lto and linker else []
    arguments = (*spec.flags, *spec.configure_args)
    if configured(arguments, "enable_shared") == "yes" and host.system == "linux":
        # Nobody looks for libpython below our prefix. As a RUNPATH it comes after LD_LIBRARY_PATH,
        # by which the build runs its own interpreter and not one installed there before.
        options.append(f"-Wl,--enable-new-dtags,-rpath,{prefix}/lib")
    return tuple(options)


def _rules(spec: BuildSpec, host: Host, *, jobs: int, frozen: bool) -> tuple[str, ...]:
    """What changes how single programs are linked in the final build.

    Private, lest a program's options become those of everything it is made from.
    """
    rules = [_NO_TESTEMBED]
    if not spec.lto:
        return tuple(rules)
    helpers = "" if frozen else "Programs/_freeze_module"
    if helpers:
        # Freezes three modules and is thrown away.
        rules.append(f"{helpers}: private PY_CORE_LDFLAGS = $(PY_LDFLAGS_NOLTO)")
    if host.compiler.family == "gcc":
        # The `+` lets gcc's LTO workers share the jobs of make, but for an old gcc that cannot open
        # a new make's job server.
        old = int(host.compiler.version.partition(".")[0]) < _GCC_WITH_FIFO
        workers = jobs if host.make.fifo and old else "jobserver"
        rules += [
            "python python.exe: private LINKCC = +$(PURIFY) $(CC)",
            f"python python.exe: private SYSLIBS += -flto={workers}",
        ]
    elif "ld.lld" in host.compiler.tools:
        if helpers:
            rules.append(f"{helpers} _bootstrap_python: private SYSLIBS += -Wl,--lto-O0")
        rules.append(f"python python.exe: private SYSLIBS += -Wl,--thinlto-jobs={jobs}")
    return tuple(rules)
