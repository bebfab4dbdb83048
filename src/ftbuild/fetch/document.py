"""Small documents that nothing pins: the records of archives. Kept in memory, never cached."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from ftbuild.fetch import wire
from ftbuild.fetch.origins import Attempt, Origin, Unavailable, printable

LIMIT = 4 << 20
"""Bytes a document may have. The largest known, the record of a debug build, has 30,000."""

TIMEOUTS = (5.0, 10.0)
"""Seconds to connect in, and seconds a server may be silent: less patience than with a source,
because whoever asks has another way to get what the document is about."""

_PATIENCE = 20.0
"""Seconds that all of it may take."""


def read_document(url: str, *, env: Mapping[str, str], stop: threading.Event) -> bytes | None:
    """A document's content, or None where its server answers that there is none.

    Args:
        url: `http://` or `https://`.
        env: The environment, for the file of trusted certificates.
        stop: Ends it when set.

    Raises:
        Unavailable: The server does not deliver it; asked once only.
        Interrupted: `stop` was set.
    """
    how = wire.Asking(verify=wire.trusted(env), connect=TIMEOUTS[0], read=TIMEOUTS[1])
    try:
        with wire.ask(url, offset=0, how=how, stop=stop) as body:
            return wire.received(body, limit=LIMIT, patience=_PATIENCE)
    except wire.Absent:
        return None
    except wire.Failed as failed:
        origin = Origin(name=printable(url), url=url)
        raise Unavailable(
            f"{printable(url)}: {failed.said}",
            hint="Is the address right, and the server up?",
            attempts=(Attempt(origin=origin, said=failed.said),),
        ) from None
