"""What cases are given: a worker before a scripted master, or a master before scripted workers, and what they saw."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from ..harness import Side
from .nodes import Node
from .wire import MOMENT, QUIET, Crowd, Message, ScriptedMaster, ScriptedWorker

USERS = """
from locust import User, constant, task


class Buyer(User):
    wait_time = constant(60)

    @task
    def idle(self):
        pass


class Visitor(Buyer):
    weight = 3
"""
"""Users that do nothing, for cases that count them."""

IDLERS = """
from locust import User, constant, task


class A(User):
    wait_time = constant(60)

    @task
    def idle(self):
        pass


class B(A):
    pass


class C(A):
    pass
"""
"""Three classes of them, for cases that deal them out."""

LISTENERS = """
_got = []


def _slow(environment, msg, **_):
    _note("slow begins")
    _gevent.sleep(0.3)
    _note("slow ends")


def _raise(environment, msg, **_):
    raise ValueError("not like this")


@_events.init.add_listener
def _register(environment, **_):
    runner = environment.runner
    runner.register_message("news", _get)
    runner.register_message("echo", _say_back)
    runner.register_message("slow", _slow)
    runner.register_message("slow together", _slow, concurrent=True)
    runner.register_message("raise", _raise)
    runner.register_message("raise together", _raise, concurrent=True)
"""
"""Of messages. A file of cases adds `_get`, which notes what it is called with, and `_say_back`."""

QUIETLY = """
_runners.WORKER_REPORT_INTERVAL = 1000
"""
"""One report, and then no other: for cases that look at what was not yet reported."""

PATIENTLY = """
_runners.HEARTBEAT_INTERVAL = 1000
"""
"""No worker goes missing: for scripted ones that keep quiet."""

OFTEN = """
_runners.WORKER_REPORT_INTERVAL = 0.2
"""


ONLY_OURS = ("in no figure",)
"""What only a master of ours says: Locust's is silent of what is lost."""


class Asked:
    """A node under question. What is noted is compared."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.seen: list[dict[str, Any]] = []
        self._events_before = 0

    def inside(self, code: str) -> Any:
        return self.node.inside(code)

    def until(self, code: str) -> None:
        self.wait(lambda: self.inside(code), code)

    def wait(self, condition: Any, what: str = "") -> None:
        raise NotImplementedError

    def note(self, what: str, value: Any) -> None:
        self.seen.append({what: value})

    def see(self, *codes: str) -> None:
        for code in codes:
            self.note(code, self.inside(code))

    def see_log(self, of: str = "locust", *, but: Sequence[str] = (), in_order: bool = True) -> None:
        """What these loggers said in this case; when it is not `in_order`, which of several workers came first is chance."""
        lines: list[str] = self.inside("list(_Lines.lines)")
        chosen = [line for line in lines if line.split(": ")[0].partition("/")[2].startswith(of)]
        said = [line for line in chosen if not any(each in line for each in (*but, *ONLY_OURS))]
        self.note("log", said if in_order else sorted(re.sub(r"\d+ workers", "N workers", line) for line in said))

    def see_events(self, *, but: str = "never") -> None:
        """What was fired in this case."""
        self.note("events", [each for each in self.node.events[self._events_before :] if not each.startswith(but)])

    def fresh(self) -> None:
        self.inside("_Lines.lines.clear()")
        self._events_before = len(self.node.events)
        self.seen = []


class WorkerAsked(Asked):
    """A worker, and the master that the case is."""

    def __init__(self, node: Node, master: ScriptedMaster) -> None:
        super().__init__(node)
        self.master = master
        self._clock = itertools.count(1)
        self._started = time.time()

    def wait(self, condition: Any, what: str = "") -> None:
        def asked() -> bool:
            self.master.read()
            return bool(condition())

        self.node.wait(asked, what)

    def send(self, kind: Any, data: Any = None) -> None:
        self.master.send(kind, data)

    def spawn_data(self, counts: dict[str, int] | None = None, **changed: Any) -> dict[str, Any]:
        """All that a spawn message has to say; `...` leaves something out."""
        data = {
            "timestamp": self._started + next(self._clock),
            "user_classes_count": {"Buyer": 0, "Visitor": 0, **(counts or {})},
            "host": None,
            "stop_timeout": 0.0,
            "parsed_options": {},
            **changed,
        }
        return {key: value for key, value in data.items() if value is not ...}

    def spawn(self, counts: dict[str, int] | None = None, **changed: Any) -> Message:
        """Have it run these users, and return what it says when they are there."""
        self.send("spawn", self.spawn_data(counts, **changed))
        return self.master.until("spawning_complete")

    def stop(self) -> None:
        self.send("stop")
        self.master.until("client_stopped")
        self.master.until("client_ready")
        self.until("runner.worker_state == 'ready'")

    def see_conversation(self, but: Sequence[str] = QUIET) -> None:
        """What the worker has said in this case."""
        self.note("conversation", self.master.conversation(but))

    def fresh(self) -> None:
        if self.inside("runner.worker_state") != "ready":
            self.stop()
        self.inside("environment.stats.clear_all()")
        self.master.for_a_moment(0.05)
        super().fresh()
        self.master.forget()


class MasterAsked(Asked):
    """A master, and the workers that the case has.

    A case's workers have names of their own, because a master still has to notice that those of the one before are
    gone, and indexes counted from its first: both as if it were the first case.
    """

    def __init__(self, node: Node, crowd: Crowd) -> None:
        super().__init__(node)
        self.crowd = crowd
        self._cases = itertools.count(100)
        self._first_index = 0

    def inside(self, code: str) -> Any:
        for worker in self.crowd.workers:
            code = code.replace(repr(worker.name), repr(worker.identity))
        return super().inside(code)

    def note(self, what: str, value: Any) -> None:
        super().note(what, self._as_the_first(value))

    def _as_the_first(self, value: Any) -> Any:
        match value:
            case str():
                text = re.sub(r"~\d{3}", "", value)
                return re.sub(
                    r"(index'?:? )(\d+)", lambda match: match[1] + str(int(match[2]) - self._first_index), text
                )
            case dict():
                return {self._as_the_first(key): self._as_the_first(item) for key, item in value.items()}
            case list() | tuple():
                return [self._as_the_first(item) for item in value]
            case _:
                return value

    def wait(self, condition: Any, what: str = "") -> None:
        def asked() -> bool:
            self.crowd.for_a_moment(0.02)
            return bool(condition())

        self.node.wait(asked, what)

    def worker(self, identity: str, version: Any = "2.47.0", *, ready: bool = True) -> ScriptedWorker:
        """One more, that has been taken in when `ready`."""
        made = self.crowd.worker(identity, self.crowd.mark)
        identity = made.identity
        if ready:
            made.send("client_ready", version)
            self.crowd.hears(made, "ack")
            self.until(f"{identity!r} in runner.clients")
        return made

    def workers(self, *identities: str) -> list[ScriptedWorker]:
        return [self.worker(identity) for identity in identities]

    def beating(self, *identities: str) -> list[ScriptedWorker]:
        """Workers that send heartbeats."""
        workers = self.workers(*identities)
        for worker in workers:
            worker.beats = True
        return workers

    def does(self, code: str) -> None:
        """Do what blocks until workers answer, and return when it is done."""
        self.begins(code)
        self.until("_doing.dead")

    def begins(self, code: str) -> None:
        self.inside(f"globals().update(_doing=_gevent.spawn(lambda: {code}))")

    def asks(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        """Ask the page for what needs workers' answers."""
        with ThreadPoolExecutor(1) as thread:
            asked = thread.submit(self.node.ask, method, path, body)
            self.crowd.until(asked.done, path)
            status, _, answer = asked.result()
        return status, answer.decode()

    def start(self, users: int, rate: float = 100, more: str = "") -> None:
        """Start a test, or change it, and return when the ramp is over."""
        self.does(f"runner.start({users}, {rate}{more})")

    def see_steps(self, *workers: ScriptedWorker) -> None:
        """How the users were dealt out, step by step."""
        for worker in workers:
            self.note(f"steps of {worker.name}", [{**each} for each in worker.steps])

    def see_conversations(self, *workers: ScriptedWorker, but: Sequence[str] = ("heartbeat",)) -> None:
        """What the master has said to these."""
        self.crowd.for_a_moment(0.1)
        for worker in workers:
            self.note(f"told {worker.name}", worker.conversation(but))

    def see_clients(self) -> None:
        self.see("_clients()", "runner.state", "runner.user_count")

    def fresh(self) -> None:
        self.begins("runner.stop()")
        self.until("_doing.dead")
        for worker in list(self.crowd.workers):
            worker.send("quit")
        known = [worker.identity for worker in self.crowd.workers]
        self.until(f"not [each for each in {known!r} if each in runner.clients]")
        for worker in list(self.crowd.workers):
            self.crowd.leave(worker)
        self.inside("runner.update_state('ready')")
        self.inside("environment.stats.clear_all(); runner.exceptions.clear()")
        self.crowd.mark = f"~{next(self._cases)}"
        self._first_index = self.inside("runner.worker_index_max")
        super().fresh()


@contextmanager
def worker_running(side: Side, area: ModuleType, folder: Path) -> Iterator[WorkerAsked]:
    master = ScriptedMaster()
    try:
        where = ["--worker", "--master-host", "127.0.0.1", "--master-port", str(master.port)]
        with _node(side, area, folder, where) as node:
            master.until("client_ready")
            yield WorkerAsked(node, master)
    finally:
        master.close()


@contextmanager
def master_running(side: Side, area: ModuleType, folder: Path) -> Iterator[MasterAsked]:
    where = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", "0"]
    page = ["--web-host", "127.0.0.1", "--web-port", "0"]
    with _node(side, area, folder, [*where, *page]) as node:
        crowd = Crowd(node.doors["port"])
        try:
            yield MasterAsked(node, crowd)
        finally:
            crowd.close()


@contextmanager
def _node(side: Side, area: ModuleType, folder: Path, where: Sequence[str]) -> Iterator[Node]:
    node = Node(
        side,
        folder,
        getattr(area, "LOCUSTFILE", USERS),
        [*where, *getattr(area, "ARGUMENTS", [])],
        files=getattr(area, "FILES", {}),
        environment=getattr(area, "ENVIRONMENT", {}),
    )
    try:
        yield node
    finally:
        node.close()


__all__ = [
    "IDLERS",
    "LISTENERS",
    "MOMENT",
    "OFTEN",
    "PATIENTLY",
    "QUIETLY",
    "USERS",
    "Asked",
    "MasterAsked",
    "WorkerAsked",
    "master_running",
    "worker_running",
]
