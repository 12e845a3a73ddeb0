"""What a worker reports."""

from __future__ import annotations

from typing import Any

from ..asking import OFTEN, USERS, WorkerAsked
from ..wire import Message

LOCUSTFILE = (
    OFTEN
    + """
_runners.WORKER_LOG_REPORT_INTERVAL = 0.2
"""
    + USERS
)


def _running(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 1, "Visitor": 2})
    _report(worker)


def _report(worker: WorkerAsked, *codes: str) -> Message:
    """The first report that was made after this was done there."""
    worker.master.until("stats")
    for code in codes:
        worker.inside(code)
    worker.master.for_a_moment(0.01)
    worker.master.forget()
    return worker.master.until("stats")


def _reported(worker: WorkerAsked, *codes: str) -> list[Message]:
    """All that was reported after this was done there in one turn, as far as it is not empty."""
    worker.master.forget()
    worker.inside("; ".join(codes))
    found: list[Message] = []
    worker.wait(lambda: [each for each in worker.master.heard[worker.master.since :] if each.data and _is_full(each)])
    worker.master.for_a_moment(0.3)
    found += [each for each in worker.master.heard[worker.master.since :] if _is_full(each)]
    return found


def _is_full(message: Message) -> bool:
    return message.kind == "stats" and bool(message.data["stats"] or message.data["errors"])


def _see(worker: WorkerAsked, messages: list[Message]) -> None:
    worker.note("reports", [each.text(worker.master.me) for each in messages])


def an_empty_report(worker: WorkerAsked) -> None:
    worker.master.forget()
    worker.note("report", worker.master.until("stats").text(worker.master.me))
    _running(worker)
    worker.note("report", _report(worker).text(worker.master.me))


def keys_and_their_order(worker: WorkerAsked) -> None:
    _running(worker)
    (message,) = _reported(worker, "_count()")
    data: dict[str, Any] = message.data
    worker.note("report", [key for key in data if key != "gregaria"])
    worker.note("entry", {key: type(value).__name__ for key, value in data["stats"][0].items()})
    worker.note("keys of the entry", list(data["stats"][0]))
    worker.note("keys of the total", list(data["stats_total"]))


def a_request(worker: WorkerAsked) -> None:
    _running(worker)
    _see(worker, _reported(worker, "_count()"))


def several_entries(worker: WorkerAsked) -> None:
    _running(worker)
    _see(worker, _reported(worker, "_count('/b')", "_count('/a', 'POST')", "_count('/a')", "_count('/b')"))


def figures_are_differences(worker: WorkerAsked) -> None:
    _running(worker)
    _see(worker, _reported(worker, "_count('/a', response_time=100)", "_count('/b')"))
    _see(worker, _reported(worker, "_count('/a', response_time=50)"))


def buckets(worker: WorkerAsked) -> None:
    _running(worker)
    times = (
        0,
        0.4,
        0.5,
        1.5,
        2.5,
        99.4,
        99.5,
        100,
        105,
        115,
        994,
        996,
        999,
        1050,
        1150,
        1249,
        9949,
        9950,
        10500,
        123456,
    )
    _see(worker, _reported(worker, f"[_count(response_time=each) for each in {times}]"))


def whole_and_fractional_times(worker: WorkerAsked) -> None:
    _running(worker)
    for times in ((1, 2), (1.5, 2.25), (1, 2.5), (3,), (0,), (0.0,)):
        _see(worker, _reported(worker, f"[_count(response_time=each) for each in {times}]"))


def no_response_time(worker: WorkerAsked) -> None:
    _running(worker)
    _see(worker, _reported(worker, "_count(response_time=None)", "_count('/y')"))


def failures(worker: WorkerAsked) -> None:
    _running(worker)
    _see(worker, _reported(worker, "_count(exception=ValueError('out of stock'))"))
    _see(
        worker,
        _reported(
            worker,
            "_count('/a', exception='a text')",
            "_count('/a', exception='a text')",
            "_count('/b', 'POST', exception=KeyError('k'))",
            "_count('/c', exception=OSError(5, 'x'), response_time=None)",
        ),
    )


def a_failure_with_an_address(worker: WorkerAsked) -> None:
    _running(worker)
    _see(worker, _reported(worker, "_count(exception=ValueError('at <object object at 0x7f1234567890>'))"))


def a_failure_that_is_no_ascii(worker: WorkerAsked) -> None:
    _running(worker)
    _see(worker, _reported(worker, "_count('/über', exception=ValueError('groß \\'und\\' \"klein\"'))"))


def a_failure_without_a_request(worker: WorkerAsked) -> None:
    _running(worker)
    _see(worker, _reported(worker, "environment.stats.log_error('GET', '/only', ValueError('no request'))"))


def content_lengths(worker: WorkerAsked) -> None:
    _running(worker)
    _see(worker, _reported(worker, "_count(length=0)", "_count(length=12345678901)", "_count('/y', length=7)"))


def names_of_all_kinds(worker: WorkerAsked) -> None:
    _running(worker)
    names = ("", " ", "/a?b=c&d", "x" * 300, "naïve ☃", 'a"b\\c', "line\\nbreak")
    _see(worker, _reported(worker, f"[_count(each) for each in {names!r}]"))


def the_time_of_the_last_request(worker: WorkerAsked) -> None:
    _running(worker)
    (message,) = _reported(worker, "_count()")
    entry, total = message.data["stats"][0], message.data["stats_total"]
    worker.note("second", [int(entry["last_request_timestamp"]) in each["num_reqs_per_sec"] for each in (entry, total)])
    worker.note("after its start", entry["start_time"] <= entry["last_request_timestamp"])


def a_listener_adds_to_reports(worker: WorkerAsked) -> None:
    _running(worker)
    code = "def _more(client_id, data): data['mine'] = {'ids': [1, 2.5, None, True], 3: client_id == runner.client_id}"
    worker.inside(code + "\n_events.report_to_master.add_listener(_more)")
    try:
        _see(worker, _reported(worker, "_count()"))
        worker.note("empty", _report(worker).text(worker.master.me))
    finally:
        worker.inside("_events.report_to_master.remove_listener(_more)")
    worker.note("without", _report(worker).text(worker.master.me))


def a_listener_changes_a_report(worker: WorkerAsked) -> None:
    _running(worker)
    worker.inside(
        "def _less(client_id, data):\n"
        "    for each in data['stats']: each['num_requests'] += 100\n"
        "    data['errors'].clear()\n"
        "_events.report_to_master.add_listener(_less)"
    )
    try:
        _see(worker, _reported(worker, "_count(exception=ValueError())"))
    finally:
        worker.inside("_events.report_to_master.remove_listener(_less)")


def a_listener_sees_the_report(worker: WorkerAsked) -> None:
    _running(worker)
    worker.inside(
        "_given = []\n"
        "def _look(client_id, data):\n"
        "    if data['stats']: _given.append([sorted(set(data) - {'gregaria'}), data['stats'], data['user_count']])\n"
        "_events.report_to_master.add_listener(_look)"
    )
    try:
        _reported(worker, "_count('/seen')")
        entry = worker.inside("_given[0][1][0]")
        worker.note("seen", {key: value for key, value in entry.items() if not key.endswith(("time", "stamp", "_sec"))})
        worker.see("_given[0][0]", "_given[0][2]", "[type(each).__name__ for each in _given[0][1]]")
    finally:
        worker.inside("_events.report_to_master.remove_listener(_look)")


def a_listener_that_fails(worker: WorkerAsked) -> None:
    _running(worker)
    worker.inside(
        "def _fail(client_id, data): raise ValueError('no report')\n_events.report_to_master.add_listener(_fail)"
    )
    try:
        _see(worker, _reported(worker, "_count()"))
        worker.wait(lambda: worker.inside("any('Uncaught' in line for line in _Lines.lines)"))
        worker.see("_locust.log.unhandled_greenlet_exception")
    finally:
        worker.inside("_events.report_to_master.remove_listener(_fail)")
        worker.inside("setattr(_locust.log, 'unhandled_greenlet_exception', False)")


def rounding_of_the_locustfiles_own(worker: WorkerAsked) -> None:
    _running(worker)
    worker.inside("import locust.stats as _stats; _rounds = getattr(_stats, 'bucket_response_time', None)")
    worker.note(
        "times",
        _reported(worker, "[_count(response_time=each) for each in (3.2, 14.9, 146, 2345)]")[0].data["stats"][0][
            "response_times"
        ],
    )


def a_user_raises(worker: WorkerAsked) -> None:
    _running(worker)
    code = (
        "def _raising():\n"
        "    try:\n        raise KeyError('lost')\n"
        "    except KeyError as error:\n"
        "        _events.user_error.fire(user_instance=None, exception=error, tb=error.__traceback__)\n"
    )
    worker.inside(code)
    worker.inside("_raising()")
    worker.inside("_raising()")
    worker.master.until("exception", count=2)
    worker.see_conversation()
    worker.see("list(runner.exceptions)")


def logs(worker: WorkerAsked) -> None:
    _running(worker)
    worker.master.forget()
    worker.inside("_logging.getLogger('mine').warning('to be seen by the master')")
    message = worker.master.until("logs")
    worker.note("keys", list(message.data))
    worker.note("its own id", message.data["worker_id"] == worker.master.me)
    worker.note(
        "the line", [each.split("] ")[1].split("/", 1)[1] for each in message.data["logs"] if "to be seen" in each]
    )
    worker.note("no more without a new line", not _hears(worker, "logs"))


def _hears(worker: WorkerAsked, kind: str) -> bool:
    worker.master.forget()
    worker.master.for_a_moment(0.5)
    return any(each.kind == kind for each in worker.master.heard[worker.master.since :])


def users_of_all_classes(worker: WorkerAsked) -> None:
    for counts in ({"Buyer": 2}, {"Visitor": 1}, {}):
        worker.spawn(counts)
        data = _report(worker).data
        worker.note("users", [data["user_classes_count"], data["user_count"]])


def reports_go_on_without_a_run(worker: WorkerAsked) -> None:
    _see(worker, _reported(worker, "_count('/between')"))


def what_was_not_reported_at_a_stop(worker: WorkerAsked) -> None:
    _running(worker)
    worker.master.forget()
    worker.inside("_count('/late')")
    worker.stop()
    worker.wait(lambda: any(_is_full(each) for each in worker.master.heard[worker.master.since :]))
    full = [each for each in worker.master.heard[worker.master.since :] if _is_full(each)]
    worker.note("requests", sum(each.data["stats"][0]["num_requests"] for each in full))


def heartbeats(worker: WorkerAsked) -> None:
    worker.master.forget()
    beat = worker.master.until("heartbeat")
    worker.note("beat", beat.text(worker.master.me))
    worker.note("types", [type(beat.data["current_memory_usage"]).__name__])
    worker.spawn({"Buyer": 1})
    worker.until("runner.worker_state == 'running'")
    worker.master.forget()
    worker.note("while it runs", worker.master.until("heartbeat", count=2).data["state"])


def figures_for_what_was_counted_last(worker: WorkerAsked) -> None:
    """The worker keeps nothing of what it has reported."""
    _running(worker)
    _reported(worker, "_count('/a')", "_count('/a', exception=ValueError())")
    worker.see("[[e.name, e.num_requests, e.num_failures] for e in environment.stats.entries.values()]")
    worker.see("environment.stats.total.num_requests", "len(environment.stats.errors)")


# This one silences the worker's log for good: it stands last.
def a_flood_of_lines(worker: WorkerAsked) -> None:
    _running(worker)
    worker.inside("[_logging.getLogger('mine').info('line %s', each) for each in range(80)]")
    worker.wait(lambda: worker.inside("any('log' in line and 'WARNING' in line for line in _Lines.lines)"))
    worker.see_log("locust.runners")
    worker.master.for_a_moment(0.5)
    worker.inside("_logging.getLogger('mine').warning('one more')")
    worker.note("silent", not _hears(worker, "logs"))
