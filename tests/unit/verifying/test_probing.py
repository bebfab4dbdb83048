from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ftbuild.verifying.probing import NoAnswer, ask, environment, resolved, run

from .builds import build, context, inside, with_python


@pytest.mark.parametrize(
    ("script", "how"),
    [
        ("kill -SEGV $$", "signal SIGSEGV"),
        ("kill -9 $$", "signal SIGKILL"),
        ("echo one >&2; echo two >&2; exit 3", "exit status 3: two"),
        (
            "echo 'Fatal Python error: Aborted' >&2; echo 'Stack:' >&2; kill -ABRT $$",
            "signal SIGABRT: Fatal Python error: Aborted",
        ),
        ("echo '[1]'", "an answer that cannot be read: Expected `str`, got `int` - at `$[0]`"),
        ("echo Segmentation fault", "an answer that cannot be read: JSON is malformed"),
        ("exit 0", "an answer that cannot be read: Input data was truncated"),
    ],
)
def test_an_interpreter_that_fails_is_no_exception(tmp_path: Path, script: str, how: str) -> None:
    python = with_python(build(tmp_path), script)
    answer = ask(python, context(tmp_path), "identity.py", kind=list[str])
    assert isinstance(answer, NoAnswer)
    assert answer.how.startswith(how)


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    answer = ask(build(tmp_path), context(tmp_path), "identity.py", kind=list[str])
    assert isinstance(answer, NoAnswer)
    assert "cannot be started" in answer.how or "No such file" in answer.how


def test_the_last_line_is_the_answer(tmp_path: Path) -> None:
    python = with_python(build(tmp_path), 'echo noise; echo \'["a", "b"]\'')
    answer = ask(python, context(tmp_path), "extensions.py", kind=tuple[str, ...])
    assert answer == ("a", "b")


def test_a_hang_is_ended(tmp_path: Path) -> None:
    installation = with_python(build(tmp_path), "sleep 60")
    done = run(
        (installation.python,),
        installation=installation,
        context=context(tmp_path),
        timeout=0.2,
    )
    assert done.timed_out
    assert done.ending.startswith("took longer than")


def test_nothing_of_the_callers_python_reaches_the_probe(tmp_path: Path) -> None:
    ours = msgspec.structs.replace(
        context(tmp_path),
        env={
            "PYTHONPATH": "/evil",
            "PYTHON_GIL": "1",
            "PIP_INDEX_URL": "https://user:secret@example.org",
            "VIRTUAL_ENV": "/venv",
            "HOME": "/root",
            "TSAN_OPTIONS": "suppressions=/s",
        },
    )
    assert environment(ours) == {
        "TSAN_OPTIONS": "suppressions=/s",
        "LC_ALL": "C.UTF-8",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INDEX": "1",
    }


def test_in_a_container_nothing_of_this_host_is_in_the_environment(tmp_path: Path) -> None:
    there = msgspec.structs.replace(
        context(tmp_path), env={"PATH": "/usr/bin:/bin", "IMAGE": "a=b"}, inside=inside(tmp_path)
    )
    done = run(("env",), installation=build(tmp_path), context=there, extra={"PYTHON_GIL": "1"})
    variables = dict(line.split("=", 1) for line in done.stdout.splitlines())
    # The last two are what /bin/sh, which stands for the engine, would bring.
    assert variables.keys() - {"PWD", "_"} == environment(there).keys() | {"PYTHON_GIL"}
    assert variables["IMAGE"] == "a=b"


def test_in_a_container_commands_run_in_the_scratch_directory(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    there = msgspec.structs.replace(context(folder), inside=inside(tmp_path))
    done = run(("pwd",), installation=build(tmp_path), context=there)
    assert done.stdout.strip() == str(folder)


@pytest.mark.parametrize(
    ("script", "how"),
    [
        ("kill -SEGV $$", "signal SIGSEGV"),
        ("exit 3", "exit status 3"),
        ("exit 128", "exit status 128"),
    ],
)
def test_engines_tell_signals_as_shells_do(tmp_path: Path, script: str, how: str) -> None:
    there = msgspec.structs.replace(context(tmp_path), inside=inside(tmp_path))
    # The status of a shell is what an engine passes on, too.
    engine = tmp_path / "engine"
    engine.write_text(engine.read_text().replace('exec "$@"', '"$@"; exit $?'))
    python = with_python(build(tmp_path), script)
    answer = ask(python, there, "identity.py", kind=list[str])
    assert isinstance(answer, NoAnswer)
    assert answer.how.startswith(how)


def test_a_path_of_a_container_is_not_looked_up_here(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    here = context(tmp_path)
    there = msgspec.structs.replace(here, inside=inside(tmp_path))
    assert resolved(tmp_path / "link", here) == tmp_path.resolve()
    assert resolved(tmp_path / "link", there) == tmp_path / "link"
