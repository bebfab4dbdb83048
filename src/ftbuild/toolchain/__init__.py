"""What this host has: CPUs, compiler, make, libraries; what is missing, and how to install it.

Asks other people's programs and reads what they say; changes nothing but in `install`. `read_host`
gives the facts a build needs, `examine` everything `ftbuild doctor` shows.
"""

from ftbuild.toolchain.compilers import find_compiler
from ftbuild.toolchain.cpus import usable_cpus
from ftbuild.toolchain.diagnosis import Diagnosis, Finding, Grade, install
from ftbuild.toolchain.doctor import examine
from ftbuild.toolchain.environment import library_environment
from ftbuild.toolchain.host import read_host
from ftbuild.toolchain.libraries import absent, find_libraries, promised
from ftbuild.toolchain.make import find_make
from ftbuild.toolchain.packages import install_command, library_packages, package_manager

__all__ = [
    "Diagnosis",
    "Finding",
    "Grade",
    "absent",
    "examine",
    "find_compiler",
    "find_libraries",
    "find_make",
    "install",
    "install_command",
    "library_environment",
    "library_packages",
    "package_manager",
    "promised",
    "read_host",
    "usable_cpus",
]
