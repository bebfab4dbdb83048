"""Load the extension module at a path and watch the GIL; prints one JSON object."""

import importlib.machinery
import importlib.util
import json
import sys
import warnings

name, path = sys.argv[1:]
loader = importlib.machinery.ExtensionFileLoader(name, path)
spec = importlib.util.spec_from_file_location(name, path, loader=loader)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
told = [
    str(warning.message)
    for warning in caught
    if issubclass(warning.category, RuntimeWarning) and f"'{name}'" in str(warning.message)
]
print(
    json.dumps(
        {
            "answer": module.answer(),
            "gil": sys._is_gil_enabled(),  # noqa: SLF001 - the documented name
            "warned": bool(told),
        }
    )
)
