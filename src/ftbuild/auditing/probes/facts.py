"""What an interpreter evaluates markers with, and which files it takes for extension modules."""

import importlib.machinery
import json
import os
import platform
import sys

info = sys.implementation.version
kind = info.releaselevel
release = f"{info.major}.{info.minor}.{info.micro}"
if kind != "final":
    release += {"alpha": "a", "beta": "b", "candidate": "rc"}[kind] + str(info.serial)

print(
    json.dumps(
        {
            "markers": {
                "implementation_name": sys.implementation.name,
                "implementation_version": release,
                "os_name": os.name,
                "platform_machine": platform.machine(),
                "platform_python_implementation": platform.python_implementation(),
                "platform_release": platform.release(),
                "platform_system": platform.system(),
                "platform_version": platform.version(),
                "python_full_version": platform.python_version(),
                "python_version": ".".join(platform.python_version_tuple()[:2]),
                "sys_platform": sys.platform,
            },
            "suffixes": importlib.machinery.EXTENSION_SUFFIXES,
        }
    )
)
