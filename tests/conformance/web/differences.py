"""Cases that end otherwise here, and why. Each has a row in `docs/compatibility.md`."""

from __future__ import annotations

DIFFERENT: dict[str, str] = {
    **{
        case: "the server's cache is about to follow `DEFAULT_CACHE_TIME`"
        for case in (
            "beneath: methods",
            "figures: rows and failures",
            "figures: rows are sorted",
            "figures: failures in the order of their first",
            "figures: five hundred rows",
            "figures: one row",
            "figures: times are rounded half up",
            "figures: no time at all",
            "figures: names with html",
            "figures: names beyond ascii",
            "figures: other percentiles",
            "figures: a report",
            "library: figures",
            "steering: the state at each step",
            "steering: no runner",
        )
    },
    "routes: stop and reset as before 2 47": "programs of Locust 2.46 go on working; browsers are refused, as in 2.47",
}
