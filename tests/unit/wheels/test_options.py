from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ftbuild.errors import UsageError
from ftbuild.wheels.options import Options, options_in

MIRROR = "https://mirror.example/simple"
OTHER = "https://other.example/simple"


def read(folder: Path, text: str, **env: str) -> Options:
    path = folder / "requirements.txt"
    path.write_text(text)
    return options_in([path], env, tuple(env))


@pytest.mark.parametrize(
    "line",
    [
        f"--index-url {MIRROR}",
        f"--index-url={MIRROR}",
        f"-i {MIRROR}  # ours",
        f"-i{MIRROR}",
        f'  --index-url "{MIRROR}"',
        f"--index-url \\\n  {MIRROR}",
        "--index-url https://${WHERE}/simple",
        f"-i {OTHER}\n-i {MIRROR}",
    ],
)
def test_an_index_instead_of_the_usual_one(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, f"rich\n{line}\n", WHERE="mirror.example") == Options(main=MIRROR)


def test_everything_else_that_bears_on_indexes(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    text = (
        f"--extra-index-url {OTHER}\n--extra-index-url {MIRROR}\n--no-index\n"
        "-f wheels\n--find-links https://pages.example/\n--trusted-host index.example\n"
        "numpy==2.0 --hash=sha256:00 # --index-url https://comment.example/\n-e .\n--pre\n"
    )
    assert read(tmp_path, text) == Options(
        extra=(OTHER, MIRROR),
        links=(str(tmp_path / "wheels"), "https://pages.example/"),
        none=True,
        hosts=("index.example",),
    )


def test_files_that_a_file_includes(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "more.txt").write_text(f"-r ../requirements.txt\n-i {MIRROR}\n")
    (tmp_path / "limits.txt").write_text(f"--extra-index-url {OTHER}\n")
    text = "-r below/more.txt\n-c limits.txt\n-r not-there.txt\n-r https://index.example/a.txt\n"
    assert read(tmp_path, text) == Options(main=MIRROR, extra=(OTHER,))


def test_a_variable_that_is_not_set_stays(tmp_path: Path) -> None:
    assert read(tmp_path, "-i https://${WHO}@a/\n").main == "https://${WHO}@a/"


def test_a_variable_whose_value_is_not_for_the_file_stays(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("x @ https://b.example/${KEY}/x.whl\n")
    path = tmp_path / "requirements.txt"
    path.write_text("-i https://a.example/${SECRET}/${HOST}/${UNSET}\n-r more.txt\n")
    found = options_in([path], {"SECRET": "s", "HOST": "h", "KEY": "k"}, ["HOST"])
    assert found.main == "https://a.example/${SECRET}/h/${UNSET}"
    assert found.variables == ("SECRET", "KEY")


@pytest.mark.parametrize("include", ["-r /dev/zero", "-c /dev/zero", "-r file:///dev/zero"])
def test_no_file_without_an_end_is_read(tmp_path: Path, include: str) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(f"{include}\n")
    with pytest.raises(UsageError, match="/dev/zero cannot be read: neither a regular file"):
        options_in([path], {})


def test_a_pipe_that_uv_would_find_empty(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(UsageError, match="it is a pipe"):
        options_in([tmp_path / "pipe.txt"], {})


def test_files_that_include_without_end(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "a.txt").write_text("-r d/../a.txt\n-r b0.txt\n")
    options_in([tmp_path / "a.txt"], {})
    for number in range(600):
        (tmp_path / f"b{number}.txt").write_text(f"-r b{number + 1}.txt\n")
    with pytest.raises(UsageError, match="more than 500"):
        options_in([tmp_path / "a.txt"], {})


def test_files_of_another_kind_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f"-i {MIRROR}\n")
    assert options_in([path, tmp_path / "absent.txt"], {}) == Options()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary() | st.text(alphabet="-irfc= \\\n\0#/a:.[]").map(str.encode))
@example(b"--index-url http://u:p\x9ax/\n-r requi\0rements.txt\n--find-links http://[\n")
def test_any_file_can_be_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "any.txt").write_bytes(content)
    options_in([tmp_path / "any.txt"], {})
