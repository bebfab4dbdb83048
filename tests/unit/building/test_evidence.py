from __future__ import annotations

import pytest

from ftbuild.building.evidence import read_evidence

from .lines import COMPILES, LINK, LIST, OTHER


def test_the_core_and_the_interpreter_are_quoted() -> None:
    log = (*COMPILES[1:3], LIST, *COMPILES[3:], *OTHER)
    evidence = read_evidence(f"{line}\n" for line in log)
    assert evidence.compile_command == LIST
    assert evidence.link_command == LINK


def test_any_compile_command_will_do_and_the_last_link_counts() -> None:
    again = LINK.replace("-lm", "-flto")
    evidence = read_evidence([*COMPILES[1:], LINK, again])
    assert evidence.compile_command == COMPILES[1]
    assert evidence.link_command == again


@pytest.mark.parametrize("program", ["python", "python.exe"])
def test_the_interpreter_has_another_name_on_macos(program: str) -> None:
    line = f"clang -o {program} Programs/python.o libpython3.14.a"
    assert read_evidence([line]).link_command == line


def test_nothing_seen() -> None:
    evidence = read_evidence(OTHER[1:])
    assert (evidence.compile_command, evidence.link_command) == ("", "")
