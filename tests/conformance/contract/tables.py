"""Statistics for probes to look at."""

from __future__ import annotations

from typing import Any

import locust


def table(cache: bool = True) -> Any:
    return locust.stats.RequestStats(use_response_times_cache=cache)


def filled() -> Any:
    """A table with two rows and an error."""
    stats = table()
    for n in range(100):
        stats.log_request("GET", "/a", n, 10)
    stats.log_request("POST", "/b", 5, 1)
    stats.log_error("POST", "/b", ValueError("bad"))
    return stats


def row(entry: Any) -> list[Any]:
    return [
        entry.method,
        entry.name,
        entry.num_requests,
        entry.num_none_requests,
        entry.num_failures,
        entry.total_response_time,
        entry.min_response_time,
        entry.max_response_time,
        entry.total_content_length,
        entry.median_response_time,
        entry.avg_response_time,
        entry.avg_content_length,
        entry.fail_ratio,
    ]
