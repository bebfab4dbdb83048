"""Build, prove and keep CPython with and without the GIL, side by side."""

__version__ = "0.1.0"
