"""What becomes of it when it is used: a throw-away environment, imports, threads, tests."""

from ftbuild.auditing.probing.environment import install, make
from ftbuild.auditing.probing.probe import probe
from ftbuild.auditing.probing.testing import run_tests

__all__ = ["install", "make", "probe", "run_tests"]
