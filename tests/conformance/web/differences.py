"""Cases that end otherwise here, and why. Each has a row in `docs/compatibility.md`."""

from __future__ import annotations

DIFFERENT: dict[str, str] = {
    "figures: rows and failures": "percentiles are known to three digits; Locust rounds to two",
    "figures: a report": "percentiles are known to three digits; Locust rounds to two",
    "figures: other percentiles": "percentiles are known to three digits, and others are shown within half a second",
    "routes: stop and reset as before 2 47": "programs of Locust 2.46 go on working; browsers are refused, as in 2.47",
}
