from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from ftbuild.auditing.probing.modules import Distribution, distributions, exports, modules, recorded

SUFFIXES = (".cpython-314t-x86_64-linux-gnu.so", ".so")
TAG = SUFFIXES[0]


def found(*files: str, exported: bool = True) -> list[tuple[str, bool]]:
    distribution = Distribution(name=canonicalize_name("x"), files=files)
    return [
        (item.name, item.extension)
        for item in modules(distribution, SUFFIXES, lambda _path, _name: exported)
    ]


def test_a_package_and_its_extensions() -> None:
    assert found("a/__init__.py", "a/b.py", f"a/_c{TAG}", "a/d/__init__.py", f"a/d/_e{TAG}") == [
        ("a", False),
        ("a._c", True),
        ("a.d._e", True),
    ]


def test_modules_without_a_package() -> None:
    assert found("six.py", f"_cffi_backend{TAG}", "__main__.py", "__editable___x.py") == [
        ("six", False),
        ("_cffi_backend", True),
    ]


def test_namespace_packages_are_looked_into() -> None:
    assert found("google/cloud/storage/__init__.py", "google/six.py", f"ruamel/yaml{TAG}") == [
        ("google.cloud.storage", False),
        ("google.six", False),
        ("ruamel.yaml", True),
    ]


def test_a_package_whose_init_is_compiled() -> None:
    assert found(f"a/__init__{TAG}", f"a/b{TAG}", "a/c.py") == [("a", True), ("a.b", True)]


def test_a_compiled_module_beside_its_source_is_an_extension() -> None:
    assert found("a/__init__.py", "a/b.py", f"a/b{TAG}", "c.py", f"c{TAG}") == [
        ("a", False),
        ("a.b", True),
        ("c", True),
    ]


def test_what_nobody_imports_is_left_out() -> None:
    assert found(
        "tests/__init__.py",
        "docs/conf.py",
        f"a/tests/_c{TAG}",
        "a-1.0.data/scripts/run.py",
        "not-a-name.py",
        f"class{TAG}",
        "a.libs/libz.so.1",
    ) == []  # fmt: skip


def test_other_releases_and_other_libraries_are_no_modules() -> None:
    files = ("a/__init__.py", "a/_b.cpython-313-x86_64-linux-gnu.so", "a/_b.abi3.so", "a/lib.so")
    assert found(*files, exported=False) == [("a", False)]
    assert found(*files, exported=True) == [("a", False), ("a.lib", True)]


def test_a_module_is_told_from_a_library_by_what_it_exports(tmp_path: Path) -> None:
    (tmp_path / "a.so").write_bytes(b"\0\x7fELF\0PyInit_a\0")
    (tmp_path / "b.so").write_bytes(b"\0PyModExport_b\0")
    (tmp_path / "c.so").write_bytes(b"\0PyInit_cc\0")
    (tmp_path / "empty.so").touch()
    look = exports(tmp_path)
    assert [look(f"{name}.so", name) for name in ("a", "b", "c", "empty", "absent")] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_distributions_are_read_from_their_records(tmp_path: Path) -> None:
    for name in ("Foo_Bar-1.0", "b-2"):
        (tmp_path / f"{name}.dist-info").mkdir()
        (tmp_path / f"{name}.dist-info" / "RECORD").write_text(
            'm.py,,\n../../../bin/m,,\n/etc/m,,\n\n"with, comma.py",sha256=x,1\n'
        )
    assert [(item.name, item.files) for item in distributions(tmp_path)] == [
        ("foo-bar", ("m.py", "with, comma.py")),
        ("b", ("m.py", "with, comma.py")),
    ]


@given(st.text())
def test_a_record_may_hold_anything(text: str) -> None:
    for path in recorded(text.replace("\0", "")):
        assert ".." not in path.split("/")
        assert not path.startswith("/")


@given(st.lists(st.text(st.sampled_from("ab_/.-"), min_size=1).map(lambda s: f"{s}.py")))
def test_whatever_is_there_only_names_are_imported(files: list[str]) -> None:
    for name, _ in found(*files):
        assert all(part.isidentifier() for part in name.split("."))
