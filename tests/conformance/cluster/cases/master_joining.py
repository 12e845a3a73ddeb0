"""Workers that introduce themselves to a master."""

from __future__ import annotations

import json

from ..asking import PATIENTLY, USERS, MasterAsked

LOCUSTFILE = PATIENTLY + USERS
ARGUMENTS = ["--loglevel", "DEBUG"]

NOISE = ("Sending ", "Updating state", "Stopping...", "Currently spawned")
"""What is only for those who look for a fault in Locust itself."""


def _see_all(master: MasterAsked) -> None:
    master.see_clients()
    master.see("runner.worker_count", "sorted(runner.clients)")
    master.see_log("locust.runners", but=NOISE)
    master.see_events()


def one(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    master.see_conversations(worker)
    _see_all(master)


def several(master: MasterAsked) -> None:
    workers = master.workers("b_1", "a_1", "c_1")
    master.see_conversations(*workers)
    _see_all(master)


def one_of_any_version(master: MasterAsked) -> None:
    worker = master.worker("a_any", -1)
    master.see_conversations(worker)
    _see_all(master)


def one_of_a_near_version(master: MasterAsked) -> None:
    for version in ("2.47.9", "2.47", "2.47.0.dev3", "2.470.1"):
        worker = master.worker(f"a_{version}", version)
        master.see_conversations(worker)
    _see_all(master)


def one_of_another_version(master: MasterAsked) -> None:
    for version in ("2.46.3", "1.6.0", "3.0.0", "x", "2.4"):
        worker = master.worker(f"a_{version}", version)
        master.see_conversations(worker)
    _see_all(master)


def one_of_long_ago(master: MasterAsked) -> None:
    for number, version in enumerate(("", None, 0)):
        worker = master.worker(f"a_old{number}", version, ready=False)
        worker.send("client_ready", version)
        # One after the other: each has a connection of its own.
        master.until(f"len([line for line in _Lines.lines if line.startswith('ERROR')]) == {number + 1}")
    master.see_conversations(*master.crowd.workers)
    _see_all(master)


def it_keeps_its_index(master: MasterAsked) -> None:
    first, second = master.workers("x_1", "x_2")
    master.see("[runner.get_worker_index(each) - runner.get_worker_index('x_1') for each in ('x_1', 'x_2')]")
    first.send("quit")
    master.until("'x_1' not in runner.clients")
    third = master.worker("x_3")
    first.send("client_ready", "2.47.0")
    master.until("'x_1' in runner.clients")
    master.see("[runner.get_worker_index(each) - runner.get_worker_index('x_1') for each in ('x_1', 'x_2', 'x_3')]")
    master.see_conversations(first, second, third)


def it_asks_twice(master: MasterAsked) -> None:
    worker = master.worker("a_twice", ready=False)
    worker.send("client_ready", "2.47.0")
    worker.send("client_ready", "2.47.0")
    master.crowd.hears(worker, "ack", 2)
    master.until("'a_twice' in runner.clients")
    master.wait(lambda: master.inside("len([line for line in _Lines.lines if 'reported as ready' in line]) == 2"))
    master.see_conversations(worker)
    _see_all(master)


def before_and_after_a_run(master: MasterAsked) -> None:
    first = master.worker("a_1")
    master.start(2)
    second = master.worker("b_1")
    master.does("runner.stop()")
    master.crowd.for_a_moment()
    master.see_conversations(first, second, but=("heartbeat", "spawn"))
    master.note("steps", [first.steps, second.steps])
    master.see_clients()
    master.see_events(but="worker_connect")


def names_of_all_kinds(master: MasterAsked) -> None:
    names = ["simple", "under_score_d", "übung_☃", "with space_1", "x" * 200 + "_1", "_", "a.b-c:d/e_1"]
    workers = master.workers(*names)
    master.see_conversations(*workers)
    _see_all(master)


def a_heartbeat_is_answered(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    for state in ("ready", "spawning", "running", "ready"):
        worker.beat(state=state)
        master.crowd.hears(worker, "heartbeat")
        master.see("[runner.clients['a_1'].state, runner.clients['a_1'].cpu_usage, runner.clients['a_1'].memory_usage]")
    master.see_conversations(worker, but=())


def a_heartbeat_of_little(master: MasterAsked) -> None:
    worker = master.worker("a_1")
    worker.beat(current_memory_usage=None)
    master.crowd.hears(worker, "heartbeat")
    worker.beat(current_cpu_usage=12.5, more={"x": 1})
    master.crowd.hears(worker, "heartbeat")
    master.see("[runner.clients['a_1'].cpu_usage, runner.clients['a_1'].memory_usage]")
    master.see_conversations(worker, but=())


def a_heartbeat_of_a_stranger(master: MasterAsked) -> None:
    worker = master.worker("a_stranger", ready=False)
    worker.beat()
    worker.beat()
    known = master.worker("a_known")
    known.beat()
    master.crowd.hears(known, "heartbeat")
    master.see_conversations(worker, known, but=())
    # Not the state: whether Locust's master looks at it before somebody is known is chance.
    master.see("_clients()", "runner.user_count")
    master.see_log("locust.runners", but=("DEBUG",))


def a_processor_that_has_too_much_to_do(master: MasterAsked) -> None:
    worker = master.worker("a_busy")
    for cpu in (90, 90.5, 99):
        worker.beat(current_cpu_usage=cpu)
        master.crowd.hears(worker, "heartbeat")
    master.see("runner.clients['a_busy'].cpu_warning_emitted", "runner.worker_cpu_warning_emitted")
    _see_all(master)


def what_the_page_tells_of_workers(master: MasterAsked) -> None:
    first, second = master.workers("a_1", "b_1")
    master.start(3)
    for worker in (first, second):
        worker.beat()
        master.crowd.hears(worker, "heartbeat")
    status, _, body = master.node.ask("GET", "/stats/requests")
    answer = json.loads(body)
    told = [
        {key: each.get(key) for key in ("id", "state", "user_count", "cpu_usage", "memory_usage")}
        for each in answer["workers"]
    ]
    master.note("workers", [status, answer["state"], answer["user_count"], told])
    master.note("count", master.node.ask("GET", "/worker-count")[::2][1].decode())


def events_of_heartbeats_and_reports(master: MasterAsked) -> None:
    master.inside(
        "_seen = []\n"
        "def _beat(**given): _seen.append(['beat', sorted(given), given['client_id'], given.get('timestamp') is not None])\n"
        "def _report(**given): _seen.append(['report', sorted(given), given['client_id'], sorted(given['data'])])\n"
        "_events.heartbeat_sent.add_listener(_beat); _events.worker_report.add_listener(_report)"
    )
    worker = master.worker("a_1")
    worker.beat()
    master.crowd.hears(worker, "heartbeat")
    worker.report(mine=[1, {"two": 2}])
    master.until("len(_seen) >= 2")
    master.inside("_events.heartbeat_sent.remove_listener(_beat); _events.worker_report.remove_listener(_report)")
    master.see("_seen")
