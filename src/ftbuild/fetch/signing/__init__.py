"""Who signed a source: what a signature says beyond the pin.

The pin tells that a tarball is the one that somebody hashed for the catalogue. A signature tells
that the release manager made it. `openpgp` and `bundles` judge the two kinds that CPython has,
each without network; `signatures` finds the files and decides by what comes of it.
"""

from ftbuild.fetch.signing.verdict import Bad, Signature, Unjudged, Unsigned

__all__ = ["Bad", "Signature", "Unjudged", "Unsigned"]
