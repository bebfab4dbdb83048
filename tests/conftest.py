"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# Enough to meet each kind of nonsense; tests/faults tries many more. Hosts under load are slow.
settings.register_profile("ftbuild", max_examples=40, deadline=None)
settings.load_profile("ftbuild")
