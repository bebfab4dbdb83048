"""Results on what is new upstream."""

from __future__ import annotations

import msgspec

from ftbuild.console import say
from ftbuild.errors import Refused
from ftbuild.render.documents import print_json, signature_fields, signature_text
from ftbuild.upstream import Update


def updated(done: Update, *, check: bool, json: bool) -> None:
    """What an update added.

    Raises:
        Refused: A release must not be added; or one is new, where that was only checked.
    """
    if json:
        print_json(
            path=str(done.path),
            added=[
                {
                    "version": item.version,
                    **msgspec.to_builtins(item.release),
                    "signature": signature_fields(item.signature),
                }
                for item in done.added
            ],
            rejected=msgspec.to_builtins(done.rejected),
            diff=done.diff,
            written=done.written,
        )
    else:
        _updated_text(done)
    if done.rejected:
        lines = (f"  {item.version}: {item.reason}" for item in done.rejected)
        hints = dict.fromkeys(item.hint for item in done.rejected if item.hint)
        raise Refused("\n".join(("not added:", *lines)), hint="\n  ".join(hints))
    if check and done.added:
        versions = ", ".join(item.version for item in done.added)
        raise Refused(
            f"new and not in {done.path} yet: {versions}",
            hint="`ftbuild catalogue update` adds them.",
        )


def _updated_text(done: Update) -> None:
    if done.diff:
        say(done.diff)
    for item in done.added:
        say(f"{item.version}: {signature_text(item.signature)}")
    if done.written:
        say(f"{done.path} is up to date.")
    elif not done.added and not done.rejected:
        say(f"Nothing is new: {done.path} has what python.org lists.")
