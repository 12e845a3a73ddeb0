"""`locust.stats`: counting by hand, and reading."""

from __future__ import annotations

import json

import locust

from ..probe import probe
from ..tables import filled, row, table


@probe
def an_empty_table(say):
    stats = table()
    say(row(stats.total), len(stats.entries), stats.errors, stats.history, stats.num_requests, stats.num_failures)
    say(stats.last_request_timestamp, stats.num_none_requests, stats.total.start_time == stats.start_time)
    say(
        stats.total.current_rps, stats.total.total_rps, stats.total.total_fail_per_sec, stats.total.current_fail_per_sec
    )


@probe
def requests_counted_by_hand(say):
    stats = filled()
    say(row(stats.total), [row(e) for e in locust.stats.sorttable(stats.entries)])
    say(row(stats.get("/a", "GET")), row(stats.entries["/b", "POST"]))


@probe.each(
    0,
    0.4,
    0.5,
    1.5,
    2.5,
    99.4,
    99.5,
    100,
    104.9,
    105,
    115,
    149,
    994,
    995,
    999,
    1000,
    1049,
    1050,
    1150,
    9950,
    9999,
    10000,
    10499,
    10500,
    11500,
    123456,
)
def the_bucket_of(say, value):
    say(locust.stats.bucket_response_time(value))
    stats = table()
    stats.log_request("GET", "/", value, 0)
    say(stats.total.response_times)


@probe
def percentiles_of_small_times(say):
    stats = filled()
    say([stats.get("/a", "GET").get_response_time_percentile(p) for p in (0, 0.01, 0.5, 0.66, 0.9, 0.99, 0.999, 1)])


@probe
def a_time_of_none(say):
    stats = table()
    stats.log_request("GET", "/", None, 5)
    stats.log_request("GET", "/", 10, 5)
    say(row(stats.total), stats.num_none_requests)


@probe
def failures_without_requests(say):
    stats = table()
    stats.log_error("GET", "/", "x")
    say(row(stats.total), stats.total.fail_ratio)


@probe
def entries_are_made_when_asked_for(say):
    stats = table()
    say(("x", "GET") in stats.entries, stats.entries.get(("x", "GET")))
    entry = stats.entries["x", "GET"]
    say(row(entry), len(stats.entries), stats.get("x", "GET") is entry, list(stats.entries))
    say(
        type(stats.entries).__name__,
        list(stats.entries.keys()),
        len(list(stats.entries.values())),
        [k for k, v in stats.entries.items()],
    )


@probe.each("ValueError", "text", "CatchResponseError", "object", "none", "nested")
def an_error_of_the_kind(say, value):
    error = {
        "ValueError": ValueError("a", 1),
        "text": "some text",
        "CatchResponseError": locust.exception.CatchResponseError("bad"),
        "object": ValueError(object()),
        "none": None,
        "nested": ValueError(KeyError("k")),
    }[value]
    e = locust.stats.StatsError
    say(e.parse_error(error), e.create_key("GET", "/", error))
    record = e("GET", "/", error, 2)
    say(
        record.to_name(),
        record.serialize(),
        record.to_dict(escape_string_values=True),
        record.first_seen,
        record.last_seen,
    )
    record.occurred()
    say(record.occurrences, record.first_seen == record.last_seen)
    say(vars(e.unserialize(record.serialize())).keys() == vars(record).keys())


@probe
def errors_of_a_table(say):
    stats = table()
    for _ in range(3):
        stats.log_error("GET", "/", ValueError("x"))
    stats.log_error("GET", "/", "other")
    say(sorted((k, e.method, e.name, e.occurrences, e.to_name()) for k, e in stats.errors.items()))
    say(sorted(stats.serialize_errors()[k]["error"] for k in stats.errors))


@probe
def reset_all_and_clear_all(say):
    stats = filled()
    stats.history.append({"a": 1})
    say(stats.reset_all(), len(stats.entries), stats.errors, stats.history, row(stats.total))
    stats = filled()
    say(stats.clear_all(), len(stats.entries), stats.errors, stats.history, row(stats.total))


@probe
def an_entry_is_reset(say):
    stats = filled()
    entry = stats.get("/a", "GET")
    entry.reset()
    say(row(entry), stats.total.num_requests, entry.response_times, entry.num_reqs_per_sec)


@probe
def an_entry_of_its_own(say):
    stats = table()
    entry = locust.stats.StatsEntry(stats, "/x", "GET")
    entry.log(10, 5)
    entry.log(None, 5)
    entry.log_error("x")
    say(row(entry), len(stats.entries), stats.total.num_requests)
    say(
        entry.use_response_times_cache,
        locust.stats.StatsEntry(stats, "/x", "GET", use_response_times_cache=True).use_response_times_cache,
    )


@probe
def entries_are_added(say):
    stats = table()
    a, b = locust.stats.StatsEntry(stats, "/x", "GET"), locust.stats.StatsEntry(stats, "/x", "GET")
    a.log(10, 5)
    a.log(20, 5)
    b.log(300, 7)
    b.log_error("x")
    a.start_time, b.start_time = 50, 40
    a.extend(b)
    say(row(a), a.response_times, a.start_time)


@probe
def an_entry_serialized(say):
    stats = filled()
    data = stats.get("/b", "POST").serialize()
    say(
        {
            k: v
            for k, v in data.items()
            if k not in ("start_time", "last_request_timestamp", "num_reqs_per_sec", "num_fail_per_sec")
        },
        sorted(data),
    )
    again = locust.stats.StatsEntry.unserialize({**data, "surprise": 1}, stats)
    say(row(again), again.serialize() == data)
    json.dumps(data)


@probe
def a_table_serialized(say):
    stats = filled()
    stats.get("/never", "GET")
    rows = stats.serializetable()
    say(sorted(row["name"] for row in rows), [e.num_requests for e in stats.entries.values()], stats.total.num_requests)


@probe
def an_entry_as_dict(say):
    stats = filled()
    say({k: v for k, v in stats.get("/a", "GET").to_dict().items() if "rps" not in k})
    stats.log_request("GET", "<b>&", 12.345, 1)
    say(stats.get("<b>&", "GET").to_dict(escape_string_values=True)["name"], stats.get("<b>&", "GET").to_dict()["name"])
