"""Which packages that gets: uv resolves, and its complaints become our errors."""

from ftbuild.auditing.resolving.resolve import resolve
from ftbuild.wheels.complaints import Unsatisfiable

__all__ = ["Unsatisfiable", "resolve"]
