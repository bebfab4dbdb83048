"""How uv is run: which one, and in which environment."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ftbuild import process
from ftbuild.errors import EnvironmentFault

_TIMEOUT = 3600.0
"""Seconds that one run of uv may take: it may download gigabytes, or compile a package."""

RESOLVING = 900.0
"""Seconds that a resolution may take: uv goes on with an index that sends a byte now and then.
Dozens of packages take seconds; one that has to be built to tell what it requires, minutes."""

_NOT_PASSED = (
    *("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV"),
    # Which Python, where to and what for is decided here.
    *("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_TARGET", "UV_PREFIX", "UV_PROJECT_ENVIRONMENT"),
    *("UV_CONSTRAINT", "UV_OVERRIDE", "UV_PROJECT", "UV_WORKING_DIR", "UV_PYTHON_PREFERENCE"),
    *("UV_NO_BUILD", "UV_NO_BINARY", "UV_NO_BUILD_PACKAGE", "UV_NO_BINARY_PACKAGE"),
    "UV_REQUIRE_HASHES",
)

_PASSED = (
    *("PATH", "LANG", "LC_ALL", "TZ"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS"),
    *("UV_INDEX_STRATEGY", "UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS"),
    *("UV_CONFIG_FILE", "UV_NO_CONFIG", "UV_EXCLUDE_NEWER", "UV_HTTP_TIMEOUT", "UV_LINK_MODE"),
    "UV_PYTHON_DOWNLOADS",
)
"""What a build sees of the caller's environment, beside `UV_INDEX_<NAME>_USERNAME` and
`…_PASSWORD`: how to reach the index, and no more."""


class Uv(msgspec.Struct, frozen=True, kw_only=True):
    """uv, as ftbuild uses it.

    Attributes:
        binary: Its path.
        env: The whole environment it runs in.
        cwd: Where it runs, and so whose `pyproject.toml` or `uv.toml` configures it.
        index: Arguments that name indexes, where uv's own configuration names none.
        named: The indexes in uv's configuration, `NAME=URL` or `URL`. Some of them uv asks for no
            package but those that a project has from there.
        offline: Whether it may use nothing but its cache.
        stop: Ends it when set.
    """

    binary: str
    env: Mapping[str, str]
    cwd: Path
    index: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    offline: bool = False
    stop: threading.Event

    def run(
        self, *words: str | Path, stdin: str = "", timeout: float = _TIMEOUT
    ) -> process.Completed:
        """Run one command of uv; failing is not an error.

        Raises:
            EnvironmentFault: It cannot be started.
            Interrupted: `stop` was set.
        """
        offline = ("--offline",) if self.offline else ()
        return process.capture(
            (self.binary, *words, *offline, "--color=never", "--no-progress"),
            env=self.env,
            cwd=self.cwd,
            timeout=timeout,
            stdin=stdin,
            stop=self.stop,
        )


def uv_of(
    env: Mapping[str, str],
    cwd: Path,
    *,
    index: Sequence[str] = (),
    named: Sequence[str] = (),
    offline: bool,
    stop: threading.Event,
) -> Uv:
    """The uv to use: the one that came with ftbuild.

    Raises:
        EnvironmentFault: There is none.
    """
    try:
        from uv import find_uv_bin  # noqa: PLC0415 - in an image's builder stage it is not there

        binary = find_uv_bin()
    except (ImportError, FileNotFoundError) as error:
        raise EnvironmentFault(
            "uv, which resolves a project's dependencies, is not there",
            hint="It comes with ftbuild: install ftbuild again, or `pip install uv`.",
        ) from error
    passed = {name: value for name, value in env.items() if name not in _NOT_PASSED}
    passed["UV_PYTHON_DOWNLOADS"] = "never"
    certificates = next(
        (
            env[name]
            for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT")
            if env.get(name)
        ),
        None,
    )
    if certificates is not None:
        passed["SSL_CERT_FILE"] = certificates
    return Uv(
        binary=binary,
        env=passed,
        cwd=cwd,
        index=tuple(index),
        named=tuple(named),
        offline=offline,
        stop=stop,
    )


def confined(uv: Uv, folder: Path) -> Uv:
    """A uv that may build: a build sees what uv needs to reach the index, and no more.

    Args:
        uv: Whose environment it is taken from, and whose cache is used.
        folder: Its home and temporary directory are made below.
    """
    for name in ("home", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    kept = {
        name: value
        for name, value in uv.env.items()
        if name in _PASSED
        or (name.startswith("UV_INDEX_") and name.endswith(("_USERNAME", "_PASSWORD")))
    }
    asked = uv.run("cache", "dir")
    if asked.ok:
        kept["UV_CACHE_DIR"] = asked.stdout.strip()
    if home := uv.env.get("HOME"):
        # Where uv looks for the user's own configuration of indexes, and for credentials.
        kept["XDG_CONFIG_HOME"] = uv.env.get("XDG_CONFIG_HOME") or str(Path(home, ".config"))
        kept["NETRC"] = uv.env.get("NETRC") or str(Path(home, ".netrc"))
    env = kept | {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        process.MARK: str(folder),
    }
    return msgspec.structs.replace(uv, env=env)
