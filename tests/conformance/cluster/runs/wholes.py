"""Runs from their beginning to their end."""

from __future__ import annotations

import signal

from ..whole import USERS, Whole

FAILING = USERS.replace('self.client.get(f"/status/20{number % 2}")', 'self.client.get(f"/status/40{number % 2}")')
FAILING += """
        raise ValueError("out of stock")
"""

PICKY = (
    USERS
    + """
    @tag("here")
    @task
    def tagged(self):
        _note("here")
        _gevent.sleep(60)

    @tag("elsewhere")
    @task(100)
    def other(self):
        _note("elsewhere")
        _gevent.sleep(60)


@_events.init_command_line_parser.add_listener
def _more(parser):
    parser.add_argument("--region", default="nowhere")
    parser.add_argument("--secret", is_secret=True, default="none")


@_events.test_start.add_listener
def _tell_region(environment, **_):
    options = environment.parsed_options
    _note(options.region, options.secret, options.tags, environment.host is not None)
"""
)

TICKING = (
    USERS
    + """
from locust import LoadTestShape


class Ticks(LoadTestShape):
    steps = [(2, 100), (4, 100), (1, 100)]
    at = -1

    def tick(self):
        self.at += 1
        return self.steps[self.at] if self.at < len(self.steps) else None
"""
)

ENDING = (
    USERS
    + """

@_events.quitting.add_listener
def _decide(environment, **_):
    environment.process_exit_code = 3 if environment.runner.__class__.__name__ == "MasterRunner" else 4
"""
)


def with_all_files(whole: Whole) -> None:
    whole.master("-u", "4", "-r", "100", "-t", "4s", "--expect-workers", "2", "--csv", "out", "--csv-full-history",
                 "--json-file", "out", "--html", "out.html", "--only-summary")  # fmt: skip
    whole.workers()
    whole.ends()
    whole.note("arrived", whole.target.ask("GET", "/witness/counts")["by"])
    whole.files()


def failures_and_exceptions(whole: Whole) -> None:
    whole.master("-u", "4", "-r", "100", "-t", "3s", "--expect-workers", "2", "--only-summary",
                 "--exit-code-on-error", "7", locustfile=FAILING)  # fmt: skip
    whole.workers(locustfile=FAILING)
    whole.ends(said=False)
    whole.totals()


def tags_and_options(whole: Whole) -> None:
    whole.master("-u", "2", "-r", "100", "-t", "3s", "--expect-workers", "2", "-T", "here", "--region", "eu",
                 "--secret", "s3cret", "-s", "1", locustfile=PICKY)  # fmt: skip
    whole.workers(locustfile=PICKY)
    whole.ends()
    whole.totals()


def a_shape(whole: Whole) -> None:
    whole.master("--expect-workers", "2", "--only-summary", locustfile=TICKING)
    whole.workers(locustfile=TICKING)
    whole.ends()


def exit_codes_of_the_locustfiles_own(whole: Whole) -> None:
    whole.master("-u", "2", "-t", "2s", "--expect-workers", "2", "--only-summary", locustfile=ENDING)
    whole.workers(locustfile=ENDING)
    whole.ends()


def the_masters_locustfile(whole: Whole) -> None:
    """Workers that have none."""
    whole.master("-u", "2", "-r", "100", "-t", "3s", "--expect-workers", "2", "--only-summary")
    whole.workers("-f", "-", locustfile=None)
    whole.ends()
    whole.totals()


def the_master_is_told_to_end(whole: Whole) -> None:
    master = whole.master("-u", "2", "-r", "100", "--expect-workers", "2", "--only-summary")
    whole.workers()
    master.until("runner.user_count == 2 and environment.stats.total.num_requests == 10")
    master.signal(signal.SIGTERM)
    whole.ends()
    whole.totals()


def ctrl_c_on_the_master(whole: Whole) -> None:
    master = whole.master("-u", "2", "-r", "100", "--expect-workers", "2", "--only-summary")
    whole.workers()
    master.until("runner.user_count == 2 and environment.stats.total.num_requests == 10")
    master.signal(signal.SIGINT)
    whole.ends(said=False)
    whole.totals()


def all_workers_leave(whole: Whole) -> None:
    """A headless master without workers goes home."""
    master = whole.master("-u", "2", "-r", "100", "--expect-workers", "2", "--only-summary")
    workers = whole.workers()
    for node in (master, *workers):
        node.wait(lambda node=node: "spawning_complete 2" in node.events, "the end of the ramp")  # type: ignore[misc]
    workers[0].signal(signal.SIGTERM)
    master.wait(lambda: master.events.count("spawning_complete 2") == 2, "the end of the other's ramp")
    workers[1].signal(signal.SIGTERM)
    whole.ends(said=False)


def too_few_workers(whole: Whole) -> None:
    whole.master("--expect-workers", "3", "--expect-workers-max-wait", "3")
    whole.workers()
    whole.ends()


def started_by_itself_with_a_page(whole: Whole) -> None:
    whole.master("-u", "2", "-r", "100", "-t", "2s", "--expect-workers", "2", "--autostart", "--autoquit", "0",
                 "--only-summary", headless=False)  # fmt: skip
    whole.workers()
    whole.ends()
    whole.totals()


def several_processes(whole: Whole) -> None:
    """`--processes 2` on a worker is two workers."""
    whole.master("-u", "2", "-r", "100", "-t", "3s", "--expect-workers", "2", "--only-summary")
    worker = whole.worker("--processes", "2")
    whole.note("exit codes", [node.exit_code() for node in whole.nodes.values()])
    whole.note("events of both", sorted(worker.events))
    whole.totals()


MASTER_PROGRAM = (
    USERS
    + """
import sys
from locust.env import Environment

environment = Environment(user_classes=[Shopper], host=sys.argv[1], events=_events)
runner = environment.create_master_runner("127.0.0.1", 0)
web_ui = None
_open(environment=environment, web_ui=None)
while len(runner.clients.ready) < 2:
    _gevent.sleep(0.05)
runner.start(4, spawn_rate=100)
while environment.stats.total.num_requests < 20:
    _gevent.sleep(0.05)
_note("users", runner.user_count, runner.reported_user_classes_count)
runner.stop()
_note("stopped", runner.state, runner.user_count)
runner.quit()
_note("requests", environment.stats.total.num_requests, environment.stats.total.num_failures)
"""
)

WORKER_PROGRAM = (
    USERS
    + """
import sys
from locust.env import Environment

environment = Environment(user_classes=[Shopper], events=_events)
runner = environment.create_worker_runner("127.0.0.1", int(sys.argv[1]))
_note("index", runner.worker_index >= 0, runner.state)
runner.greenlet.join()
_note("over")
"""
)


def as_a_library(whole: Whole) -> None:
    whole.target.ask("POST", "/witness/reset")
    master = whole.program("master", MASTER_PROGRAM, whole.kind.master, whole.target.host)
    for number, kind in enumerate(whole.kind.workers, 1):
        whole.program(f"worker {number}", WORKER_PROGRAM, kind, str(master.doors["port"]))
    whole.ends(said=False)
    whole.note("arrived", whole.target.ask("GET", "/witness/counts")["by"])
