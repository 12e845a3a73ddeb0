"""Runs on a master: what it tells its workers, and what it does when these, or its users, change."""

from __future__ import annotations

import itertools

from ..asking import MasterAsked
from .master_dispatching import ARGUMENTS, LOCUSTFILE, _weights

__all__ = ["ARGUMENTS", "LOCUSTFILE"]


def the_messages(master: MasterAsked) -> None:
    """A spawn message, all of it."""
    _weights(master)
    worker = master.worker("a_1")
    # It shows of which kind it is: one that has not may be ours, and is told more.
    worker.beat()
    master.crowd.hears(worker, "heartbeat")
    master.start(3)
    master.does("runner.stop()")
    (spawn,) = [each for each in worker.heard if each.kind == "spawn"]
    data = dict(spawn.data)
    options = data.pop("parsed_options")
    master.note("keys", list(spawn.data))
    master.note("types", {key: type(value).__name__ for key, value in data.items()})
    master.note("users", data["user_classes_count"])
    master.note("host and stop timeout", [data["host"], data["stop_timeout"]])
    master.note("options", sorted(options))
    unlike = ("locustfile", "master_bind_port", "web_port")
    master.note("values", {key: value for key, value in sorted(options.items()) if key not in unlike})
    master.see_conversations(worker, but=("spawn",))


def the_pace(master: MasterAsked) -> None:
    """So many users a second, by the timestamps of the messages."""
    _weights(master)
    worker = master.worker("a_1")
    master.start(6, 4)
    times = [each.data["timestamp"] for each in worker.heard if each.kind == "spawn"]
    master.note("steps", worker.steps)
    master.note("in order", times == sorted(set(times)))
    master.note("a second each", [round(later - one) for one, later in itertools.pairwise(times)])


def nobody_asked_for_and_nobody_there(master: MasterAsked) -> None:
    master.start(5)
    master.see("runner.state", "runner.user_count")
    master.see_log("locust.runners")
    worker = master.worker("a_1")
    master.start(0)
    master.crowd.hears(worker, "spawning_complete")  # Nobody had to answer: it may still be on its way.
    master.see_steps(worker)
    master.see("runner.state")


def a_high_rate(master: MasterAsked) -> None:
    _weights(master)
    workers = master.workers("a_1", "a_2")
    master.start(1, 200)
    master.start(2, 201)
    master.see_steps(*workers)
    master.see_log("locust.runners")


def some_classes_only(master: MasterAsked) -> None:
    _weights(master)
    workers = master.workers("a_1", "a_2")
    master.start(4, 100, ", user_classes=[B, C]")
    master.start(7, 100, ", user_classes=[A]")
    master.see_steps(*workers)


def a_worker_that_says_nothing(master: MasterAsked) -> None:
    """Its users are counted when it reports them, and the ramp is over a second later."""
    _weights(master)
    first, second = master.workers("a_1", "a_2")
    second.reports = False
    master.start(4)
    master.see_clients()
    master.see_log("locust.runners")
    second.report()
    master.until("runner.user_count == 4")
    master.see_clients()
    master.see_conversations(first, second, but=("spawn",))


def one_that_comes_in_the_middle_of_a_ramp(master: MasterAsked) -> None:
    _weights(master)
    first = master.worker("a_1")
    master.begins("runner.start(8, 2)")
    master.wait(lambda: len(first.steps) == 2)
    second = master.worker("b_1")
    master.until("_doing.dead")
    master.note("last", [first.steps[-1], second.steps[-1]])
    master.note("sums", sorted({sum(step.values()) for step in first.steps + second.steps}) is not None)
    master.see_clients()


def one_that_leaves_in_the_middle_of_a_ramp(master: MasterAsked) -> None:
    _weights(master)
    first, second = master.workers("a_1", "b_1")
    master.begins("runner.start(8, 2)")
    master.wait(lambda: len(first.steps) == 2)
    second.send("quit")
    master.until("_doing.dead")
    master.note("last", first.steps[-1])
    master.see_clients()


def one_that_comes_while_all_run(master: MasterAsked) -> None:
    _weights(master)
    first = master.worker("a_1")
    master.start(6)
    second = master.worker("b_1")
    master.wait(lambda: second.steps and second.state == "running")
    master.until("runner.user_count == 6 and _clients()['b_1'][1]")
    master.see_steps(first, second)
    master.see_clients()
    master.see_log("locust.runners")


def one_that_leaves_while_all_run(master: MasterAsked) -> None:
    _weights(master)
    first, second = master.workers("a_1", "b_1")
    master.start(6)
    second.send("quit")
    master.wait(lambda: first.steps[-1] and sum(first.steps[-1].values()) == 6)
    master.until("runner.user_count == 6")
    master.see_steps(first, second)
    master.see_clients()
    master.see_log("locust.runners")


def changed_on_the_way(master: MasterAsked) -> None:
    """The second start begins from what the first has reached."""
    _weights(master)
    workers = master.workers("a_1", "b_1")
    master.begins("runner.start(20, 2)")
    master.wait(lambda: len(workers[0].steps) == 1)
    master.start(3, 100)
    master.note("last", [each.steps[-1] for each in workers])
    master.see("runner.target_user_count", "runner.user_count")


def by_the_page(master: MasterAsked) -> None:
    _weights(master)
    workers = master.workers("a_1", "b_1")
    status, _, body = master.node.ask("POST", "/swarm", "user_count=5&spawn_rate=100&host=http://shop.example")
    master.note("answer", [status, body.decode()])
    master.wait(lambda: all(each.state == "running" for each in workers))
    master.until("runner.state == 'running'")
    master.see_steps(*workers)
    master.note("host", [each.data["host"] for each in workers[0].heard if each.kind == "spawn"])
    master.note("stopped", master.asks("POST", "/stop"))
    master.crowd.for_a_moment()
    master.see_conversations(*workers, but=("spawn", "heartbeat"))
    master.inside("environment.host = None")


def the_settings_of_a_run(master: MasterAsked) -> None:
    _weights(master)
    worker = master.worker("a_1")
    for settings in (
        "environment.host, environment.stop_timeout = 'http://x.example', 7",
        "environment.stop_timeout = 2.5",
        "environment.host, environment.stop_timeout = None, 0.0",
    ):
        master.inside(settings)
        master.start(1)
        (*_, last) = [each.data for each in worker.heard if each.kind == "spawn"]
        master.note(settings, [last["host"], last["stop_timeout"]])


def options_of_the_locustfiles_own(master: MasterAsked) -> None:
    _weights(master)
    worker = master.worker("a_1")
    master.inside("environment.parsed_options.region, environment.parsed_options.tags = ['eu', 2], ['x']")
    master.start(1)
    (*_, last) = [each.data for each in worker.heard if each.kind == "spawn"]
    master.note(
        "options", {key: last["parsed_options"].get(key) for key in ("region", "tags", "exclude_tags", "num_users")}
    )
    master.inside("del environment.parsed_options.region; environment.parsed_options.tags = None")


def a_second_run(master: MasterAsked) -> None:
    _weights(master)
    first, second = master.workers("a_1", "b_1")
    master.start(3)
    master.does("runner.stop()")
    master.until("len(runner.clients.ready) == 2")
    master.start(4, 2)
    master.see_steps(first, second)
    master.see_events(but="worker_connect")
    master.see_log("locust.runners", in_order=False)


def the_result(master: MasterAsked) -> None:
    """What programs read of a ramp when it is over."""
    _weights(master, A=(2, 0))
    master.workers("a_1", "b_1")
    master.start(6)
    master.see(
        "runner.user_count",
        "runner.reported_user_classes_count",
        "runner.target_user_count",
        "runner.target_user_classes_count",
        "runner.spawn_rate",
        "runner.spawning_completed",
        "runner.state",
        "runner.user_classes_count",
    )
    master.does("runner.stop()")
    master.see("runner.final_user_classes_count", "runner.state", "runner.user_count")
