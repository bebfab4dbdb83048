"""What this interpreter says of itself, as one JSON object."""

import json
import sys
import sysconfig

print(
    json.dumps(
        {
            "version": sys.version.split()[0],
            "gil": sys._is_gil_enabled(),  # noqa: SLF001 - the documented name
            "gil_disabled": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
            "abiflags": sys.abiflags,
            "soabi": sysconfig.get_config_var("SOABI") or "",
            "ext_suffix": sysconfig.get_config_var("EXT_SUFFIX") or "",
            # What Py_DEBUG does, rather than what the Makefile says it should.
            "debug": hasattr(sys, "gettotalrefcount"),
            "prefix": sys.prefix,
            "base_prefix": sys.base_prefix,
            "platform": sysconfig.get_platform(),
        }
    )
)
