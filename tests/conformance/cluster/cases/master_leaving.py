"""Workers that stop, leave, or are told to."""

from __future__ import annotations

from ..asking import PATIENTLY, USERS, MasterAsked

LOCUSTFILE = PATIENTLY + USERS


def a_stop(master: MasterAsked) -> None:
    first, second = master.workers("a_1", "b_1")
    master.start(3)
    master.does("runner.stop()")
    master.until("runner.state == 'stopped'")
    master.see_conversations(first, second, but=("spawn", "heartbeat"))
    master.see_clients()
    master.see_events(but="worker_connect")
    master.see_log("locust.runners", in_order=False)


def a_stop_when_nothing_runs(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    master.does("runner.stop()")
    master.see_conversations(worker)
    master.see_clients()
    master.see_events(but="worker_connect")


def a_worker_leaves(master: MasterAsked) -> None:
    _first, second = master.workers("a_1", "b_1")
    second.send("quit")
    master.until("'b_1' not in runner.clients")
    master.see_clients()
    master.see_log("locust.runners")


def the_last_one_leaves(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.send("quit")
    master.until("not runner.clients")
    master.see_clients()
    master.see_log("locust.runners")
    master.see_events(but="worker_connect")


def the_last_one_leaves_a_run(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    master.start(2)
    worker.send("quit")
    master.until("runner.state == 'stopped'")
    master.see_clients()
    # Locust tries to deal out its users once more.
    master.see_log("locust.runners", but=("You can't start",))
    master.see_events(but="worker_connect")


def a_stranger_leaves(master: MasterAsked) -> None:
    first = master.worker("a_1")
    stranger = master.worker("s_1", ready=False)
    stranger.send("quit")
    first.beat()
    master.crowd.hears(first, "heartbeat")
    master.see_clients()
    master.see_log("locust.runners")
    master.see_conversations(stranger)


def one_stops_of_its_own_accord(master: MasterAsked) -> None:
    _first, second = master.workers("a_1", "b_1")
    second.send("client_stopped")
    master.until("'b_1' not in runner.clients")
    master.see_clients()
    master.see_log("locust.runners")
    second.send("client_ready", "2.47.0")
    master.until("'b_1' in runner.clients")
    master.see_clients()
    master.see_conversations(second)


def one_stops_in_a_run(master: MasterAsked) -> None:
    first, second = master.workers("a_1", "b_1")
    master.start(4)
    second.users = {}
    second.state = "ready"
    second.send("client_stopped")
    master.wait(lambda: sum(first.steps[-1].values()) == 4)
    master.until("runner.user_count == 4")
    master.see_clients()
    master.see_steps(first, second)
    master.see_log("locust.runners")


def a_stranger_stops(master: MasterAsked) -> None:
    first = master.worker("a_1")
    stranger = master.worker("s_1", ready=False)
    stranger.send("client_stopped")
    first.beat()
    master.crowd.hears(first, "heartbeat")
    master.see_log("locust.runners")
    master.see_clients()


def strangers_that_spawn_are_sent_away(master: MasterAsked) -> None:
    first = master.worker("a_1")
    for number, kind in enumerate(("spawning", "spawning_complete")):
        stranger = master.worker(f"s_{number}", ready=False)
        stranger.send(kind, {"user_classes_count": {"Buyer": 1}, "user_count": 1} if number else None)
        master.crowd.hears(stranger, "quit")
        master.see_conversations(stranger)
    first.beat()
    master.crowd.hears(first, "heartbeat")
    master.see_log("locust.runners")
    master.see_clients()


def a_worker_reports_more_users_than_asked_for(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.reports = False
    master.begins("runner.start(2, 100)")
    master.crowd.hears(worker, "spawn")
    worker.users = {"Buyer": 5, "Visitor": 0}
    worker.complete()
    master.until("_doing.dead")
    master.see_clients()
    master.see_log("locust.runners")
    master.see_conversations(worker, but=("spawn",))


def a_stop_in_the_middle_of_a_ramp(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    master.begins("None")
    master.asks("POST", "/swarm", "user_count=20&spawn_rate=4")
    master.wait(lambda: len(worker.steps) == 2)
    master.note("answer", master.asks("POST", "/stop"))
    steps = len(worker.steps)
    master.crowd.for_a_moment(0.6)
    master.note("no more steps", len(worker.steps) == steps)
    master.see("runner.state", "runner.user_count")
    master.see_events(but="worker_connect")


def a_worker_that_does_not_stop_is_waited_for(master: MasterAsked) -> None:
    """By its users, which its reports tell of."""
    worker = master.worker("a_1")
    master.start(2)
    worker.obedient = False
    master.begins("runner.stop()")
    master.crowd.hears(worker, "stop")
    master.crowd.for_a_moment()
    master.see("_doing.dead", "runner.state", "runner.user_count")
    worker.users = {}
    worker.report()
    master.until("_doing.dead")
    master.see("runner.state", "runner.user_count")
    master.see_events(but="worker_connect")


def states_of_the_master(master: MasterAsked) -> None:
    master.see("runner.state")
    worker = master.worker("a_1")
    master.see("runner.state")
    worker.reports = False
    master.begins("runner.start(1, 100)")
    master.crowd.hears(worker, "spawn")
    master.see("runner.state")
    worker.complete()
    master.until("_doing.dead")
    master.see("runner.state")
    worker.obedient = False
    master.begins("runner.stop()")
    master.crowd.hears(worker, "stop")
    master.see("runner.state")
    worker.users = {}
    worker.send("client_stopped")
    worker.send("client_ready", "2.47.0")
    master.until("_doing.dead")
    master.until("'a_1' in runner.clients")
    worker.state = "ready"
    worker.beat()
    master.crowd.hears(worker, "heartbeat")
    master.see("runner.state")


def the_page_stops(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    master.start(2)
    master.note("answer", master.asks("POST", "/stop"))
    master.see("runner.state")
    master.see_conversations(worker, but=("spawn", "heartbeat"))
