"""Proves that an installed build is what its manifest says, and that a pair is a matched one.

`verify` makes checks on one build: `FULL` before it is linked, `QUICK` in passing, `files` for
damage done since. What only the interpreter itself can tell, a script in `probes/` asks it: those
use the standard library alone, run under the built Python and answer in JSON. `compare` judges a
pair by its manifests.
"""

from ftbuild.verifying.checks import FULL, QUICK, verify
from ftbuild.verifying.files import files
from ftbuild.verifying.pair import compare
from ftbuild.verifying.probing import Checker, Context

__all__ = [
    "FULL",
    "QUICK",
    "Checker",
    "Context",
    "compare",
    "files",
    "verify",
]
