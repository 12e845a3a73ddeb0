"""Print the tables of a made-up run. Runs on Locust and on gregaria alike, and must print the same."""

import csv
import io
import random
from types import SimpleNamespace

from locust import stats as locust_stats
from locust.stats import PERCENTILES_TO_REPORT, RequestStats, StatsCSV, StatsEntry


def made_up_run() -> RequestStats:
    stats = RequestStats()
    chance = random.Random(3)
    for i in range(400):
        method, name = ("POST", "/cart") if i % 4 == 0 else ("GET", "/a")
        # Whole milliseconds of two digits: there Locust's buckets and the engine's cells are the same.
        stats.log_request(method, name, float(chance.randint(1, 99)), 10)
        if i % 10 == 0:
            stats.log_error(method, name, ValueError(f"boom {i % 20}"))
    stats.log_request("WS", "no time", None, 0)
    return stats


def main() -> None:
    stats = made_up_run()
    fixed = SimpleNamespace(stats=stats, runner=SimpleNamespace(exceptions={}))
    # The rates depend on the clock: only what does not is compared.
    for line in locust_stats.get_stats_summary(stats, current=True):
        print(line)
    for line in locust_stats.get_percentile_stats_summary(stats) + locust_stats.get_error_report_summary(stats):
        print(line)
    out = io.StringIO(newline="")
    StatsCSV(fixed, PERCENTILES_TO_REPORT).requests_csv(csv.writer(out))
    rows = list(csv.reader(out.getvalue().splitlines()))
    rates = [rows[0].index("Requests/s"), rows[0].index("Failures/s")]
    for row in rows:
        print([cell for i, cell in enumerate(row) if i not in rates])
    total = stats.total.to_dict()
    print({key: value for key, value in total.items() if not key.startswith("total_")})
    print({key: (error.to_name(), error.occurrences) for key, error in stats.errors.items()})
    entry = stats.get("/a", "GET")
    copy = StatsEntry.unserialize(entry.serialize(), stats)
    print(dict(sorted(copy.response_times.items())), copy.median_response_time, copy.get_response_time_percentile(0.95))
    copy.extend(stats.get("/cart", "POST"))
    print(copy.num_requests, copy.total_content_length, copy.min_response_time, copy.max_response_time)
    stats.reset_all()
    print(len(stats.entries), stats.num_requests, list(stats.errors), stats.entries["/a", "GET"].fail_ratio)
    stats.clear_all()
    print(len(stats.entries))


main()
