from __future__ import annotations

import shlex
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invoke.collection import Collection
from invoke.context import Context
from invoke.program import Program as Invoke

from ftbuild.errors import Refused
from ftbuild.program import Program, command

CALLS: list[tuple[object, ...]] = []
"""What the tasks below were called with."""


@command(name="run", words="versions", help={})
def measure(_c: Context, versions: Sequence[str] = ()) -> None:
    """Measure a pair."""
    CALLS.append(("bench", tuple(versions)))


@command(words="documents", help={})
def compare(_c: Context, documents: Sequence[str] = ()) -> None:
    """Compare two documents."""
    CALLS.append(("bench compare", tuple(documents)))


@command(
    words="versions",
    help={
        "versions": "what to build",
        "jobs": "parallel jobs",
        "mirror": "asked first; repeatable",
        "other": "an option of another task",
    },
)
def build(
    _c: Context,
    versions: Sequence[str] = (),
    jobs: int = 0,
    mirror: Sequence[str] = (),
    dry_run: bool = False,
) -> None:
    """Build what is named.

    Everything else is left alone.
    """
    CALLS.append(("build", tuple(versions), jobs, tuple(mirror), dry_run))


@command(words="versions", help={})
def run(c: Context, versions: Sequence[str] = ()) -> None:
    """Run a program."""
    CALLS.append(("run", tuple(versions), *shlex.split(c.remainder)))


@command(name="list", help={"json": "for programs"})
def list_(_c: Context, json: bool = False) -> None:
    """Say no."""
    CALLS.append(("list", json))
    raise Refused("the answer is no", hint="ask again")


@command(name="build", words="versions", help={})
def build_image(_c: Context, versions: Sequence[str] = (), tag: str = "") -> None:
    """Build an image."""
    CALLS.append(("image build", tuple(versions), tag))


def namespace() -> Collection:
    bench = Collection("bench")
    bench.add_task(measure, default=True)
    bench.add_task(compare)
    return Collection(build, run, list_, bench, image=Collection(build_image))


def program() -> Program:
    return Program(name="ftbuild", binary="ftbuild", version="1.2.3", namespace=namespace())


def called(*words: str) -> tuple[object, ...]:
    """What a command line calls, which must be one task."""
    CALLS.clear()
    program().run(["ftbuild", *words])
    (call,) = CALLS
    return call


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and text of a command line that does not end well."""
    with pytest.raises(SystemExit) as caught:
        program().run(["ftbuild", *words])
    output = capsys.readouterr()
    assert not output.out
    assert isinstance(caught.value.code, int)
    return caught.value.code, output.err


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("build", ((), 0, (), False)),
        ("build 3.13 3.14t", (("3.13", "3.14t"), 0, (), False)),
        ("build --jobs 2 3.14", (("3.14",), 2, (), False)),
        ("build --jobs=2 3.14", (("3.14",), 2, (), False)),
        ("build 3.13 --jobs 2 3.14 --dry-run 3.15", (("3.13", "3.14", "3.15"), 2, (), True)),
        ("build --versions 3.14 3.13", (("3.14", "3.13"), 0, (), False)),
        ("build --mirror a 3.14 --mirror=b", (("3.14",), 0, ("a", "b"), False)),
        ("build list run", (("list", "run"), 0, (), False)),
    ],
)
def test_plain_words_go_to_one_parameter(line: str, expected: tuple[object, ...]) -> None:
    assert called(*line.split()) == ("build", *expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bench", ("bench", ())),
        ("bench 3.14", ("bench", ("3.14",))),
        ("bench compare", ("bench compare", ())),
        ("bench compare a b", ("bench compare", ("a", "b"))),
        ("bench a compare", ("bench", ("a", "compare"))),
    ],
)
def test_a_collection_runs_its_own_task_by_default(line: str, expected: tuple[object, ...]) -> None:
    assert called(*line.split()) == expected


def test_a_default_task_is_told_by_the_name_of_its_collection(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert refused(capsys, "bench", "--wrokload")[1].count("`ftbuild bench --help`") == 1


def test_a_task_of_two_words() -> None:
    expected = ("image build", ("3.14", "3.13"), "x")
    assert called("image", "build", "3.14", "--tag", "x", "3.13") == expected
    assert called("image.build", "3.14", "--tag", "x", "3.13") == expected


WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8))


@given(WORDS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
def test_what_stands_after_the_dashes_arrives_word_by_word(words: list[str]) -> None:
    assert called("run", "3.14t", "--", *words) == ("run", ("3.14t",), *words)


def test_quoting_is_kept() -> None:
    words = ("-c", "print('a b')", "--", "--help", "")
    assert called("run", "3.14t", "--", *words) == ("run", ("3.14t",), *words)


@pytest.mark.parametrize(
    ("line", "says", "hint"),
    [
        ("biuld 3.14", "there is no task biuld", "Did you mean build? `ftbuild --help`"),
        ("build --job 2", "there is no option --job", "Did you mean --jobs? `ftbuild build --help"),
        ("build 3.14 --nonsense", "there is no option --nonsense", "`ftbuild build --help`"),
        ("list 3.14", "there is no task 3.14", ""),
        ("build --jobs two", "takes a number, not 'two'", ""),
        ("build --jobs", "needed value and was not given one", "`ftbuild build --help`"),
        ("image biuld", "there is no task image biuld", "Did you mean image build? image goes"),
        ("image", "image what?", "image goes with build; `ftbuild image --help`"),
        ("image --tag x", "image what?", ""),
    ],
)
def test_usage_errors_exit_2(
    capsys: pytest.CaptureFixture[str], line: str, says: str, hint: str
) -> None:
    code, text = refused(capsys, *line.split())
    assert code == 2
    assert text.startswith("ftbuild: ")
    assert says in text
    assert hint in text


def test_an_error_of_a_task_has_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "list", "--json") == (1, "ftbuild: the answer is no\n  ask again\n")


def test_help_names_every_task(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ((), ("--help",)):
        with pytest.raises(SystemExit) as caught:
            program().run(["ftbuild", *words])
        assert not caught.value.code
        text = capsys.readouterr().out
        assert text.startswith("ftbuild 1.2.3: ")
        for line in ("build          Build what is named.", "image build    Build an image."):
            assert f"  {line}\n" in text


def test_help_on_a_task(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        program().run(["ftbuild", "build", "--help"])
    assert not caught.value.code
    text = capsys.readouterr().out
    assert text.startswith("Usage: ftbuild build [VERSIONS …] [OPTIONS]\n\nBuild what is named.\n")
    assert "Everything else is left alone." in text
    assert "--jobs=INT" in text
    assert "parallel jobs" in text
    assert "another task" not in text
    assert "-j " not in text


def test_help_on_what_goes_with_a_first_word(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        program().run(["ftbuild", "image", "--help"])
    assert not caught.value.code
    text = capsys.readouterr().out
    assert "  image build  Build an image.\n" in text
    assert "bench" not in text


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        program().run(["ftbuild", "--version"])
    assert "1.2.3" in capsys.readouterr().out


def test_invoke_itself_runs_the_same_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    CALLS.clear()
    inv = Invoke(namespace=namespace())
    inv.run(["inv", "build", "--versions", "3.13", "--versions", "3.14t", "--jobs", "2"])
    assert CALLS == [("build", ("3.13", "3.14t"), 2, (), False)]
    with pytest.raises(SystemExit) as caught:
        inv.run(["inv", "list"])
    assert caught.value.code == 1
    assert "the answer is no" in capsys.readouterr().err
