"""OpenPGP keys for tests, made anew, and what they sign. Needs gpg with its agent."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


class Keys:
    """Secret keys in a home of their own."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def gpg(self, *words: str | Path, at: str = "", stdin: bytes = b"") -> bytes:
        """Run gpg, at another time if one is named: `20200101T000000`."""
        time = ("--faked-system-time", f"{at}!") if at else ()
        command = ["gpg", "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback"]
        done = subprocess.run(
            [*command, "--passphrase", "", *time, *map(str, words)],
            env={"PATH": os.environ["PATH"], "GNUPGHOME": str(self._home), "LC_ALL": "C"},
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make(self, name: str, *, at: str = "") -> str:
        """Make a key that does not expire; return its fingerprint."""
        self.gpg(
            "--quick-generate-key",
            f"{name} <{name}@example.org>",
            "ed25519",
            "sign",
            "never",
            at=at,
        )
        listing = self.gpg("--with-colons", "--list-keys", f"={name} <{name}@example.org>").decode()
        return next(line.split(":")[9] for line in listing.splitlines() if line[:4] == "fpr:")

    def expire(self, key: str, when: str, *, at: str) -> None:
        """Have a key end at a time, as decided at another."""
        self.gpg("--quick-set-expire", key, when, at=at)

    def revoke(self, key: str) -> None:
        """Publish the revocation that was made with the key."""
        made = (self._home / f"openpgp-revocs.d/{key}.rev").read_text()
        self.gpg("--import", stdin=made.replace(":---", "---").encode())

    def public(self, key: str, path: Path) -> Path:
        """Write the public part."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.gpg("--armor", "--export", key))
        return path

    def sign(self, key: str, content: bytes, *, at: str = "", how: str = "--detach-sign") -> bytes:
        """A signature over some bytes."""
        return self.gpg(
            "--armor", "--local-user", f"{key}!", "--output", "-", how, at=at, stdin=content
        )


@contextlib.contextmanager
def keys() -> Iterator[Keys]:
    """A home for keys; its agent ends with it."""
    if shutil.which("gpg") is None or shutil.which("gpg-agent") is None:
        pytest.skip("gpg is not installed")
    # Its socket's path must have less than 108 characters.
    killer = shutil.which("gpgconf") or "gpgconf"
    home = Path(tempfile.mkdtemp(prefix="ftbuild-keys-", dir="/tmp"))
    try:
        yield Keys(home)
    finally:
        env = {"PATH": os.environ["PATH"], "GNUPGHOME": str(home)}
        subprocess.run([killer, "--kill", "all"], env=env, check=False, capture_output=True)
        shutil.rmtree(home)
