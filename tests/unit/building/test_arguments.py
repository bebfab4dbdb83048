from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.building.arguments import check_arguments, implied_arguments
from ftbuild.errors import UsageError
from ftbuild.model.versions import parse_requests


@pytest.mark.parametrize(
    ("argument", "instead"),
    [
        ("--disable-gil", "3.14t"),
        ("--disable-gil=no", "each as one word"),
        ("--enable-gil", "3.14+gil"),
        ("--enable-gil=no", "3.14t"),
        ("-disable-gil", "3.14t"),
        ("enable_gil=no", "3.14t"),
        ("CFLAGS=-O2 -DPy_GIL_DISABLED=1", "3.14t"),
        ("--with-pydebug", "--profile debug"),
        ("--without-pydebug", "--profile debug"),
        ("CPPFLAGS=-DPy_DEBUG", "--profile debug"),
        ("--with-lto=thin", "--profile optimized"),
        ("--enable-optimizations=yes", "--profile optimized"),
        ("CFLAGS=-flto=auto", "--profile optimized"),
        ("--with-thread_sanitizer", "--profile tsan"),
        ("--with-memory-sanitizer", "profiles.yaml"),
        ("LDFLAGS=-fsanitize=address", "--profile asan"),
        ("CC=tcc", "--toolchain"),
        ("CXX=", "--toolchain"),
        ("LDSHARED=tcc -shared", "--toolchain"),
        ("--prefix=/usr/local", "--root"),
        ("--exec-prefix=/usr/local", "--root"),
        ("--libdir=/usr/local/lib64", "--root"),
        ("prefix=/usr/local", "--root"),
        ("libdir=/usr/local/lib64", "--root"),
        ("--program-suffix=-mine", "--root"),
        ("--with-suffix=.exe", "--root"),
        ("--with-platlibdir=lib64", "--root"),
        ("--host=aarch64-linux-gnu", "the machine it runs on"),
        ("host_alias=aarch64-linux-gnu", "the machine it runs on"),
        ("CFLAGS=-m32", "the machine it runs on"),
        ("CFLAGS=-O2 --target=aarch64-linux-gnu", "the machine it runs on"),
        ("-C", "--configure-arg"),
        ("--config-cache", "keeps configure's answers"),
        ("--cache-file=/tmp/x", "keeps configure's answers"),
        ("CONFIG_SITE=/tmp/x", "keeps configure's answers"),
        ("--srcdir=/tmp/x", "--source FILE"),
    ],
)
def test_what_another_part_of_a_request_stands_for(argument: str, instead: str) -> None:
    with pytest.raises(UsageError, match="not for configure alone") as caught:
        check_arguments(("--enable-shared", argument))
    assert instead in f"--configure-arg {caught.value.hint}"


@pytest.mark.parametrize(
    "argument",
    [
        *[
            "--help",
            "-h",
            "--version",
            "-V",
            "-q",
            "--silent",
            "-n",
            "--no-create",
            "--no-recursion",
            "--",
            "--x",
        ],
        *("/usr/local", "x86_64-linux-gnu", "", "--speed", "ac_unique_file=x"),
    ],
)
def test_what_is_none_of_cpythons_options(argument: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_arguments((argument,))
    assert "--root, the compiler --toolchain" in caught.value.hint


@given(
    st.sampled_from(["prefix", "exec-prefix", "libdir", "host", "cache-file", "srcdir"]), st.data()
)
def test_standard_options_are_refused_however_short(name: str, data: st.DataObject) -> None:
    short = name[: data.draw(st.integers(1, len(name)))]
    dashes = data.draw(st.sampled_from(["-", "--"]))
    value = data.draw(st.sampled_from(["", "=/x"]))
    with pytest.raises(UsageError):
        check_arguments((f"{dashes}{short}{value}",))


def test_an_option_with_its_value_as_the_next_word() -> None:
    with pytest.raises(UsageError, match="--configure-arg lib "):
        check_arguments(("--with-dtrace", "lib"))


@pytest.mark.parametrize(
    "argument",
    [
        "--enable-shared",
        "--enable-shared=yes",
        "--with-dtrace",
        "--without-static-libpython",
        "--with-openssl=/opt/openssl",
        "--enable-option-checking=fatal",
        "CFLAGS=-march=native -fno-semantic-interposition",
        "LDFLAGS=-Wl,-rpath,/opt/lib",
        "PROFILE_TASK=-m test --pgo -x test_socket",
        "PKG_CONFIG_PATH=/opt/lib/pkgconfig",
        "ac_cv_func_epoll_create=no",
    ],
)
def test_other_arguments_are_the_users_affair(argument: str) -> None:
    check_arguments((argument,), parse_requests(["3.14"]))


@pytest.mark.parametrize("value", ["", "=yes", "=yes-off", "=interpreter"])
@pytest.mark.parametrize("words", [("3.15",), ("3.15t",), ("3.14+gil", "3.15.0rc1t")])
def test_a_free_threaded_build_has_no_jit(value: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="has no use for its JIT") as caught:
        check_arguments((f"--enable-experimental-jit{value}",), parse_requests(words))
    assert f"3.15{'.0rc1' * (len(words) > 1)}+gil instead of {words[-1]}." in caught.value.hint


@pytest.mark.parametrize(
    "words",
    [
        ("--enable-experimental-jit=no",),
        ("--enable-experimental-jit", "--disable-experimental-jit"),
    ],
)
def test_no_jit_is_no_jit(words: tuple[str, ...]) -> None:
    check_arguments(words, parse_requests(["3.15"]))


def test_a_jit_with_the_gil() -> None:
    check_arguments(("--enable-experimental-jit",), parse_requests(["3.15+gil"]))


@pytest.mark.parametrize(
    ("words", "implied"),
    [
        ((), ()),
        (("--with-openssl=/opt/o",), ("--with-openssl-rpath=auto",)),
        (("-with-openssl=/opt/o", "--with-openssl-rpath=/opt/o/lib64"), ()),
        (("with_openssl=/opt/o", "--without-openssl-rpath"), ()),
        (("--without-openssl",), ()),
    ],
)
def test_an_openssl_elsewhere_gets_a_run_path(
    words: tuple[str, ...], implied: tuple[str, ...]
) -> None:
    assert implied_arguments(words) == implied
