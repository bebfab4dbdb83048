"""The facts about a measurement that decide what it may be compared with, named and in words."""

from __future__ import annotations

from ftbuild.bench.results import Build, Method
from ftbuild.toolchain.machine import Machine

Facts = dict[str, str]
"""What each fact is called, and what is so."""


def host(machine: Machine) -> Facts:
    """A host at the start of a measurement."""
    return {
        "processor": machine.cpu,
        "architecture": machine.architecture,
        "system": machine.system,
        "kernel": machine.kernel,
        "CPUs": str(machine.cpus),
        "physical cores": str(len(machine.cores)),
        "further CPUs of these cores": str(len(machine.siblings)),
        "SMT": _yes(machine.smt),
        "frequency governor": machine.governor or "unknown",
        "turbo": "unknown" if machine.turbo is None else _yes(machine.turbo),
        "virtual machine": machine.virtual or "no",
        "container": machine.container or "no",
        "CPU quota": "none" if machine.quota is None else f"{machine.quota:g}",
        "memory": "unknown" if machine.memory is None else f"{machine.memory / 1e9:.2f} GB",
        "load at the start": "unknown" if machine.load is None else f"{machine.load:.2f}",
    }


def build(about: Build) -> Facts:
    """A build's fingerprint."""
    return {
        "name": about.name,
        "version": about.version,
        "profile": about.profile,
        "compiler": about.compiler,
        "PGO": _yes(about.pgo),
        "LTO": _yes(about.lto),
        "configure options": " ".join(about.flags) or "none",
        "digest": about.digest,
        "SHA-256 of its files": about.files_sha256,
    }


def method(how: Method) -> Facts:
    """How it was measured."""
    return {
        "rounds": str(how.rounds),
        "timed runs in a process": str(how.values),
        "warm-up runs": str(how.warmups),
        "workers": ", ".join(map(str, how.workers)),
        "pinned to CPUs": "no" if how.cpus is None else ", ".join(map(str, how.cpus)),
        "seconds aimed at for a run": f"{how.seconds:g}",
        "time limit": f"{how.timeout:g} s",
    }


def _yes(value: bool) -> str:
    return "yes" if value else "no"
