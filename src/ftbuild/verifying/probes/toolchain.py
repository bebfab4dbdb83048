"""How this Python says an extension module is compiled, as one JSON object of argument lists."""

import json
import shlex
import shutil
import sysconfig


def words(name: str) -> list[str]:
    """A variable of the Makefile as arguments."""
    return shlex.split(sysconfig.get_config_var(name) or "")


headers = dict.fromkeys(sysconfig.get_path(name) for name in ("include", "platinclude"))
print(
    json.dumps(
        {
            "compile": [*words("CFLAGS"), *words("CCSHARED"), *(f"-I{path}" for path in headers)],
            # LDSHARED begins with the compiler that made this Python, as CC spells it.
            "link": [*words("LDSHARED")[len(words("CC")) :], *words("LDFLAGS")],
            "suffix": sysconfig.get_config_var("EXT_SUFFIX"),
            "compiler": shutil.which(words("CC")[0]) or "",
        }
    )
)
