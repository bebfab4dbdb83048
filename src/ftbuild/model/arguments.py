"""Arguments of an autoconf `configure`, in all the spellings that it takes for the same.

`--enable-shared`, `-enable-shared=yes` and `enable_shared=yes` all set its variable
`enable_shared`; what is given last counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_OPTION = re.compile(r"--?(?P<word>enable|disable|with|without)-(?P<name>[^=]+)(?:=(?P<value>.*))?")
_VARIABLE = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.*)", re.ASCII)


def read_argument(argument: str) -> tuple[str, str] | None:
    """The variable that an argument sets and its value; None of any other kind of argument.

    >>> read_argument("--with-lto"), read_argument("--disable-gil"), read_argument("CC=tcc")
    (('with_lto', 'yes'), ('enable_gil', 'no'), ('CC', 'tcc'))
    """
    text = argument.replace("\n", " ")
    option, variable = _OPTION.fullmatch(text), _VARIABLE.fullmatch(text)
    if option is not None:
        word, value = option["word"], option["value"]
        off = word in {"disable", "without"}
        if off and value is not None:
            return None  # configure refuses it
        name = re.sub("[-+.]", "_", option["name"])
        prefix = "enable" if word in {"enable", "disable"} else "with"
        return f"{prefix}_{name}", "no" if off else "yes" if value is None else value
    return None if variable is None else (variable["name"], variable["value"])


def configured(arguments: Iterable[str], name: str) -> str:
    """What arguments set a variable of configure to; empty where none does.

    >>> configured(["--enable-shared=yes", "--disable-shared"], "enable_shared")
    'no'
    """
    read = [found for found in map(read_argument, arguments) if found is not None]
    return dict(read).get(name, "")
