"""Workers that go silent, and come back."""

from __future__ import annotations

from ..asking import USERS, MasterAsked

LOCUSTFILE = (
    """
_runners.HEARTBEAT_INTERVAL = 0.2
_runners.HEARTBEAT_DEAD_INTERNAL = -10
"""
    + USERS
)


def one_that_beats_stays(master: MasterAsked) -> None:
    (_worker,) = master.beating("a_1")
    master.crowd.for_a_moment(1.5)
    master.see_clients()
    master.see_log("locust.runners")


def one_goes_missing(master: MasterAsked) -> None:
    _first, second = master.beating("a_1", "b_1")
    second.beats = False
    master.until("runner.clients['b_1'].state == 'missing'")
    master.see_clients()
    master.see("runner.worker_count", "[node.id for node in runner.clients.missing]")
    master.see_log("locust.runners")


def it_comes_back(master: MasterAsked) -> None:
    _first, second = master.beating("a_1", "b_1")
    second.beats = False
    master.until("runner.clients['b_1'].state == 'missing'")
    second.beats = True
    master.until("runner.clients['b_1'].state == 'ready'")
    master.see_clients()
    master.see_log("locust.runners")
    master.see("runner.worker_count")


def it_is_forgotten(master: MasterAsked) -> None:
    _first, second = master.beating("a_1", "b_1")
    second.beats = False
    master.until("'b_1' not in runner.clients")
    second.beats = True
    master.crowd.for_a_moment()
    master.see_clients()
    master.see_log("locust.runners")


def it_introduces_itself_again(master: MasterAsked) -> None:
    _first, second = master.beating("a_1", "b_1")
    second.beats = False
    master.until("'b_1' not in runner.clients")
    second.send("client_ready", "2.47.0")
    second.beats = True
    master.until("'b_1' in runner.clients")
    master.note(
        "index",
        next(each.data for each in second.heard if each.kind == "ack")
        == [each.data for each in second.heard if each.kind == "ack"][1],
    )
    master.see_clients()


def one_goes_missing_in_a_run(master: MasterAsked) -> None:
    """Its users are gone, and the others do not take them over before it is forgotten."""
    first, second = master.beating("a_1", "b_1")
    master.start(4)
    second.beats = False
    master.until("runner.clients['b_1'].state == 'missing'")
    master.see_clients()
    master.note("steps", [len(first.steps), first.steps[-1]])
    master.wait(lambda: sum(first.steps[-1].values()) == 4)
    master.until("runner.user_count == 4")
    master.see_clients()


def it_comes_back_in_a_run(master: MasterAsked) -> None:
    first, second = master.beating("a_1", "b_1")
    master.start(4)
    second.beats = False
    master.until("runner.clients['b_1'].state == 'missing'")
    master.see("runner.user_count")
    second.beats = True
    second.report()
    master.until("runner.user_count == 4")
    master.crowd.for_a_moment()
    master.see_clients()
    master.note("last steps", [first.steps[-1], second.steps[-1]])


def the_last_goes_missing(master: MasterAsked) -> None:
    (worker,) = master.beating("a_1")
    master.start(2)
    worker.beats = worker.obedient = False
    master.until(
        "runner.state in ('stopped', 'stopping') and runner.clients and runner.clients['a_1'].state == 'missing'"
    )
    master.until("runner.state == 'stopped'")
    master.see("runner.state", "runner.user_count")
    master.see_log("locust.runners")
    master.see_events(but="worker_connect")


def a_start_without_those_that_are_missing(master: MasterAsked) -> None:
    first, second = master.beating("a_1", "b_1")
    second.beats = False
    master.until("runner.clients['b_1'].state == 'missing'")
    master.start(3)
    master.see_steps(first, second)
    master.see_clients()
    second.beats = True
    master.wait(lambda: second.steps)
    master.crowd.for_a_moment()
    master.note("last steps", [first.steps[-1], second.steps[-1]])


def a_stop_while_one_is_missing(master: MasterAsked) -> None:
    first, second = master.beating("a_1", "b_1")
    master.start(4)
    second.beats = False
    master.until("runner.clients['b_1'].state == 'missing'")
    master.does("runner.stop()")
    master.see("runner.state")
    master.crowd.for_a_moment()
    master.see_conversations(first, second, but=("heartbeat", "spawn"))
    master.see_events(but="worker_connect")


def messages_to_the_missing(master: MasterAsked) -> None:
    first, second = master.beating("a_1", "b_1")
    second.beats = False
    master.until("runner.clients['b_1'].state == 'missing'")
    master.inside("runner.send_message('news', 1)")
    master.crowd.hears(second, "news")
    master.crowd.hears(first, "news")
    master.see_conversations(first, second)


def anything_else_does_not_keep_it_alive(master: MasterAsked) -> None:
    (worker,) = master.beating("a_1")
    worker.beats = False

    def reported() -> bool:
        worker.report()
        return bool(master.inside("runner.clients['a_1'].state == 'missing'"))

    master.wait(reported)
    master.see_log("locust.runners")
