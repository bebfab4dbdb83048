"""What uv 0.9 and 0.13 really said, and what becomes of it."""

# ruff: noqa: E501 - what uv wrote is left as it is

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftbuild.errors import EnvironmentFault, FtbuildError, UsageError
from ftbuild.process import Completed
from ftbuild.wheels.complaints import (
    Unsatisfiable,
    complaint_of,
    error_of,
    nearest_names,
    reason_of,
)

NEW = """\
Resolved nothing
warning: something else
error: No solution found when resolving dependencies for split (markers: sys_platform == 'win32')
  cause: Because all of:
             pandas>=3.0.0,<=3.0.3
             pandas>=3.0.5
         depend on numpy>=2.3.3 and pandas==3.0.4 was yanked, we can conclude that pandas>=3.0.0 depends on numpy>=2.3.3.
         And because you require numpy<2 and pandas>=3, we can conclude that your requirements are unsatisfiable.

hint: Pre-releases are available for `pandas` (try: `--prerelease=allow`)

hint: The resolution failed for an environment that is not the current one, consider limiting the environments with `tool.uv.environments`.
"""

OLD = """\
  \u00d7 No solution found when resolving dependencies for split (markers:
  │ sys_platform == 'win32'):
  ╰─▶ Because all of:
          pandas>=3.0.0,<=3.0.3
          pandas>=3.0.5
      depend on numpy>=2.3.3 and pandas==3.0.4 was yanked, we can conclude
      that pandas>=3.0.0 depends on numpy>=2.3.3.
      And because you require numpy<2 and pandas>=3, we can conclude that your
      requirements are unsatisfiable.

      hint: Pre-releases are available for `pandas`
      (try: `--prerelease=allow`)

      hint: The resolution failed for an environment that is not the current
      one, consider limiting the environments with `tool.uv.environments`.
"""


def error(
    stderr: str,
    *,
    offline: bool = False,
    build: bool = True,
    known: Iterable[str] = (),
    timed_out: bool = False,
) -> FtbuildError:
    done = Completed(argv=("uv",), returncode=2, stdout="", stderr=stderr, timed_out=timed_out)
    return error_of(done, cwd=Path("/nowhere"), offline=offline, build=build, known=lambda: known)


@pytest.mark.parametrize("stderr", [NEW, OLD])
def test_the_resolvers_reason(stderr: str) -> None:
    found = error(stderr)
    assert isinstance(found, Unsatisfiable)
    assert found.exit_code == 2
    assert found.reason.splitlines() == [
        (
            "Because all of: pandas>=3.0.0,<=3.0.3, pandas>=3.0.5 depend on numpy>=2.3.3 and "
            "pandas==3.0.4 was yanked, we can conclude that pandas>=3.0.0 depends on numpy>=2.3.3."
        ),
        (
            "And because you require numpy<2 and pandas>=3, we can conclude that your requirements "
            "are unsatisfiable."
        ),
    ]
    assert found.hint == "Pre-releases are available for `pandas` (try: UV_PRERELEASE=allow)"


def test_hundreds_of_steps_and_versions() -> None:
    versions = "\n".join(f"             lib=={number}" for number in range(300))
    steps = "\n".join(
        f"         And because a{number} depends on b, we can conclude that c{number}."
        for number in range(200)
    )
    stderr = (
        "error: No solution found when resolving dependencies\n"
        f"  cause: Because all of:\n{versions}\n         depend on a, we can conclude that b.\n{steps}\n"
    )
    lines = reason_of(complaint_of(stderr)).splitlines()
    assert len(lines) == 13
    assert lines[0] == "(189 steps before that)"
    assert lines[-1] == "And because a199 depends on b, we can conclude that c199."
    short = stderr.replace(steps, "")
    assert "lib==4, … (294 more), lib==299 depend on a" in reason_of(complaint_of(short))


@pytest.mark.parametrize(
    "stderr",
    [
        (
            "error: No solution found when resolving dependencies\n"
            "  cause: Because click was not found in the cache and you require click, we can conclude "
            "that your requirements are unsatisfiable.\n\n"
            "hint: Packages were unavailable because the network was disabled.\n"
        ),
        (
            "  \u00d7 No solution found when resolving dependencies:\n"
            "  ╰─▶ Because click was not found in the cache and you require click, we can\n"
            "      conclude that your requirements are unsatisfiable.\n"
        ),
    ],
)
def test_not_in_the_cache(stderr: str) -> None:
    found = error(stderr, offline=True)
    assert isinstance(found, EnvironmentFault)
    assert found.message == "click is not in uv's cache, and --offline forbids to fetch it"


def test_an_address_that_is_not_in_the_cache() -> None:
    found = error(
        "error: Failed to download `a @ https://me:secret@files.example/a.whl`\n"
        "  cause: Network connectivity is disabled, but the requested data wasn't found in the "
        "cache for: `https://me:secret@files.example/a.whl`\n",
        offline=True,
    )
    assert found.message.startswith("https://files.example/a.whl is not in uv's cache")


@pytest.mark.parametrize(
    "stderr",
    [
        (
            "error: No solution found when resolving dependencies\n"
            "  cause: Because click was not found in the package registry and you require click, we can "
            "conclude that your requirements are unsatisfiable.\n\n"
            "hint: An index (https://index.example/simple) returned a 403 Forbidden error. Check that "
            "the index URL is correct and the credentials are valid.\n"
        ),
        (
            "  \u00d7 No solution found when resolving dependencies:\n"
            "  ╰─▶ Because click was not found in the package registry and you require\n"
            "      click, we can conclude that your requirements are unsatisfiable.\n\n"
            "      hint: An index URL (https://index.example/simple) could not\n"
            "      be queried due to a lack of valid authentication credentials (403\n"
            "      Forbidden).\n"
        ),
    ],
)
def test_an_index_that_lets_nobody_in(stderr: str) -> None:
    found = error(stderr)
    assert isinstance(found, EnvironmentFault)
    assert "https://index.example/simple lets nobody in" in found.message
    assert "UV_INDEX_<NAME>_PASSWORD" in found.hint


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        (
            "  cause: client error (Connect)\n  cause: dns error\n  cause: Name not known",
            "Name not known",
        ),
        (
            "  Caused by: tcp connect error\n  Caused by: Connection refused (os error 111)",
            "refused",
        ),
        (
            "  cause: HTTP status server error (500 Internal Server Error) for url (https://a/)",
            "HTTP status 500 Internal Server Error",
        ),
    ],
)
def test_an_index_out_of_reach(cause: str, says: str) -> None:
    found = error(f"error: Failed to fetch: `https://me:secret@index.example/simple/a/`\n{cause}\n")
    assert isinstance(found, EnvironmentFault)
    assert says in found.message
    assert "--offline" in found.hint
    assert "secret" not in found.message


def test_a_certificate_nobody_trusts() -> None:
    found = error(
        "error: Failed to fetch: `https://index.example/simple/a/`\n"
        "  cause: client error (Connect)\n  cause: invalid peer certificate: UnknownIssuer\n"
    )
    assert "SSL_CERT_FILE" in found.hint


@pytest.mark.parametrize(
    "stderr",
    [
        (
            "error: Failed to build `old==1.0`\n  cause: The build backend returned an error\n"
            "  cause: Call to `x.build_wheel` failed (exit status: 1)\n\n"
            "         [stderr]\n         Connection refused: no compiler\n\nhint: Build failures are …\n"
        ),
        (
            "  \u00d7 Failed to build `old==1.0`\n  ├─▶ The build backend returned an error\n"
            "  ╰─▶ Call to `x.build_wheel` failed (exit\n      status: 1)\n\n"
            "      [stderr]\n      Connection refused: no compiler\n"
        ),
    ],
)
def test_a_build_that_failed(stderr: str) -> None:
    found = error(stderr)
    assert isinstance(found, EnvironmentFault)
    assert found.message.startswith("what old==1.0 depends on is told by its build alone")
    assert [line.strip() for line in found.tail] == ["Connection refused: no compiler"]
    forbidden = error(stderr, build=False)
    assert isinstance(forbidden, UsageError)
    assert forbidden.message.startswith("only building old==1.0 could tell")
    assert "--no-probe" in forbidden.hint


def test_a_build_without_its_tools() -> None:
    found = error(
        "error: Failed to resolve requirements from `build-system.requires`\n"
        "  cause: No solution found when resolving: `nobackend`\n"
        "  cause: Because nobackend was not found in the package registry and you require nobackend, "
        "we can conclude that your requirements are unsatisfiable.\n"
    )
    assert "its build failed: Because nobackend was not found" in found.message


def test_a_package_that_does_not_exist() -> None:
    stderr = (
        "error: No solution found when resolving dependencies\n"
        "  cause: Because pandsa was not found in the package registry and you require pandsa, we can "
        "conclude that your requirements are unsatisfiable.\n"
    )
    found = error(stderr, known=("pandas", "numpy"))
    assert (found.message, found.hint) == (
        "pandsa does not exist in the index",
        "Names like pandsa: pandas",
    )
    assert "another index" in error(stderr).hint


@pytest.mark.parametrize(
    ("stderr", "says"),
    [
        (
            "error: Unexpected '=', expected '-c', '-e', '-r' or the start of a requirement: a.txt:3:1\n",
            "a.txt, line 3: Unexpected '='",
        ),
        (
            (
                "error: Couldn't parse requirement in `a.txt` at position 9\n"
                "  Caused by: Expected one of `@`\nfoo bar baz\n    ^\n"
            ),
            "a.txt: no requirement: Expected one of `@`",
        ),
    ],
)
def test_a_line_that_is_no_requirement(stderr: str, says: str) -> None:
    found = error(stderr)
    assert isinstance(found, UsageError)
    assert found.message.startswith(says)


@pytest.mark.parametrize(
    ("stderr", "says"),
    [
        (
            "error: Unsupported editable requirement in `requirements.txt` at line 2: `git+https://me:secret@git.example/x.git@abc#egg=x`\n  cause: Git sources cannot be editable\n",
            "requirements.txt, line 2: .*git.example/x.git@abc#egg=x is not",
        ),
        (
            "error: Distribution not found at: file:///croot/a_1/work\n",
            "file:///croot/a_1/work does not exist",
        ),
    ],
)
def test_what_pip_freeze_writes_and_uv_does_not_take(stderr: str, says: str) -> None:
    found = error(stderr)
    assert isinstance(found, UsageError)
    assert re.match(says, found.message)
    assert "secret" not in found.message
    assert found.hint


def test_too_slow() -> None:
    assert "after 15 minutes" in error("", timed_out=True).message


@pytest.mark.parametrize("stderr", ["", "error: the moon is full\n", "thread panicked"])
def test_what_nobody_expected_is_repeated(stderr: str) -> None:
    found = error(stderr)
    assert isinstance(found, EnvironmentFault)
    assert stderr.strip().removeprefix("error: ") in found.message


@given(st.text())
def test_any_text_becomes_an_error(stderr: str) -> None:
    assert isinstance(error(stderr), FtbuildError)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("reqeusts", ("requests",)),
        ("scikitlearn", ("scikit-learn",)),
        ("Py_YAML", ("pyyaml",)),
        ("qqqqqq", ()),
    ],
)
def test_nearest_names(name: str, near: tuple[str, ...]) -> None:
    known = ("requests", "scikit-learn", "PyYAML", "numpy", "zzz-other")
    assert nearest_names(name, known) == near
