"""`python -m ftbuild`, and where the `ftbuild` command begins."""

import os
import signal
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; Ctrl-C is heard from the first import on."""
    try:
        _fill_descriptors()
        _require_utf8()
        from ftbuild import cli, console  # noqa: PLC0415 - most of the time until a task begins

        console.open_streams(sys._xoptions.get(_OUTPUT))  # noqa: SLF001 - documented
        cli.main()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except SystemExit as error:
        # What there was to clear up is cleared up: Python itself would end with a traceback.
        then = signal.SIG_IGN if error.code == _INTERRUPTED else signal.SIG_DFL
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, then)
        raise


_INTERRUPTED = 130
_OUTPUT = "ftbuild-output"
"""How a Python that is started again is told the encoding of its output."""


def _fill_descriptors() -> None:
    """Open /dev/null in the place of a standard stream that is closed (`2>&-`).

    A lock or a log would get its number otherwise, and what is meant for people would go there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free is this one


def _require_utf8() -> None:
    """Start again in Python's UTF-8 mode where the locale has another encoding.

    Names of files and what is in them could not be written otherwise, where that is ASCII. What is
    printed goes by the locale all the same.
    """
    if sys.getfilesystemencoding() == "utf-8" or sys.flags.utf8_mode or not sys.executable:
        return
    encoding = sys.stdout.encoding if sys.stdout else "ascii"
    options = ("-X", "utf8", "-X", f"{_OUTPUT}={encoding}")
    os.execv(sys.executable, [sys.executable, *options, *sys.orig_argv[1:]])  # noqa: S606 - itself


if __name__ == "__main__":
    main()
