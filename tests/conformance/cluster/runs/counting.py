"""What a fleet counts: the same as the target, and the same everywhere."""

from __future__ import annotations

from ..fleet import Fleet


def requests(fleet: Fleet) -> None:
    fleet.weights(Shopper=(1, 0))
    fleet.start(4)
    fleet.see_totals(4)
    fleet.see_events()
    fleet.stop()
    fleet.see_totals(4)


def requests_while_users_come_and_go(fleet: Fleet) -> None:
    fleet.weights(Shopper=(1, 0))
    began = users = 0
    for now in (6, 2, 8, 0, 3):
        began += max(0, now - users)
        users = now
        fleet.start(now)
        fleet.see_totals(began)


def of_the_run_alone(fleet: Fleet) -> None:
    fleet.weights(Shopper=(1, 0))
    fleet.start(2)
    fleet.see_totals(2)
    fleet.stop()
    fleet.target.ask("POST", "/witness/reset")
    fleet.start(3)
    fleet.see_totals(3)


def a_reset(fleet: Fleet) -> None:
    fleet.weights(Shopper=(1, 0))
    fleet.start(2)
    fleet.see_totals(2)
    fleet.note("reset", fleet.ask("POST", "/stats/reset"))
    fleet.see("environment.stats.total.num_requests")
    fleet.target.ask("POST", "/witness/reset")
    fleet.start(4)
    fleet.see_totals(2)


def exceptions_of_users(fleet: Fleet) -> None:
    fleet.weights(Raising=(1, 0))
    fleet.start(4)
    fleet.until("sum(e['count'] for e in runner.exceptions.values()) == 4")
    answer = fleet.page("/exceptions")["exceptions"]
    fleet.note("exceptions", [sum(each["count"] for each in answer), sorted({each["msg"] for each in answer})])
    fleet.note("nodes", sorted(name for each in answer for name in each["nodes"].split(", ")))
    fleet.note("line", {'raise KeyError("lost")' in each["traceback"] for each in answer} == {True})


def times_and_percentiles(fleet: Fleet) -> None:
    """Of whole milliseconds, which all can tell."""
    fleet.start(2)
    for worker, times in zip(fleet.workers, ((10, 20, 30, 40), (20, 50, 60, 1000)), strict=True):
        worker.inside(f"[_count('/x', response_time=each, length=each) for each in {times}]")
    fleet.until("environment.stats.total.num_requests == 8")
    fleet.see("_figures()")
    fleet.see("[environment.stats.total.get_response_time_percentile(p) for p in (0.5, 0.66, 0.75, 0.9, 0.99, 1)]")


def requests_without_times_and_lengths(fleet: Fleet) -> None:
    fleet.start(2)
    fleet.everywhere("_count('/n', response_time=None, length=0)")
    fleet.everywhere("_count('/z', response_time=0, length=3)")
    fleet.until("environment.stats.total.num_requests == 4")
    fleet.see("_figures()")


def errors_are_grouped(fleet: Fleet) -> None:
    fleet.start(2)
    fleet.everywhere("[_count('/e', exception=ValueError('same')) for _ in range(3)]")
    fleet.everywhere("_count('/e', exception='a text')")
    fleet.workers[0].inside("_count('/e', exception=OSError(5, 'here alone'))")
    fleet.everywhere("_count('/e', exception=ValueError('<object at 0x7f0012345678>'))")
    fleet.until("environment.stats.total.num_requests == 11")
    fleet.see("_figures()['errors']")
    status, body = fleet.ask("GET", "/stats/failures/csv")
    fleet.note("file", [status, sorted(line.rsplit(",", 3)[0] for line in body.splitlines())])


def many_names(fleet: Fleet) -> None:
    fleet.start(2)
    fleet.everywhere("[_count(f'/{each:03}', 'GET' if each % 3 else 'POST', each % 100) for each in range(200)]")
    fleet.until("environment.stats.total.num_requests == 400")
    fleet.see("_figures()")
    status, body = fleet.ask("GET", "/stats/requests/csv")
    fleet.note("file", [status, [line.split(",")[:4] for line in body.splitlines()]])


def what_the_page_shows(fleet: Fleet) -> None:
    fleet.start(2)
    fleet.everywhere("_count('/p', response_time=100, exception=ValueError('p'))")
    fleet.everywhere("_count('/q', response_time=300)")
    fleet.until("environment.stats.total.num_requests == 4")
    answer = fleet.page("/stats/requests")
    keys = ("method", "name", "num_requests", "num_failures", "min_response_time", "max_response_time",
            "avg_response_time", "median_response_time", "avg_content_length")  # fmt: skip
    fleet.note("rows", [[each[key] for key in keys] for each in answer["stats"]])
    fleet.note("errors", [[each["name"], each["error"], each["occurrences"]] for each in answer["errors"]])
    fleet.note("ratio", [answer["fail_ratio"], answer["user_count"], answer["state"]])


def reports_tell_listeners(fleet: Fleet) -> None:
    fleet.inside(
        "_told = []\n"
        "def _look(client_id, data): _told.append([client_id, data.get('mine'), sorted(set(data) - {'gregaria'})])\n"
        "_events.worker_report.add_listener(_look)"
    )
    add = "def _add(client_id, data): data['mine'] = {'of': runner.worker_index >= 0}\n_events.report_to_master.add_listener(_add)"
    fleet.everywhere(add)
    try:
        fleet.everywhere("_count('/r')")
        fleet.until("len({each[0] for each in _told if each[1]}) == 2")
        fleet.see("sorted({str(each) for each in _told if each[1]})")
        fleet.until("environment.stats.total.num_requests == 2")
    finally:
        fleet.inside("_events.worker_report.remove_listener(_look)")
        fleet.everywhere("_events.report_to_master.remove_listener(_add)")


def logs_of_workers(fleet: Fleet) -> None:
    fleet.everywhere("_logging.getLogger('mine').warning('of %s', runner.worker_index >= 0)")
    fleet.master.wait(lambda: sum("of True" in str(lines) for lines in fleet.page("/logs")["workers"].values()) == 2)
    answer = fleet.page("/logs")["workers"]
    fleet.note("workers", sorted(answer))


def usage_of_workers(fleet: Fleet) -> None:
    answer = fleet.page("/stats/requests")["workers"]
    fleet.note(
        "keys", [sorted(set(each) & {"id", "state", "user_count", "cpu_usage", "memory_usage"}) for each in answer]
    )
    fleet.note("types", [isinstance(each["cpu_usage"], int | float) for each in answer])
