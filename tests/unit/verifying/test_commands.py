from __future__ import annotations

import pytest

from ftbuild.verifying.commands import links_whole_program, options, uses_profile


def test_options_leave_out_files_and_their_flag() -> None:
    command = "gcc -c -O3 -I. -o Python/ceval.o ../Python/ceval.c"
    assert options(command) == ("-c", "-O3", "-I.")


@pytest.mark.parametrize(
    ("option", "uses"),
    [
        ("-fprofile-use", True),
        ("-fprofile-use=/work/profile", True),
        ("-fprofile-instr-use=code.profclangd", True),
        ("-fprofile-generate", False),
        ("-fprofile-instr-generate", False),
        ("-Dx=-fprofile-use", False),
    ],
)
def test_a_profile_is_used(option: str, uses: bool) -> None:
    assert uses_profile(f"gcc -c -O3 {option} a.c") is uses


@pytest.mark.parametrize(
    ("option", "whole"),
    [
        ("-flto", True),
        ("-flto=thin", True),
        ("-flto=4", True),
        ("-fno-lto", False),
        ("-flto-partition=none", False),
        ("-fno-fat-lto-objects", False),
    ],
)
def test_a_link_is_a_whole_program_one(option: str, whole: bool) -> None:
    assert links_whole_program(f"gcc {option} -o python a.o") is whole
