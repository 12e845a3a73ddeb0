"""Cases that end otherwise here, and why. Each has a row in `docs/compatibility.md`."""

from __future__ import annotations

DIFFERENT: dict[str, str] = {}

DIFFERENT_RUNS: dict[tuple[str, str], str] = {}
"""Of fleets, by their names and the run's."""
