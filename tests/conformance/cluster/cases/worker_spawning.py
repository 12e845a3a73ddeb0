"""What a worker does when it is told to run users."""

from __future__ import annotations

from ..asking import QUIETLY, USERS, WorkerAsked

LOCUSTFILE = QUIETLY + USERS


def a_spawn_message(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 2, "Visitor": 3})
    worker.until("runner.worker_state == 'running'")
    worker.see_conversation()
    worker.see("runner.user_classes_count", "runner.user_count", "runner.worker_state")


def counts_are_absolute(worker: WorkerAsked) -> None:
    for counts in ({"Buyer": 3}, {"Buyer": 5, "Visitor": 1}, {"Buyer": 1, "Visitor": 2}, {"Buyer": 1, "Visitor": 2}):
        worker.spawn(counts)
        worker.see("runner.user_classes_count")
    worker.see_conversation()


def down_to_nobody(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 3})
    worker.spawn({})
    worker.see("runner.user_classes_count", "runner.worker_state")
    worker.see_conversation()
    worker.see_events()


def a_class_that_is_left_out_stays(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 3, "Visitor": 1})
    worker.spawn(user_classes_count={"Visitor": 2})
    worker.see("runner.user_classes_count")
    worker.see_conversation()


def classes_in_another_order(worker: WorkerAsked) -> None:
    worker.spawn(user_classes_count={"Visitor": 2, "Buyer": 1})
    worker.see("runner.user_classes_count")
    worker.see_conversation()


def a_stale_message_is_discarded(worker: WorkerAsked) -> None:
    first = worker.spawn_data({"Buyer": 2})
    worker.send("spawn", first)
    worker.master.until("spawning_complete")
    worker.send("spawn", {**first, "user_classes_count": {"Buyer": 5}})
    worker.master.until("spawning")
    worker.send("spawn", {**first, "timestamp": first["timestamp"] - 0.5, "user_classes_count": {"Buyer": 6}})
    worker.master.until("spawning")
    worker.spawn({"Buyer": 3})
    worker.see("runner.user_classes_count")
    worker.see_conversation()
    worker.see_log("locust.runners")


def a_test_starts_once(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 1})
    worker.spawn({"Buyer": 2})
    worker.see_events()


def the_whole_ramp_is_told(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 1})
    worker.spawn({"Buyer": 2})
    worker.send("spawning_complete", {"user_count": 17})
    worker.until("any('spawning_complete' in line for line in open('events').readlines()[-1:])")
    worker.see_events()


def a_second_run(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 1})
    worker.inside("_count()")
    worker.stop()
    worker.spawn({"Buyer": 2})
    worker.see("environment.stats.total.num_requests")
    worker.see_events()
    worker.see_conversation()


def statistics_before_a_run_are_dropped(worker: WorkerAsked) -> None:
    worker.inside("_count()")
    worker.spawn({"Buyer": 1})
    worker.see("environment.stats.total.num_requests")


def the_host_is_the_masters(worker: WorkerAsked) -> None:
    for host in ("http://first.example", None, "http://second.example"):
        worker.spawn({"Buyer": 1}, host=host)
        worker.see("environment.host", "[greenlet.args[0].host for greenlet in runner.user_greenlets]")
        worker.stop()
    worker.inside("environment.host = None")


def the_stop_timeout_is_the_masters(worker: WorkerAsked) -> None:
    for timeout in (0.0, 3, 2.5, None, 0):
        worker.spawn({"Buyer": 1}, stop_timeout=timeout)
        worker.see("environment.stop_timeout")
    worker.spawn({}, stop_timeout=0)


def options_that_are_taken_over(worker: WorkerAsked) -> None:
    before = worker.inside("dict(vars(environment.parsed_options))")
    options = {
        "num_users": 30,
        "spawn_rate": 5.0,
        "run_time": 600,
        "host": "http://elsewhere.example",
        "loglevel": "DEBUG",
        "stop_timeout": 9,
        "headless": True,
        "expect_workers": 7,
        "region": "eu",
        "shares": [1, 2, {"a": None}],
    }
    worker.spawn({"Buyer": 1}, parsed_options=options)
    after = worker.inside("dict(vars(environment.parsed_options))")
    worker.note("changed", {key: value for key, value in after.items() if before.get(key, "not there") != value})


def parsed_options_of_a_library(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 1}, parsed_options={})
    worker.see_conversation()


def more_keys_than_there_are(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 1}, color="green", another={"x": [1]})
    worker.see_conversation()
    worker.see("runner.user_classes_count")


def a_class_that_is_unknown(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 1})
    worker.send("spawn", worker.spawn_data({"Seller": 1}))
    worker.master.until("spawning")
    worker.wait(lambda: worker.inside("any('Unhandled' in line for line in _Lines.lines)"))
    worker.see("runner.worker_state", "runner.user_classes_count", "_locust.log.unhandled_greenlet_exception")
    worker.spawn({"Buyer": 2})
    worker.see("runner.worker_state", "runner.user_classes_count")
    worker.see_conversation()
    worker.inside("setattr(_locust.log, 'unhandled_greenlet_exception', False)")


def many_messages_at_once(worker: WorkerAsked) -> None:
    for users in range(1, 21):
        worker.send("spawn", worker.spawn_data({"Buyer": users}))
    worker.master.until("spawning", count=20)
    worker.until("runner.user_count == 20 and runner.worker_state == 'running'")
    worker.see("runner.user_classes_count")
    worker.note("last", worker.master.until("spawning_complete", count=1) and "came")


def a_spawning_complete_without_a_run(worker: WorkerAsked) -> None:
    worker.send("spawning_complete", {"user_count": 4})
    worker.wait(lambda: worker.node.events[-1] == "spawning_complete 4")
    worker.see("runner.worker_state", "runner.state")
    worker.see_events()


def an_update_of_a_class(worker: WorkerAsked) -> None:
    worker.send("update_user_class", {"user_class_name": "Buyer", "weight": 7, "fixed_count": 2, "host": "http://h"})
    worker.spawn({"Buyer": 1})
    worker.see("[Buyer.weight, Buyer.fixed_count, Buyer.host, Visitor.weight]")
    worker.send("update_user_class", {"user_class_name": "Buyer", "weight": 1, "fixed_count": 0, "host": None})
    worker.spawn({"Buyer": 2})
    worker.see("[Buyer.weight, Buyer.fixed_count, Buyer.host]")
    worker.see_conversation()


def states_on_the_way(worker: WorkerAsked) -> None:
    states = ["runner.state", "runner.worker_state"]
    worker.see(*states)
    worker.spawn({"Buyer": 1})
    worker.until("runner.worker_state == 'running'")
    worker.see(*states)
    worker.send("spawning_complete", {"user_count": 1})
    worker.until("runner.state == 'running'")
    worker.see(*states)
    worker.stop()
    worker.see(*states)
