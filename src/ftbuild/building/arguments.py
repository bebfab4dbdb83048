"""Arguments for configure that the user gives: which are passed on, and who knows better.

An allow list by form: CPython's own options (`--enable-…`, `--with-…`) and variables are passed
on, unless another part of a request stands for them. Autoconf's standard options, which may be
shortened (`--pref`) or take the next word, all move or disguise what is built, and are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ftbuild.errors import UsageError
from ftbuild.model.arguments import configured, read_argument
from ftbuild.model.versions import Request, Variant

_OTHERS = (
    "Passed on are options of CPython's (--enable-…, --disable-…, --with-…, --without-…) and "
    "variables (LDFLAGS=…), each as one word. Where builds go is --root, the compiler --toolchain, "
    "and ftbuild builds for the machine it runs on."
)

_OWNED = {
    "enable_gil": "Name the build: 3.14t is the one without the GIL, 3.14+gil the one with it.",
    "enable_optimizations|with_lto|PGO_PROF_(GEN|USE)_FLAG": "Give --profile optimized.",
    "with_pydebug": "Give --profile debug.",
    r"with_\w+_sanitizer": "Give --profile tsan or --profile asan, or describe a profile in "
    "profiles.yaml of a --recipes folder.",
    "CC|CXX|CPP|CXXCPP|MAINCC|LINKCC|(LD|BLD|LDCXX)SHARED|LLVM_(PROFDATA|AR)(_FOUND)?": "Choose it "
    "with --toolchain (gcc-14, clang-19, or a path), so that it is recorded.",
    "(host|build|target)(_alias)?|with_build_python|HOSTRUNNER|MACHDEP": "ftbuild builds for the "
    "machine it runs on: run it on the other one.",
    "cache_file|config_cache|CONFIG_SITE": "ftbuild keeps configure's answers itself.",
    "srcdir": "Another source is built with --source FILE --sha256 HEX.",
    r"(exec_)?prefix|[a-z]+dir|program_\w+|with_suffix|with_platlibdir|enable_framework"
    "|with_framework_name|enable_universalsdk|with_universal_archs|DESTDIR": "Where builds go "
    "is --root; below their prefix all have the same places.",
}
"""Variables of configure that other parts of a request stand for; given apart, they would lie."""

_WORDS = {
    r"-m(16|32|x32)|--?target(=.*)?|-arch": "host",
    r"-fsanitize(=.*)?": "with_thread_sanitizer",
    r"-f(no-)?lto(=.*)?|-fprofile-(generate|use|instr-\w+)(=.*)?": "with_lto",
    r"-[DU]Py_GIL_DISABLED(=.*)?": "enable_gil",
    r"-[DU]Py_DEBUG(=.*)?": "with_pydebug",
}
"""Words inside variables (CFLAGS, LDFLAGS, …), and whose work they do."""


def check_arguments(arguments: Iterable[str], requests: Iterable[Request] = ()) -> None:
    """Refuse arguments for configure that contradict the rest of a request.

    Args:
        arguments: What the user gives.
        requests: The builds they are given for.

    Raises:
        UsageError: One of them is ftbuild's to give; the hint says how to ask for it.
    """
    arguments = tuple(arguments)
    for argument in arguments:
        instead = _instead(argument)
        if instead:
            raise UsageError(
                f"--configure-arg {argument} is not for configure alone to know", hint=instead
            )
    if configured(arguments, "enable_experimental_jit") in {"", "no"}:
        return
    for request in requests:
        if Variant.FREE_THREADED in request.variants:
            # 3.15 only warns, and makes a JIT that is never used (gh-133171).
            raise UsageError(
                "--enable-experimental-jit is for builds with the GIL: a free-threaded CPython has "
                "no use for its JIT",
                hint=f"Ask for that build alone: {request.release or request.series}+gil instead "
                f"of {request.text}.",
            )


def implied_arguments(arguments: Iterable[str]) -> tuple[str, ...]:
    """What has to go with the user's arguments for configure.

    An OpenSSL in a directory that is named is linked with, and not found when it is to be loaded.

    >>> implied_arguments(["--with-openssl=/opt/openssl"])
    ('--with-openssl-rpath=auto',)
    """
    arguments = tuple(arguments)
    named = configured(arguments, "with_openssl") not in {"", "yes", "no"}
    return ("--with-openssl-rpath=auto",) * (
        named and not configured(arguments, "with_openssl_rpath")
    )


def _instead(argument: str) -> str:
    """How to ask for what an argument would do; empty where it is passed on."""
    # Of autoconf's own options those with their full names have an answer of their own.
    standard = re.sub(r"^--?", "", argument).partition("=")[0].replace("-", "_")
    read = read_argument(argument)
    name, value = read or (standard, "")
    owned = _look_up(_OWNED, name)
    if owned or (read and name.startswith(("enable_", "with_"))):
        return owned
    if not read or (name != name.upper() and "_cv_" not in name):
        return _OTHERS  # also a variable that configure sets itself
    words = (_look_up(_WORDS, word) for word in value.split())
    return _look_up(_OWNED, next(filter(None, words), ""))


def _look_up(table: Mapping[str, str], text: str) -> str:
    return next((value for of, value in table.items() if re.fullmatch(of, text)), "")
