"""The names of the standard library's extension modules, as one JSON array.

Those compiled into the interpreter, those the build set out to make, and those that are there: a
shared module that has gone missing is still named.
"""

import importlib.machinery
import json
import pathlib
import sys
import sysconfig

folder = pathlib.Path(sysconfig.get_config_var("DESTSHARED"))
planned = sysconfig.get_config_var("MODSHARED_NAMES") or ""
# The longest suffix first: `.cpython-314t-x86_64-linux-gnu.so` also ends with `.so`.
suffixes = sorted(importlib.machinery.EXTENSION_SUFFIXES, key=len, reverse=True)
present = {
    path.name.removesuffix(suffix)
    for path in folder.glob("*")
    for suffix in [next((s for s in suffixes if path.name.endswith(s)), None)]
    if suffix is not None
}
print(json.dumps(sorted({*sys.builtin_module_names, *planned.split(), *present})))
