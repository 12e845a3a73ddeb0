"""What a worker does when it is told to stop."""

from __future__ import annotations

from ..asking import QUIETLY, USERS, WorkerAsked

LOCUSTFILE = (
    QUIETLY
    + USERS
    + """

class Busy(User):
    wait_time = constant(60)

    @task
    def work(self):
        _note("begun")
        try:
            _gevent.sleep(self.lasts)
            _note("finished")
        finally:
            _note("over")

    lasts = 0.3

    def on_stop(self):
        _note("on_stop")
"""
)


def _busy(worker: WorkerAsked, users: int, **changed: object) -> None:
    """Have so many in the middle of their task."""
    worker.spawn({"Busy": users}, **changed)
    worker.wait(lambda: worker.node.events[-users:] == ["begun"] * users)


def while_users_run(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 3})
    worker.stop()
    worker.see_conversation()
    worker.see_events()
    worker.see("runner.user_count", "runner.state", "runner.worker_state")


def while_nobody_runs(worker: WorkerAsked) -> None:
    worker.stop()
    worker.see_conversation()
    worker.see_events()


def twice(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 1})
    worker.stop()
    worker.stop()
    worker.see_conversation()
    worker.see_events()


def two_at_once(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 1})
    worker.send("stop")
    worker.send("stop")
    worker.master.until("client_ready", count=2)
    worker.see_conversation()
    worker.see_events()


def users_may_finish(worker: WorkerAsked) -> None:
    _busy(worker, 2, stop_timeout=5)
    worker.stop()
    worker.see_conversation()
    worker.see_events()


def users_may_not_finish(worker: WorkerAsked) -> None:
    _busy(worker, 1, stop_timeout=0)
    worker.stop()
    worker.see_conversation()
    worker.see_events()


def users_take_too_long(worker: WorkerAsked) -> None:
    worker.inside("Busy.lasts = 60")
    _busy(worker, 1, stop_timeout=0.5)
    worker.stop()
    worker.inside("Busy.lasts = 0.3")
    worker.see_conversation()
    worker.see_events()
    worker.see_log("locust.runners")


def it_is_not_ready_before_the_stop_timeout_is_over(worker: WorkerAsked) -> None:
    worker.spawn({"Buyer": 1}, stop_timeout=1)
    worker.send("stop")
    worker.master.until("client_stopped")
    worker.master.for_a_moment(0.5)
    worker.note("so far", worker.master.conversation())
    worker.master.until("client_ready")
    worker.see_conversation()


def the_state_meanwhile(worker: WorkerAsked) -> None:
    worker.inside("_runners.HEARTBEAT_INTERVAL = 0.1")
    worker.master.until("heartbeat", count=2)
    _busy(worker, 1, stop_timeout=2)
    worker.until("runner.worker_state == 'running'")
    worker.inside("Busy.lasts = 1")
    worker.master.until("heartbeat", count=2)
    worker.master.forget()
    worker.send("stop")
    worker.master.until("client_ready")
    worker.master.forget()
    worker.master.until("heartbeat", count=4)
    states = [each.data["state"] for each in worker.master.heard[worker.master.since :] if each.kind == "heartbeat"]
    worker.note("in the end", states[-1])
    worker.inside("Busy.lasts = 0.3; _runners.HEARTBEAT_INTERVAL = 1")


def users_that_are_let_go_before(worker: WorkerAsked) -> None:
    _busy(worker, 2)
    worker.spawn({"Busy": 1})
    worker.wait(lambda: worker.node.events[-1] == "on_stop")
    worker.see_events()
    worker.stop()
    worker.see_conversation()
    worker.see_events()


def a_listener_fails(worker: WorkerAsked) -> None:
    worker.inside("def _fail(**_): raise ValueError('not now')\n_events.test_stop.add_listener(_fail)")
    worker.spawn({"Buyer": 1})
    worker.stop()
    worker.inside("_events.test_stop.remove_listener(_fail)")
    worker.see_conversation()
    worker.see_events()
    worker.inside("setattr(_locust.log, 'unhandled_greenlet_exception', False)")


def a_message_meanwhile(worker: WorkerAsked) -> None:
    """All in their order: what comes while it stops is done after that."""
    _busy(worker, 1, stop_timeout=1)
    worker.send("stop")
    worker.send("spawn", worker.spawn_data({"Buyer": 2}))
    worker.master.until("spawning_complete")
    worker.see_conversation()
    worker.see("runner.user_classes_count")
    worker.see_events()


def a_run_after_that(worker: WorkerAsked) -> None:
    for _ in range(3):
        worker.spawn({"Buyer": 2})
        worker.stop()
    worker.see_conversation()
    worker.see_events()
