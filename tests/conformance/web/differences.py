"""Cases that end otherwise here, and why. Each has a row in `docs/compatibility.md`."""

from __future__ import annotations

DIFFERENT: dict[str, str] = {
    "figures: times of more than a second": "percentiles are known to three digits; Locust rounds to two",
    "swarming: what the page tells of a secret": "that it has a value, and not which; Locust's page holds it",
    "routes: stop and reset as before 2 47": "programs of Locust 2.46 go on working; browsers are refused, as in 2.47",
}
