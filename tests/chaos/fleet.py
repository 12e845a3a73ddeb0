"""A master, workers behind proxies, and a target that counts what each of them really asked for."""

from __future__ import annotations

import itertools
import json
import signal
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conformance.cluster.nodes import Node
from conformance.cluster.wire import Crowd, ScriptedWorker, entry
from conformance.harness import Side, Target

from .proxy import Proxy

LOCUSTFILE = """
from locust import HttpUser, constant, task

_runners.WORKER_REPORT_INTERVAL = 0.3
_runners.HEARTBEAT_INTERVAL = 0.3
_runners.HEARTBEAT_LIVENESS = 4
_runners.HEARTBEAT_DEAD_INTERNAL = -100


class Visitor(HttpUser):
    wait_time = constant(0.05)
    connection_timeout = network_timeout = 30

    @task
    def visit(self):
        self.client.get(PATH)
"""

RESTORED = 10
"""Seconds within which a fleet has to be as it should be again."""

PATIENCE = 30


class Worker:
    """A worker's process, its proxy, and the path that only it asks for."""

    def __init__(self, side: Side, folder: Path, name: str, master: int) -> None:
        self.name = name
        self.path = f"/w/{name}"
        side.target.ask_with("POST", "/witness/routes", {"path": self.path, "status": 200})  # type: ignore[attr-defined]
        self.proxy = Proxy(master)
        where = ["--worker", "--master-host", "127.0.0.1", "--master-port", str(self.proxy.port)]
        self.node = Node(side, folder / name, f"PATH = {self.path!r}\n{LOCUSTFILE}", where)
        self.is_stopped = False
        self.is_gone = False

    @property
    def lives(self) -> bool:
        return not self.is_gone and self.node.process.poll() is None

    def end(self, how: signal.Signals) -> None:
        self.is_gone = True
        self.node.signal(signal.SIGCONT)
        self.node.signal(how)

    def pause(self) -> None:
        self.is_stopped = True
        self.node.signal(signal.SIGSTOP)

    def go_on(self) -> None:
        if self.is_stopped:
            self.node.signal(signal.SIGCONT)
            self.is_stopped = False

    def heal(self) -> None:
        self.go_on()
        self.proxy.heal()

    def close(self) -> None:
        self.node.close()
        self.proxy.close()


class Witness(Target):
    """The target, with routes."""

    def ask_with(self, method: str, path: str, value: Any) -> None:
        body = json.dumps(value).encode()
        request = urllib.request.Request(self.host + path, body, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE):
            pass

    def counts(self) -> dict[str, int]:
        by: dict[str, int] = self.ask("GET", "/witness/counts")["by"]
        return {what.removeprefix("GET "): number for what, number in by.items()}


class Fleet:
    """What a round plays with."""

    def __init__(self, side: Side, witness: Witness, folder: Path, workers: int = 3) -> None:
        self.side = side
        self.witness = witness
        self.folder = folder
        self._numbers = itertools.count(1)
        self.workers: list[Worker] = []
        self.users = 0
        self.master = self._a_master(0)
        self.port: int = self.master.doors["port"]
        for _ in range(workers):
            self.join()
        self.restored("gathered")

    def _a_master(self, port: int) -> Node:
        where = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
        page = ["--web-host", "127.0.0.1", "--web-port", "0"]
        options = ["--enable-rebalancing", "-H", self.witness.host, "-s", "2"]
        folder = self.folder / f"master-{next(self._numbers)}"
        return Node(self.side, folder, f"PATH = None\n{LOCUSTFILE}", [*where, *page, *options])

    def join(self) -> Worker:
        worker = Worker(self.side, self.folder, f"worker-{next(self._numbers)}", self.port)
        self.workers.append(worker)
        return worker

    def restart_master(self, how: signal.Signals) -> None:
        """Another process on the same port. It knows of no test: what was counted is gone with the first."""
        self.master.signal(how)
        self.master.process.wait(PATIENCE)
        self.master = self._a_master(self.port)
        assert self.master.doors
        self.users = 0

    @property
    def living(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.lives]

    def start(self, users: int) -> None:
        """Have so many users; returns at once."""
        self.users = users
        self.master.inside(f"_gevent.spawn(runner.start, {users}, 100)")

    def restored(self, what: str) -> float:
        """Wait until the master and every worker have the users they should have; how many seconds that took."""
        return self.within(RESTORED, self._as_it_should_be, what)

    def _as_it_should_be(self) -> list[str]:
        found = self.master.inside("[[node.state, node.user_count] for node in runner.clients.all]")
        states = [state for state, _ in found if state != "missing"]
        wrong = []
        if len(states) != len(self.living):
            wrong.append(f"{len(states)} workers for the master, {len(self.living)} live")
        if sum(users for _, users in found) != self.users:
            wrong.append(f"the master knows of {sum(users for _, users in found)} users, wanted are {self.users}")
        running = [worker.node.inside("runner.user_count") for worker in self.living]
        if sum(running) != self.users or (running and max(running) - min(running) > 1):
            wrong.append(f"workers have {running}, wanted are {self.users}")
        return wrong

    def within(self, seconds: float, problems: Callable[[], list[str]], what: str) -> float:
        began = time.monotonic()
        while wrong := problems():
            took = time.monotonic() - began
            assert took < seconds, f"{what}: not within {seconds} s: {'; '.join(wrong)}\n{self.master.errors[-3000:]}"
            time.sleep(0.05)
        return time.monotonic() - began

    def stop(self) -> float:
        self.begin_to_stop()
        return self.stopped()

    def begin_to_stop(self) -> None:
        self.users = 0
        self.master.inside("_gevent.spawn(runner.stop)")

    def stopped(self) -> float:
        return self.within(PATIENCE, self._standing_still, "a stop")

    def _standing_still(self) -> list[str]:
        state = self.master.inside("runner.state")
        return [*([] if state in ("stopped", "ready") else [f"state {state}"]), *self._as_it_should_be()]

    def forget(self) -> None:
        """The figures so far are no part of the next round."""
        self.master.inside("environment.stats.clear_all()")
        self.witness.ask("POST", "/witness/reset")
        for worker in self.living:
            self.witness.ask_with("POST", "/witness/routes", {"path": worker.path, "status": 200})
        for worker in [worker for worker in self.workers if not worker.lives]:
            worker.close()
            self.workers.remove(worker)

    def counted(self) -> dict[str, int]:
        """What the master has for each path."""
        return dict(self.master.inside("[[e.name, e.num_requests] for e in environment.stats.entries.values()]"))

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        self.master.close()


class Skewed:
    """A scripted worker whose clock is wrong: it does as it is told, and reports a request now and then."""

    def __init__(self, port: int, name: str, seconds: float) -> None:
        self.crowd = Crowd(port)
        self.worker: ScriptedWorker = self.crowd.worker(name)
        self.worker.beats = True
        self.seconds = seconds
        self.path = f"/skewed/{name}"
        self.said = 0

    def live(self, seconds: float) -> None:
        self.worker.send("client_ready", "2.47.0")
        self.crowd.hears(self.worker, "ack")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.crowd.for_a_moment(0.3)
            now = time.time() + self.seconds
            row = entry(self.path, times=[20], start_time=now - 1, last_request_timestamp=now,
                        num_reqs_per_sec={int(now): 1}, num_fail_per_sec={})  # fmt: skip
            self.worker.report(row)
            self.said += 1

    def leave(self) -> None:
        self.worker.send("quit")
        self.crowd.for_a_moment(0.5)
        self.crowd.close()
