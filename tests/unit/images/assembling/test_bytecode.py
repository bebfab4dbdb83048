from __future__ import annotations

from ftbuild.images.assembling.bytecode import same_magic, source_of, twins

OTHER = {
    "lib/python3.14/os.py": "1",
    "lib/python3.14/__pycache__/os.cpython-314.pyc": "a",
    "lib/python3.14/json/tool.py": "2",
    "lib/python3.14/json/__pycache__/tool.cpython-314.pyc": "b",
}
OWN = {
    name.replace("python3.14/", "python3.14t/"): digest.upper() if digest.isalpha() else digest
    for name, digest in OTHER.items()
}


def found(own: dict[str, str], other: dict[str, str] = OTHER) -> dict[str, str]:
    return twins(own, other, library="lib/python3.14t", other_library="lib/python3.14")


def test_bytecode_of_equal_sources() -> None:
    assert found(OWN) == {
        "lib/python3.14t/__pycache__/os.cpython-314.pyc": (
            "lib/python3.14/__pycache__/os.cpython-314.pyc"
        ),
        "lib/python3.14t/json/__pycache__/tool.cpython-314.pyc": (
            "lib/python3.14/json/__pycache__/tool.cpython-314.pyc"
        ),
    }


def test_bytecode_of_another_source_is_its_own() -> None:
    assert len(found(OWN | {"lib/python3.14t/os.py": "changed"})) == 1


def test_what_only_one_build_has() -> None:
    source, bytecode, *_ = OTHER
    for gone in (source, bytecode):
        rest = {name: digest for name, digest in OTHER.items() if name != gone}
        assert len(found(OWN, rest)) == 1
        own = {name: digest for name, digest in OWN.items() if name != gone.replace("14/", "14t/")}
        assert len(found(own)) == 1


def test_the_source() -> None:
    assert source_of("lib/__pycache__/a.cpython-314.pyc") == "lib/a.py"
    assert source_of("__pycache__/a.cpython-314.pyc") == "a.py"


def test_the_magic_number() -> None:
    assert same_magic(b"2b0e\0\0", b"2b0e\1\1")
    assert not same_magic(b"2b0e", b"2b0f")
    assert not same_magic(b"", b"")
