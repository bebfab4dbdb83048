"""Which packages that gets: uv resolves, and its complaints become our errors."""

from ftbuild.audit.resolving.complaints import Unsatisfiable
from ftbuild.audit.resolving.resolve import resolve

__all__ = ["Unsatisfiable", "resolve"]
