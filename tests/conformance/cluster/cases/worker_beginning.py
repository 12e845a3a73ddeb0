"""A worker from its start until a master has taken it in."""

from __future__ import annotations

import signal

from ..asking import USERS
from ..ending import Alone
from ..wire import comparable

HASTY = """
_runners.CONNECT_TIMEOUT = 1
"""
MASTERS = HASTY + USERS


def it_introduces_itself(alone: Alone) -> None:
    master = alone.scripted_master()
    master.acks = False
    worker = alone.worker(master.port, MASTERS)
    master.until("client_ready")
    master.until("client_ready")
    host, _, unique = master.me.rpartition("_")
    alone.note("its id", [bool(host), len(unique), unique == unique.lower(), master.heard[0].node_id == master.me])
    alone.note("so far", master.conversation(but=()))
    master.send("ack", {"index": 5})
    master.until("heartbeat", count=2)
    master.until("stats")
    alone.note("kinds", sorted({each.kind for each in master.heard}))
    alone.note("order", [each.kind for each in master.heard if each.kind in ("client_ready", "stats")])
    alone.note("index", [worker.inside("runner.worker_index"), worker.inside("runner.state"), worker.events])


def an_acknowledgement_without_an_index(alone: Alone) -> None:
    master = alone.scripted_master()
    master.acks = False
    worker = alone.worker(master.port, MASTERS)
    master.until("client_ready")
    master.send("ack")
    master.until("heartbeat")
    alone.note("index", worker.inside("runner.worker_index"))


def interrupted_before_a_master_is_there(alone: Alone) -> None:
    master = alone.scripted_master()
    master.acks = False
    worker = alone.worker(master.port, MASTERS)
    master.until("client_ready")
    worker.signal(signal.SIGINT)
    # Python may be asked just before Locust is.
    alone.note("exit code", worker.exit_code() in (1, -signal.SIGINT))


def no_master_in_the_end(alone: Alone) -> None:
    master = alone.scripted_master()
    master.acks = False
    worker = alone.worker(master.port, "_runners.CONNECT_TIMEOUT, _runners.CONNECT_RETRY_COUNT = 0.5, 2\n" + USERS)
    alone.note("exit code", worker.exit_code())
    master.for_a_moment()
    alone.note("asked", [each.kind for each in master.heard])
    alone.note("said", worker.said())


def a_master_that_comes_late(alone: Alone) -> None:
    first = alone.scripted_master()
    port = first.port
    first.close()
    worker = alone.worker(port, MASTERS)
    worker.wait(lambda: "Starting Locust" in worker.errors)
    master = alone.scripted_master(port)
    master.until("client_ready")
    master.until("heartbeat")
    alone.note("taken in", worker.inside("runner.worker_index"))


FILE = "\nfrom locust import User, constant, task\n\nclass Remote(User):\n    wait_time = constant(9)\n\n    @task\n    def idle(self): pass\n"


def _served(alone: Alone, files: list[object], *arguments: str) -> None:
    master = alone.scripted_master()
    worker = alone.worker(master.port, None, "-f", "-", *arguments)
    request = master.until("locustfile")
    sender = master.senders[master.heard.index(request)]
    host, _, rest = sender.decode().partition("_download_locustfile_")
    alone.note("asked", [comparable(request.data), bool(host), len(rest), request.node_id == sender.decode()])
    master.send_to(sender, "locustfile", {"locustfiles": files})
    master.until("heartbeat")
    alone.note("kinds", [each.kind for each in master.heard if each.kind in ("locustfile", "client_ready")][-1])
    data = {
        "timestamp": 1.0,
        "user_classes_count": {"Remote": 2},
        "host": None,
        "stop_timeout": 0.0,
        "parsed_options": {},
    }
    master.send("spawn", data)
    alone.note("users", master.until("spawning_complete").data)
    master.send("quit")
    alone.ends(worker)


def the_masters_locustfile(alone: Alone) -> None:
    _served(alone, [{"filename": "locustfile.py", "contents": FILE}])


def several_locustfiles_of_the_master(alone: Alone) -> None:
    other = FILE.replace("Remote", "Second")
    _served(alone, [{"filename": "one.py", "contents": FILE}, {"filename": "two.py", "contents": other}])


def a_locustfile_that_the_master_cannot_read(alone: Alone) -> None:
    master = alone.scripted_master()
    worker = alone.worker(master.port, None, "-f", "-")
    request = master.until("locustfile")
    master.send_to(master.senders[master.heard.index(request)], "locustfile", {"error": "no such file here"})
    alone.note("exit code", worker.exit_code())
    alone.note("said", [line for line in worker.said() if "no such file" in line])
