"""Workers that come and go under `--enable-rebalancing`."""

from __future__ import annotations

from ..asking import USERS, MasterAsked

LOCUSTFILE = (
    """
_runners.HEARTBEAT_INTERVAL = 0.2
_runners.HEARTBEAT_LIVENESS = 15
"""
    + USERS
)
ARGUMENTS = ["--enable-rebalancing"]


def one_comes(master: MasterAsked) -> None:
    (first,) = master.beating("a_1")
    master.start(6)
    (second,) = master.beating("b_1")
    master.until("runner.user_count == 6 and sum(_clients().get('b_1', [0, {}])[1].values()) == 3")
    master.see_clients()
    master.note("last", [first.steps[-1], second.steps[-1]])
    master.see("runner.rebalancing_enabled()")


def one_after_the_other(master: MasterAsked) -> None:
    (_first,) = master.beating("a_1")
    master.start(6)
    for name in ("b_1", "c_1"):
        master.beating(name)
        master.until(f"runner.user_count == 6 and sum(_clients().get({name!r}, [0, {{}}])[1].values()) > 0")
    master.see_clients()


def one_leaves(master: MasterAsked) -> None:
    first, second = master.beating("a_1", "b_1")
    master.start(6)
    second.beats = False
    second.send("quit")
    master.until("'b_1' not in runner.clients and runner.user_count == 6")
    master.see_clients()
    master.note("last", first.steps[-1])


def one_goes_missing(master: MasterAsked) -> None:
    first, second = master.beating("a_1", "b_1")
    master.start(6)
    second.beats = False
    master.until("runner.clients['b_1'].state == 'missing'")
    master.wait(lambda: sum(first.steps[-1].values()) == 6)
    master.until("runner.user_count == 6")
    master.see_clients()
    master.see_log("locust.runners")


def before_any_run(master: MasterAsked) -> None:
    first, second = master.beating("a_1", "b_1")
    master.crowd.for_a_moment()
    master.note("steps", [first.steps, second.steps])
    master.see_clients()
