"""What this host has: CPUs, compiler, make, libraries; what is missing, and how to install it.

Asks other people's programs and reads what they say; changes nothing but in `install`. `read_host`
gives the facts a build needs, `examine` everything `ftbuild doctor` shows, `read_machine` what
decides about a measurement of speed.
"""

from ftbuild.toolchain.compilers import lacking_tools
from ftbuild.toolchain.cpus import allowed_cpus, usable_cpus
from ftbuild.toolchain.diagnosis import Diagnosis, Finding, Grade, install
from ftbuild.toolchain.doctor import examine
from ftbuild.toolchain.environment import library_environment, probe_environment
from ftbuild.toolchain.host import read_host, read_platform
from ftbuild.toolchain.libraries import absent, promised
from ftbuild.toolchain.linking import explain_unloaded, try_libraries
from ftbuild.toolchain.load import Snapshot, others, snapshot
from ftbuild.toolchain.machine import Machine, read_machine

__all__ = [
    "Diagnosis",
    "Finding",
    "Grade",
    "Machine",
    "Snapshot",
    "absent",
    "allowed_cpus",
    "examine",
    "explain_unloaded",
    "install",
    "lacking_tools",
    "library_environment",
    "others",
    "probe_environment",
    "promised",
    "read_host",
    "read_machine",
    "read_platform",
    "snapshot",
    "try_libraries",
    "usable_cpus",
]
