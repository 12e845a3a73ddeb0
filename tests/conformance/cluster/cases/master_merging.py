"""What a master makes of reports."""

from __future__ import annotations

import json

from ..asking import PATIENTLY, USERS, MasterAsked
from ..wire import entry

LOCUSTFILE = PATIENTLY + USERS

ERROR = {
    "name": "/a",
    "method": "GET",
    "error": "ValueError('out of stock')",
    "occurrences": 2,
    "first_seen": 1767225600.5,
    "last_seen": 1767225601.5,
}


def _merged(master: MasterAsked, reports: int = 1) -> None:
    """Wait until as many reports have been merged, by the users which the last one tells of."""
    master.crowd.for_a_moment(0.05)
    worker = master.crowd.workers[0]
    worker.send("heartbeat", {"state": "ready", "current_cpu_usage": 1.0})
    if any(each.kind == "ack" for each in worker.heard):
        master.crowd.hears(worker, "heartbeat")


def one_report(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.report(entry("/a", "GET", 3, times=[40, 90, 180], total_content_length=1200))
    _merged(master)
    master.see("_figures()")


def several_reports(master: MasterAsked) -> None:
    first, second = master.workers("a_1", "b_1")
    first.report(entry("/a", times=[40], requests=1), entry("/b", "POST", times=[7], requests=1))
    second.report(entry("/a", times=[50, 60], requests=2))
    first.report(entry("/a", times=[1000], requests=1))
    master.until("environment.stats.total.num_requests == 5")
    master.see("_figures()")


def failures(master: MasterAsked) -> None:
    first, second = master.workers("a_1", "b_1")
    first.report(entry("/a", requests=3, times=[1, 2, 3], failures=2), errors={"one": ERROR})
    second.report(entry("/a", requests=3, times=[1, 2, 3], failures=2), errors={"one": {**ERROR, "occurrences": 5}})
    second.report(errors={"two": {**ERROR, "error": "KeyError('k')", "first_seen": None, "last_seen": None}})
    master.until("len(environment.stats.errors) == 2 and environment.stats.total.num_requests == 6")
    master.see("_figures()")
    master.see("sorted([e.first_seen, e.last_seen] for e in environment.stats.errors.values() if e.first_seen)")


def an_error_of_little(master: MasterAsked) -> None:
    """Without times, as other workers send it."""
    worker = master.worker("a_1")
    little = {"name": "/a", "method": "GET", "error": "no", "occurrences": 1}
    worker.report(errors={"x": little})
    worker.report(errors={"x": little})
    master.until("environment.stats.errors and list(environment.stats.errors.values())[0].occurrences == 2")
    master.see("_figures()")


def requests_without_a_time(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.report(entry("/a", requests=3, times=[10]))
    worker.report(entry("/b", requests=2, num_none_requests=2))
    master.until("environment.stats.total.num_requests == 5")
    master.see("_figures()")


def the_times_of_an_entry(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.report(entry("/a", requests=1, times=[10], start_time=100.0, last_request_timestamp=150.5))
    worker.report(entry("/a", requests=1, times=[10], start_time=90.0, last_request_timestamp=120.0))
    master.until("environment.stats.total.num_requests == 2")
    master.see("[[e.start_time, e.last_request_timestamp] for e in environment.stats.entries.values()]")


def requests_of_each_second(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.report(entry("/a", requests=5, times=[1] * 5, num_reqs_per_sec={100: 2, 101: 3}, num_fail_per_sec={101: 1}))
    worker.report(entry("/a", requests=2, times=[1] * 2, num_reqs_per_sec={101: 1, 107: 1}))
    master.until("environment.stats.total.num_requests == 7")
    master.see(
        "[sorted(e.num_reqs_per_sec.items()) for e in environment.stats.entries.values()]",
        "[sorted(e.num_fail_per_sec.items()) for e in environment.stats.entries.values()]",
        "sorted(environment.stats.total.num_reqs_per_sec.items())",
    )


def times_of_each_bucket(master: MasterAsked) -> None:
    first, second = master.workers("a_1", "b_1")
    first.report(entry("/a", requests=4, times=[1, 1, 50, 1200]))
    second.report(entry("/a", requests=3, times=[1, 50, 10000]))
    master.until("environment.stats.total.num_requests == 7")
    master.see(
        "[sorted(e.response_times.items()) for e in environment.stats.entries.values()]",
        "[e.get_response_time_percentile(p) for e in environment.stats.entries.values() for p in (0, 0.5, 0.9, 0.99, 1)]",
        "sorted(environment.stats.total.response_times.items())",
    )


def fractional_times(master: MasterAsked) -> None:
    """A worker with a rounding of its own sends others than whole ones."""
    worker = master.worker("a_1")
    worker.report(
        entry(
            "/a",
            requests=2,
            total_response_time=3.75,
            min_response_time=1.25,
            max_response_time=2.5,
            response_times={1.25: 1, 2.5: 1},
        )
    )
    master.until("environment.stats.total.num_requests == 2")
    master.see("[sorted(e.response_times.items()) for e in environment.stats.entries.values()]")
    master.see(
        "[[e.total_response_time, e.min_response_time, e.max_response_time] for e in environment.stats.entries.values()]"
    )


def users(master: MasterAsked) -> None:
    first, second = master.workers("a_1", "b_1")
    first.users, second.users = {"Buyer": 2, "Visitor": 0}, {"Buyer": 1, "Visitor": 4}
    first.report()
    second.report()
    master.until("runner.user_count == 7")
    first.users = {"Visitor": 1}
    first.report()
    master.until("runner.user_count == 6")
    master.see("runner.reported_user_classes_count", "_clients()")
    first.users = second.users = {}
    first.report()
    second.report()
    master.until("runner.user_count == 0")


def a_stranger(master: MasterAsked) -> None:
    """Its figures count, its users do not."""
    worker = master.worker("a_stranger", ready=False)
    worker.users = {"Buyer": 3}
    worker.report(entry("/a", requests=2, times=[5, 6]))
    master.until("environment.stats.total.num_requests == 2")
    master.crowd.for_a_moment()
    master.see("_figures()", "runner.user_count", "sorted(runner.clients)")
    master.see_log("locust.runners")
    master.note("told", worker.heard)


def more_keys_than_there_are(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.report(entry("/a", requests=1, times=[5], unknown=[1, 2]), mine={"x": None})
    master.until("environment.stats.total.num_requests == 1")
    master.see("_figures()")


def an_entry_of_little(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    data = {
        "stats": [{"name": "/a", "method": "GET", "num_requests": 2}],
        "stats_total": {"name": "Aggregated", "method": "", "num_requests": 2},
        "errors": {},
        "user_classes_count": {},
    }
    worker.send("stats", data)
    master.until("environment.stats.total.num_requests == 2")
    master.see("_figures()")


def a_total_that_is_no_sum(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    total = entry("Aggregated", "", 10, times=[1] * 10)
    worker.report(entry("/a", requests=1, times=[5]), stats_total=total)
    master.until("environment.stats.total.num_requests == 10")
    master.see("_figures()")


def without_a_part(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    for key in ("stats", "stats_total", "errors", "user_classes_count"):
        worker.report(entry("/a", requests=1, times=[5]), **{key: ...})
    worker.report(entry("/last", requests=1, times=[5]))
    master.until("('/last', 'GET') in environment.stats.entries")
    master.see("_locust.log.unhandled_greenlet_exception")
    master.inside("setattr(_locust.log, 'unhandled_greenlet_exception', False)")
    worker.beat()
    master.crowd.hears(worker, "heartbeat")
    master.see_clients()


def before_a_run_and_in_it(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.report(entry("/before", requests=1, times=[5]))
    master.until("environment.stats.total.num_requests == 1")
    master.start(1)
    master.see("environment.stats.total.num_requests")
    worker.report(entry("/in", requests=1, times=[5]))
    master.until("environment.stats.total.num_requests == 1")
    master.does("runner.stop()")
    worker.report(entry("/after", requests=1, times=[5]))
    master.until("environment.stats.total.num_requests == 2")
    master.see("sorted(name for name, _ in environment.stats.entries)")


def exceptions(master: MasterAsked) -> None:
    first, second = master.workers("a_1", "b_1")
    for worker, text, trace in (
        (first, "lost", "A"),
        (first, "lost", "A"),
        (second, "other words", "A"),
        (second, "x", "B"),
    ):
        worker.send("exception", {"msg": text, "traceback": f"Traceback\n  File {trace}\n"})
        master.crowd.for_a_moment(0.05)
    master.until("len(runner.exceptions) == 2")
    master.see("_exceptions()")
    answer = json.loads(master.node.ask("GET", "/exceptions")[2])
    master.note(
        "page", sorted([each["count"], each["msg"], sorted(each["nodes"].split(", "))] for each in answer["exceptions"])
    )
    stranger = master.worker("c_stranger", ready=False)
    stranger.send("exception", {"msg": "strange", "traceback": "C"})
    master.until("len(runner.exceptions) == 3")
    master.see("_exceptions()")


def logs(master: MasterAsked) -> None:
    first, second = master.workers("a_1", "b_1")
    first.send("logs", {"worker_id": first.identity, "logs": ["one", "two"]})
    second.send("logs", {"worker_id": second.identity, "logs": []})
    second.send("logs", {"worker_id": "", "logs": ["nobody's"]})
    first.send("logs", {"worker_id": first.identity, "logs": ["one", "two", "three"]})
    master.crowd.for_a_moment()
    answer = json.loads(master.node.ask("GET", "/logs")[2])
    master.note("logs", answer["workers"])


def the_page(master: MasterAsked) -> None:
    first, second = master.workers("a_1", "b_1")
    master.start(2)
    first.report(entry("/a", requests=3, times=[40, 90, 180], failures=1), errors={"one": ERROR})
    second.report(entry("/b", "POST", requests=1, times=[40]))
    master.until("environment.stats.total.num_requests == 4")
    answer = json.loads(master.node.ask("GET", "/stats/requests")[2])
    keys = (
        "method",
        "name",
        "num_requests",
        "num_failures",
        "min_response_time",
        "max_response_time",
        "avg_response_time",
        "median_response_time",
        "avg_content_length",
    )
    master.note("stats", [{key: each[key] for key in keys} for each in answer["stats"]])
    master.note("errors", [{**each, "first_seen": 0, "last_seen": 0} for each in answer["errors"]])
    master.note("rest", [answer["user_count"], answer["state"], answer["fail_ratio"], sorted(answer)])
    for kind in ("requests", "failures", "exceptions"):
        status, _, body = master.node.ask("GET", "/exceptions/csv" if kind == "exceptions" else f"/stats/{kind}/csv")
        master.note(kind, [status, [line.split(",")[:4] for line in body.decode().splitlines()]])


def a_reset(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.report(entry("/a", requests=2, times=[5, 5]), errors={"one": ERROR})
    master.until("environment.stats.total.num_requests == 2")
    master.inside("environment.stats.reset_all()")
    master.see("_figures()")
    worker.report(entry("/a", requests=1, times=[7]))
    master.until("environment.stats.total.num_requests == 1")
    master.see("_figures()")


def many_entries(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    for _ in range(3):
        worker.report(*(entry(f"/{number:04}", requests=1, times=[number]) for number in range(500)))
    master.until("environment.stats.total.num_requests == 1500")
    master.see("_figures()")
