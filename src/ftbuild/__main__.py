"""`python -m ftbuild`, and where the `ftbuild` command begins."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; Ctrl-C is heard from the first import on."""
    try:
        from ftbuild import cli  # noqa: PLC0415 - most of the time until a task begins

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
