"""What this host has: CPUs, compiler, make, libraries; what is missing, and how to install it.

Asks other people's programs and reads what they say; changes nothing but in `install`. `read_host`
gives the facts a build needs, `examine` everything `ftbuild doctor` shows.
"""

from ftbuild.toolchain.compilers import lacking_tools
from ftbuild.toolchain.cpus import usable_cpus
from ftbuild.toolchain.diagnosis import Diagnosis, Finding, Grade, install
from ftbuild.toolchain.doctor import examine
from ftbuild.toolchain.environment import library_environment
from ftbuild.toolchain.host import read_host, read_platform
from ftbuild.toolchain.libraries import absent, promised

__all__ = [
    "Diagnosis",
    "Finding",
    "Grade",
    "absent",
    "examine",
    "install",
    "lacking_tools",
    "library_environment",
    "promised",
    "read_host",
    "read_platform",
    "usable_cpus",
]
