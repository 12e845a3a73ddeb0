"""Cases that end otherwise here, and why. Each has a row in `docs/compatibility.md`."""

from __future__ import annotations

DIFFERENT: dict[str, str] = {
    "master_merging: fractional times": "on purpose: histograms hold whole milliseconds; sums, minima and maxima are exact",
}

DIFFERENT_RUNS: dict[tuple[str, str], str] = {}
"""Of fleets, by their names and the run's."""
