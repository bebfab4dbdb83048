"""Arguments for configure that the user gives: which are passed on, and who knows better.

An allow list by form: CPython's own options (`--enable-…`, `--with-…`) and variables are passed
on, unless another part of a request stands for them. Autoconf's standard options, which may be
shortened (`--pref`) or take the next word, all move or disguise what is built, and are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ftbuild.errors import UsageError
from ftbuild.model.arguments import configured, read_argument
from ftbuild.model.versions import Request, Variant

_VARIANT = "Name the build: 3.14t is the one without the GIL, 3.14+gil the one with it."
_OPTIMIZED = "Ask for it with --profile optimized."
_DEBUG = "Ask for it with --profile debug."
_SANITIZER = (
    "Ask for it with --profile tsan or --profile asan, or describe a profile of your own in "
    "profiles.yaml of a --recipes folder."
)
_MACHINE = "ftbuild builds for the machine it runs on: run it on the other one."
_PLACE = "--root DIR says where builds go; below their prefix all have the same places."
_COMPILER = "Choose it with --toolchain (gcc-14, clang-19, or a path), so that it is recorded."
_ANSWERS = "ftbuild keeps configure's answers itself and knows which build they hold for."
_SOURCE = "Another source is built with --source FILE --sha256 HEX."

_OTHERS = (
    "Passed on are options of CPython's (--enable-…, --disable-…, --with-…, --without-…) and "
    "variables (LDFLAGS=…), each as one word. Where builds go is --root, the compiler --toolchain, "
    "and ftbuild builds for the machine it runs on."
)

_OWNED = {
    "enable_gil": _VARIANT,
    "enable_optimizations|with_lto|LTOFLAGS|LTOCFLAGS|PGO_PROF_(GEN|USE)_FLAG": _OPTIMIZED,
    "with_pydebug": _DEBUG,
    r"with_\w+_sanitizer": _SANITIZER,
    "CC|CXX|CPP|CXXCPP|MAINCC|LINKCC|(LD|BLD|LDCXX)SHARED|LLVM_(PROFDATA|AR)(_FOUND)?": _COMPILER,
    "(host|build|target)(_alias)?|with_build_python|HOSTRUNNER|MACHDEP": _MACHINE,
    "cache_file|config_cache|CONFIG_SITE": _ANSWERS,
    "srcdir": _SOURCE,
    r"(exec_)?prefix|[a-z]+dir|program_\w+|with_suffix|with_platlibdir|enable_framework"
    "|with_framework_name|enable_universalsdk|with_universal_archs|DESTDIR": _PLACE,
}
"""Variables of configure that other parts of a request stand for; given apart, they would lie."""

_WORDS = {
    r"-m(16|32|x32)|--?target(=.*)?|-arch": _MACHINE,
    r"-fsanitize(=.*)?": _SANITIZER,
    r"-f(no-)?lto(=.*)?|-fprofile-(generate|use|instr-\w+)(=.*)?": _OPTIMIZED,
    r"-[DU]Py_GIL_DISABLED(=.*)?": _VARIANT,
    r"-[DU]Py_DEBUG(=.*)?": _DEBUG,
}
"""Words inside variables (CFLAGS, LDFLAGS, …) that do the same."""


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
    if configured(arguments, "enable_experimental_jit") not in {"", "no"}:
        for request in requests:
            if Variant.FREE_THREADED in request.variants:
                # 3.13 says nothing, 3.14 ends configure, 3.15 warns and makes a JIT that is never
                # used (gh-133171).
                version = request.release or request.series
                raise UsageError(
                    "--enable-experimental-jit is for builds with the GIL: a free-threaded CPython "
                    "has no use for its JIT",
                    hint=f"Ask for that build alone: {version}+gil instead of {request.text}.",
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
    name, value = read_argument(argument) or (standard, "")
    owned = next((way for of, way in _OWNED.items() if re.fullmatch(of, name)), "")
    if owned:
        return owned
    if read_argument(argument) is None:
        return _OTHERS
    if name.startswith(("enable_", "with_")):
        return ""
    if name != name.upper() and "_cv_" not in name:
        return _OTHERS  # a variable that configure sets itself
    ways = (way for word in value.split() for of, way in _WORDS.items() if re.fullmatch(of, word))
    return next(ways, "")
