"""`python -m ftbuild`."""

from ftbuild.cli import main

if __name__ == "__main__":
    main()
