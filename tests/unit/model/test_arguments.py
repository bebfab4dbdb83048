from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.model.arguments import configured, read_argument

NAMES = st.from_regex(r"[a-z][a-z0-9]*([-+._][a-z0-9]+){0,2}", fullmatch=True)
VALUES = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=8)


@given(NAMES, VALUES, st.sampled_from(["enable", "with"]))
def test_one_option_has_many_spellings(name: str, value: str, word: str) -> None:
    wanted = (f"{word}_{re.sub('[-+.]', '_', name)}", value)
    assert read_argument(f"--{word}-{name}={value}") == wanted
    assert read_argument(f"-{word}-{name}={value}") == wanted
    assert read_argument(f"{wanted[0]}={value}") == wanted


@given(NAMES)
def test_an_option_that_is_off(name: str) -> None:
    for on, off in (("enable", "disable"), ("with", "without")):
        assert read_argument(f"--{off}-{name}") == read_argument(f"--{on}-{name}=no")
        assert read_argument(f"--{off}-{name}=yes") is None, "configure refuses it"


@pytest.mark.parametrize("argument", ["", "x", "--prefix=/x", "-C", "--", "9A=x", "=x", "--help"])
def test_what_is_neither_an_option_nor_a_variable(argument: str) -> None:
    assert read_argument(argument) is None


def test_what_is_given_last_counts() -> None:
    words = ("--enable-shared", "CFLAGS=-O1", "--enable-shared=no", "CFLAGS=-O2 -g")
    assert configured(words, "enable_shared") == "no"
    assert configured(words, "CFLAGS") == "-O2 -g"
    assert configured(words, "with_lto") == ""


AUTOCONF = """\
for ac_option
do
  case $ac_option in
  *=?*) ac_optarg=`expr "X$ac_option" : '[^=]*=\\(.*\\)'` ;;
  *=)   ac_optarg= ;;
  *)    ac_optarg=yes ;;
  esac
  case $ac_option in
  -disable-* | --disable-*)
    ac_useropt=`expr "x$ac_option" : 'x-*disable-\\(.*\\)'`
    ac_useropt=`printf "%s\\n" "$ac_useropt" | sed 's/[-+.]/_/g'`
    eval enable_$ac_useropt=no ;;
  -enable-* | --enable-*)
    ac_useropt=`expr "x$ac_option" : 'x-*enable-\\([^=]*\\)'`
    ac_useropt=`printf "%s\\n" "$ac_useropt" | sed 's/[-+.]/_/g'`
    eval enable_$ac_useropt=\\$ac_optarg ;;
  *=*)
    ac_envvar=`expr "x$ac_option" : 'x\\([^=]*\\)='`
    eval $ac_envvar=\\$ac_optarg ;;
  esac
done
echo "$enable_a_b"
"""
"""How configure scripts of autoconf 2.72 read their arguments, without the checks."""


@pytest.mark.parametrize(
    "words",
    [
        ("--enable-a-b",),
        ("-enable-a.b=x=y",),
        ("--enable-a_b=",),
        ("--enable-a+b=x", "--disable-a-b"),
        ("--disable-a-b", "enable_a_b=1 2"),
        ("--enable-a", "--enable-a-b-c"),
    ],
)
def test_autoconf_reads_them_so(words: tuple[str, ...], tmp_path: Path) -> None:
    script = tmp_path / "configure"
    script.write_text(AUTOCONF)
    done = subprocess.run(["/bin/sh", script, *words], capture_output=True, text=True, check=True)
    assert configured(words, "enable_a_b") == done.stdout.rstrip("\n")
