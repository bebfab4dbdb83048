"""What becomes of it when it is used: a throw-away environment, imports, threads, tests."""

from ftbuild.audit.probing.environment import install, make
from ftbuild.audit.probing.probe import probe
from ftbuild.audit.probing.testing import run_tests

__all__ = ["install", "make", "probe", "run_tests"]
