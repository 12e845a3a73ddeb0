"""Statistics as objects: copied, deleted, put somewhere, given attributes."""

from __future__ import annotations

import copy

import locust

from ..probe import probe
from ..tables import filled


def figures(entry):
    return [entry.name, entry.method, entry.num_requests, entry.num_failures, entry.max_response_time]


@probe
def a_copy_of_a_table(say):
    stats = filled()
    other = copy.deepcopy(stats)
    stats.log_request("GET", "/a", 500.0, 1)
    say(figures(other.total), [figures(entry) for entry in other.entries.values()], len(other.errors))
    other.log_request("GET", "/c", 1.0, 1)
    say(figures(stats.total), len(other.entries), len(stats.entries))


@probe.each("copy", "deepcopy")
def a_copy_of_an_entry(value, say):
    stats = filled()
    total, entry = (getattr(copy, value)(each) for each in (stats.total, stats.get("/a", "GET")))
    stats.log_request("GET", "/a", 500.0, 1)
    say(figures(entry), figures(total), figures(stats.get("/a", "GET")), figures(stats.total))
    entry.log(700.0, 1)
    say(figures(entry), figures(stats.get("/a", "GET")))


@probe
def entries_are_deleted(say):
    stats = filled()
    kept = stats.get("/a", "GET")
    del stats.entries["/a", "GET"]
    say(list(stats.entries), stats.total.num_requests, figures(kept))
    say(figures(stats.entries.pop(("/b", "POST"))), list(stats.entries), stats.entries.pop(("x", "y"), None))
    try:
        del stats.entries["/a", "GET"]
    except KeyError as error:
        say(str(error))
    stats.log_request("GET", "/a", 7.0, 1)
    say(figures(stats.get("/a", "GET")), stats.total.num_requests, figures(kept))


@probe
def entries_are_cleared(say):
    stats = filled()
    stats.entries.clear()
    say(len(stats.entries), bool(stats.entries), stats.total.num_requests)
    stats.log_request("GET", "/a", 7.0, 1)
    say([figures(entry) for entry in stats.entries.values()])


@probe
def an_entry_is_put_there(say):
    stats = filled()
    entry = locust.stats.StatsEntry(stats, "/z", "PUT")
    entry.log(5.0, 1)
    stats.entries["/z", "PUT"] = entry
    say(figures(stats.get("/z", "PUT")), stats.get("/z", "PUT") is entry)
    stats.log_request("PUT", "/z", 7.0, 1)
    say(figures(entry), len(stats.entries))


@probe
def entries_as_a_dict(say):
    stats = filled()
    say(dict(stats.entries).keys() == stats.entries.keys(), sorted(stats.entries.items())[0][0])
    say(sorted(stats.entries.copy()), stats.entries.setdefault(("/a", "GET"), None).num_requests)


@probe
def errors_are_deleted(say):
    stats = filled()
    stats.log_error("GET", "/a", ValueError("other"))
    stats.log_error("GET", "/a", "third")
    by_text = {error.to_dict()["error"]: key for key, error in stats.errors.items()}
    del stats.errors[by_text["third"]]
    say(sorted(error.to_name() for error in stats.errors.values()))
    say(stats.errors.pop(by_text["ValueError('bad')"]).to_name(), stats.errors.pop("nothing", None))
    stats.log_error("GET", "/a", "third")
    say(sorted(error.to_name() for error in stats.errors.values()))
    stats.errors.clear()
    say(len(stats.errors), stats.total.num_failures)


@probe
def errors_are_replaced(say):
    stats = filled()
    stats.errors = {key: error for key, error in stats.errors.items() if "bad" not in error.to_name()}
    say(len(stats.errors))


@probe
def the_exception_of_an_error(say):
    stats = filled()
    (error,) = stats.errors.values()
    say(type(error.error).__name__, str(error.error), error.method, error.name, error.occurrences)


@probe
def the_history_is_emptied(say):
    stats = filled()
    stats.history = []
    say(stats.history)


@probe
def attributes_of_ones_own(say):
    stats = filled()
    stats.mine, stats.total.mine, stats.get("/a", "GET").mine = 1, 2, 3
    say(stats.mine, stats.total.mine, stats.get("/a", "GET").mine)


@probe
def an_entry_of_a_subclass(say):
    class Entry(locust.stats.StatsEntry):
        def log(self, response_time, content_length):
            say("log", response_time)
            super().log(response_time, content_length)

    entry = Entry(filled(), "/q", "GET")
    entry.log(4.0, 1)
    say(figures(entry))


@probe
def an_error_that_was_read_is_counted_further(say):
    stats = filled()
    (error,) = stats.errors.values()
    stats.log_error("POST", "/b", ValueError("bad"))
    say(error.occurrences)


@probe
def buckets_are_changed(say):
    entry = filled().get("/a", "GET")
    entry.response_times[7] = 100
    say(entry.response_times[7])
