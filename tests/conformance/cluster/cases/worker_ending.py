"""How a worker ends, and what it says to its master then."""

from __future__ import annotations

import signal

from ..asking import QUIETLY, USERS
from ..ending import Alone
from ..nodes import Node
from ..wire import ScriptedMaster

ONE = (
    QUIETLY
    + USERS
    + """
    def on_stop(self):
        _note("on_stop")
"""
)


def _running(alone: Alone, locustfile: str = ONE, users: int = 2) -> tuple[ScriptedMaster, Node]:
    master = alone.scripted_master()
    worker = alone.worker(master.port, locustfile)
    master.until("heartbeat")
    assert worker.doors
    master.for_a_moment()
    if users:
        data = {
            "timestamp": 1.0,
            "user_classes_count": {"Buyer": users, "Visitor": 0},
            "host": None,
            "stop_timeout": 0.0,
            "parsed_options": {},
        }
        master.send("spawn", data)
        master.until("spawning_complete")
    master.forget()
    return master, worker


def _ends(alone: Alone, master: ScriptedMaster, worker: Node) -> None:
    worker.wait(lambda: master.read() or worker.process.poll() is not None, "its end")
    alone.ends(worker)
    master.for_a_moment()
    alone.note("conversation", [each for each in master.conversation(but=("heartbeat", "logs"))])


def told_to_quit_in_a_run(alone: Alone) -> None:
    master, worker = _running(alone)
    worker.inside("_count()")
    master.send("quit")
    _ends(alone, master, worker)


def told_to_quit_before_any_run(alone: Alone) -> None:
    master, worker = _running(alone, users=0)
    master.send("quit")
    _ends(alone, master, worker)


def told_to_quit_after_a_run(alone: Alone) -> None:
    master, worker = _running(alone)
    master.send("stop")
    master.until("client_ready")
    master.send("quit")
    _ends(alone, master, worker)


def terminated_in_a_run(alone: Alone) -> None:
    master, worker = _running(alone)
    worker.signal(signal.SIGTERM)
    _ends(alone, master, worker)


def interrupted_in_a_run(alone: Alone) -> None:
    master, worker = _running(alone)
    worker.signal(signal.SIGINT)
    master.until("quit")
    alone.note("exit code", worker.exit_code())
    alone.note("events", worker.events)


def failures_that_were_reported(alone: Alone) -> None:
    master, worker = _running(alone, ONE.replace(QUIETLY, ""))
    worker.inside("_count(exception=ValueError('x'))")
    master.until("stats")
    worker.until("not environment.stats.errors")
    master.send("quit")
    master.until("quit")
    alone.note("exit code", worker.exit_code())


def exceptions_of_users(alone: Alone) -> None:
    raising = ONE.replace("        pass", "        raise KeyError('lost')")
    master, worker = _running(alone, raising)
    worker.wait(lambda: master.read() or [each.kind for each in master.heard].count("exception") == 2, "exceptions")
    master.send("quit")
    master.until("quit")
    alone.note("exit code", worker.exit_code())
    told = [each.text(master.me) for each in master.heard if each.kind == "exception"]
    alone.note("told", told)


def a_listener_that_fails(alone: Alone) -> None:
    failing = ONE + "\n\n@_events.test_start.add_listener\ndef _fail(**_): raise ValueError('no start')\n"
    master, worker = _running(alone, failing)
    master.send("quit")
    master.until("quit")
    alone.note("exit code", worker.exit_code())
    alone.note("events", worker.events)


def an_exit_code_of_its_own(alone: Alone) -> None:
    own = ONE + "\n\n@_events.quitting.add_listener\ndef _set(environment, **_): environment.process_exit_code = 9\n"
    master, worker = _running(alone, own)
    master.send("quit")
    master.until("quit")
    alone.note("exit code", worker.exit_code())
    alone.note("events", worker.events)


def a_class_that_nobody_knows(alone: Alone) -> None:
    master, worker = _running(alone)
    data = {
        "timestamp": 2.0,
        "user_classes_count": {"Nobody": 1},
        "host": None,
        "stop_timeout": 0.0,
        "parsed_options": {},
    }
    master.send("spawn", data)
    master.until("spawning")
    worker.until_it_says("Nobody")
    master.send("quit")
    master.until("quit")
    alone.note("exit code", worker.exit_code())


def a_master_that_falls_silent(alone: Alone) -> None:
    master, worker = _running(alone, "_runners.MASTER_HEARTBEAT_TIMEOUT = 3\n" + ONE)
    master.until("heartbeat", count=2)
    master.answers = master.acks = False
    worker.wait(lambda: master.read() or worker.process.poll() is not None, "its end")
    alone.note("exit code", worker.exit_code())
    alone.note("events", worker.events)
    alone.note("said", [line for line in worker.said() if "heartbeat" in line])


def a_master_that_never_answered(alone: Alone) -> None:
    """Whom it never heard it does not miss."""
    master = alone.scripted_master()
    master.answers = False
    worker = alone.worker(master.port, "_runners.MASTER_HEARTBEAT_TIMEOUT = 1\n" + ONE)
    master.until("heartbeat", count=5)
    alone.note("lives", worker.process.poll())


def it_quits_by_itself(alone: Alone) -> None:
    master, worker = _running(alone)
    worker.inside("_gevent.spawn(runner.quit)")
    _ends(alone, master, worker)
