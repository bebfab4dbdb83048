"""Says where archives come from and what is in them, and checks what others say of them.

`provenance` and `sbom` make the documents from an archive's manifest alone; `write_beside` writes
both; `verify` opens archives and compares. Signing them is left to cosign and its like.
"""

from ftbuild.attest.beside import SUFFIXES, write_beside
from ftbuild.attest.verify import verify

__all__ = ["SUFFIXES", "verify", "write_beside"]
