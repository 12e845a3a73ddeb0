"""Cases that end otherwise here, and why. Each has a row in `docs/compatibility.md`."""

from __future__ import annotations

AFTERWARDS = "on purpose: who came or went is told first, then users are dealt out anew, to those who are there"

DIFFERENT: dict[str, str] = {
    "master_leaving: one stops in a run": AFTERWARDS,
    "master_running: one that comes while all run": AFTERWARDS,
    "master_running: one that leaves while all run": AFTERWARDS,
    "master_running: by the page": "the end of a ramp is told once; Locust's workers hear of it twice when the page began it",
    "worker_reporting: buckets": "on purpose: a time within a thousandth of a bucket's edge may be in the next one",
    "worker_reporting: figures are differences": "buckets are in ascending order; Locust has them as they came",
    "master_merging: fractional times": "on purpose: histograms hold whole milliseconds; sums, minima and maxima are exact",
}

DIFFERENT_RUNS: dict[tuple[str, str], str] = {}
"""Of fleets, by their names and the run's."""
