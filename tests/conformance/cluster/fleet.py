"""Whole fleets: a master and workers, each Locust's or ours, and what each of them did in a case."""

from __future__ import annotations

import itertools
import json
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..harness import Side, Target, target
from .asking import IDLERS
from .nodes import Node
from .tap import Tap

LOCUSTS, OURS = "locust", "ours"


@dataclass(frozen=True)
class Kind:
    """Who is who."""

    master: str
    workers: tuple[str, ...]

    @property
    def name(self) -> str:
        both = len(set(self.workers)) > 1
        return f"{self.master} master, {'both workers' if both else f'{self.workers[0]} workers'}"


ORACLE = Kind(LOCUSTS, (LOCUSTS, LOCUSTS))
"""What all others are compared with."""

FLEETS = (
    Kind(LOCUSTS, (OURS, OURS)),
    Kind(OURS, (LOCUSTS, LOCUSTS)),
    Kind(OURS, (LOCUSTS, OURS)),
    Kind(LOCUSTS, (OURS, LOCUSTS)),
    Kind(OURS, (OURS, OURS)),
)

USERS = (
    IDLERS
    + '''
from locust import HttpUser, LoadTestShape, tag

_runners.WORKER_REPORT_INTERVAL = 0.3
_runners.WORKER_LOG_REPORT_INTERVAL = 0.3
_runners.HEARTBEAT_INTERVAL = 0.4
_runners.HEARTBEAT_LIVENESS = 12


class Shopper(HttpUser):
    """Asks for so many things, and has enough."""

    host = "http://nowhere.invalid"
    wait_time = constant(0)

    def on_start(self):
        for number in range(5):
            self.client.get(f"/status/20{number % 2}")
        self.client.post("/status/202", name="/order", data="x")
        self.client.get("/status/404", name="/missing")

    @task
    def rest(self):
        _gevent.sleep(60)


class Raising(User):
    wait_time = constant(60)

    @task
    def fail(self):
        raise KeyError("lost")


class Busy(User):
    wait_time = constant(60)
    lasts = 1

    @task
    def work(self):
        _note("begun")
        try:
            _gevent.sleep(self.lasts)
            _note("finished")
        finally:
            _note("over")


_got = []


def _get(environment, msg, **_):
    _got.append(msg.data)
    if msg.type == "echo":
        environment.runner.send_message("back", [msg.data, environment.runner.worker_index])


@_events.init.add_listener
def _register(environment, **_):
    for kind in ("news", "echo", "back"):
        environment.runner.register_message(kind, _get)


class Ticks(LoadTestShape):
    steps = [(2, 100), (5, 100), (3, 100)]

    def __init__(self):
        super().__init__()
        self.at = -1

    def tick(self):
        self.at += 1
        return self.steps[self.at] if self.at < len(self.steps) else None


def _weights(**given):
    for each in (A, B, C, Shopper, Raising, Busy):
        each.weight, each.fixed_count = given.get(each.__name__, (0, 0))
'''
)
"""Every node has them."""


class Fleet:
    """A master and its workers, that live through all cases."""

    def __init__(self, python: dict[str, Side], kind: Kind, folder: Path, where: Target) -> None:
        self.python = python
        self.kind = kind
        self.folder = folder
        self.target = where
        self.seen: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self.workers: list[Node] = []
        self.taps: list[Tap] = []
        self._shape = ""
        self.master = Node(python[kind.master], folder / "master", USERS, self._arguments())
        try:
            for each in kind.workers:
                self.add_worker(each)
            self._gathered()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _arguments() -> list[str]:
        page = ["--web-host", "127.0.0.1", "--web-port", "0"]
        # A shape in the locustfile would steer all runs; it is put in place where a case wants it.
        return ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", "0", *page]

    def add_worker(self, kind: str) -> Node:
        tap = Tap(self.master.doors["port"])
        self.taps.append(tap)
        arguments = ["--worker", "--master-host", "127.0.0.1", "--master-port", str(tap.port)]
        folder = self.folder / f"worker-{next(self._numbers)}"
        worker = Node(self.python[kind], folder, USERS, arguments)
        self.workers.append(worker)
        return worker

    def _gathered(self) -> None:
        self.master.until(f"runner.worker_count == {len(self.workers)}")
        for worker in self.workers:
            assert worker.doors
        order = sorted(range(len(self.workers)), key=lambda at: self.taps[at].worker)
        self.workers = [self.workers[at] for at in order]
        self.taps = [self.taps[at] for at in order]

    def close(self) -> None:
        for node in (self.master, *self.workers):
            node.close()
        for tap in self.taps:
            tap.close()

    @property
    def nodes(self) -> dict[str, Node]:
        return {"master": self.master, **{f"worker {at + 1}": worker for at, worker in enumerate(self.workers)}}

    def note(self, what: str, value: Any) -> None:
        self.seen.append({what: self._named(value)})

    def _named(self, value: Any) -> Any:
        """With the workers' places for their ids."""
        match value:
            case str():
                for at, tap in enumerate(self.taps):
                    value = value.replace(tap.worker, f"worker {at + 1}") if tap.worker else value
                text = re.sub(r"\d+ workers|\(index \d+\)", "…", value)
                return re.sub(r"[\w.-]+_[0-9a-f]{32}", "WORKER", text).replace(self.target.host, "TARGET")
            case dict():
                return {self._named(key): self._named(item) for key, item in value.items()}
            case list() | tuple():
                return [self._named(item) for item in value]
            case _:
                return value

    def inside(self, code: str) -> Any:
        return self.master.inside(code)

    def until(self, code: str) -> None:
        self.master.until(code)

    def see(self, *codes: str) -> None:
        for code in codes:
            self.note(code, self.inside(code))

    def everywhere(self, code: str) -> list[Any]:
        """Do this on every worker."""
        return [worker.inside(code) for worker in self.workers]

    def see_everywhere(self, code: str) -> None:
        self.note(code, self.everywhere(code))

    def weights(self, **given: tuple[float, int]) -> None:
        """Which classes there are for the master to deal out: weight and fixed count of each."""
        said = ", ".join(f"{name}={value!r}" for name, value in given.items())
        self.inside(f"_weights({said})")

    def begins(self, code: str) -> None:
        self.inside(f"globals().update(_doing=_gevent.spawn(lambda: {code}))")

    def does(self, code: str) -> None:
        self.begins(code)
        self.until("_doing.dead")

    def start(self, users: int, rate: float = 100) -> None:
        self.does(f"runner.start({users}, {rate})")
        self.until(f"runner.user_count == {users}")

    def stop(self) -> None:
        self.does("runner.stop()")
        self.until(f"len(runner.clients.ready) == {len(self.workers)}")

    def spawned(self, at: int) -> list[dict[str, int]]:
        """What a worker was asked to run in this case, step by step."""
        messages = self.taps[at].to_worker[self._since[at] :]
        return [
            {name: users for name, users in each.data["user_classes_count"].items() if users}
            for each in messages
            if each.kind == "spawn"
        ]

    _since: Sequence[int] = ()

    def see_steps(self) -> None:
        for at in range(len(self.taps)):
            self.note(f"steps of worker {at + 1}", self.spawned(at))

    def see_users(self) -> None:
        """How many there are by the master's books, and by each worker's."""
        self.master.wait(lambda: self.inside("runner.user_count") == sum(self.everywhere("runner.user_count")), "users")
        self.until("not runner.clients.spawning")
        self.see("sorted(_clients().items())", "runner.user_count", "runner.state")
        self.see_everywhere("{name: users for name, users in runner.user_classes_count.items() if users}")

    def see_events(self, *, but: Sequence[str] = ()) -> None:
        """What was fired. When workers are ready again after a stop is chance, and not told."""
        unheard = ("worker_connect", *but)
        for name, node in self.nodes.items():
            events = [each for each in node.events[self._events[name] :] if not each.startswith(unheard)]
            # Locust's master hears of a ramp's end once or twice, by chance.
            self.note(f"events of {name}", [each for each, _ in itertools.groupby(events)])

    def see_log(self) -> None:
        """What runners said, but whether all workers had answered within a second."""
        unheard = ("All users spawned", "report waittime is expired", "Discarded report", "DEBUG/")
        for name, node in self.nodes.items():
            lines = node.inside("[line for line in _Lines.lines if '/locust.runners: ' in line]")
            self.note(f"log of {name}", sorted(line for line in lines if not any(each in line for each in unheard)))

    def busy(self, users: int) -> None:
        """Have so many users in the middle of their task on each worker."""
        self.weights(Busy=(1, 0))
        self.start(users * len(self.workers))
        for at, worker in enumerate(self.workers, 1):
            since = self._events[f"worker {at}"]
            worker.wait(lambda worker=worker, since=since: worker.events[since:].count("begun") == users)  # type: ignore[misc]

    _events: dict[str, int] = {}

    def arrived(self) -> dict[str, int]:
        """What the target counted since the case began."""
        return {what: number for what, number in self.target.ask("GET", "/witness/counts")["by"].items()}

    def see_totals(self, shoppers: int) -> None:
        """When so many have got all they want: everything that the target counted is in the master's figures."""
        self.master.wait(lambda: sum(self.arrived().values()) == 7 * shoppers, f"requests of {shoppers} shoppers")
        arrived = self.arrived()
        self.until(f"environment.stats.total.num_requests == {sum(arrived.values())}")
        self.note("arrived", arrived)
        self.see(
            "sorted([e.method, e.name, e.num_requests, e.num_failures] for e in environment.stats.entries.values())",
            "sorted([e.method, e.name, e.to_dict()['error'], e.occurrences] for e in environment.stats.errors.values())",
        )

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        status, _, answer = self.master.ask(method, path, body)
        return status, answer.decode()

    def page(self, path: str) -> Any:
        return json.loads(self.ask("GET", path)[1])

    def fresh(self) -> None:
        """As it was before the first case."""
        self.begins("runner.stop()")
        self.until("_doing.dead")
        self.until(f"len(runner.clients) == {len(self.workers)} == len(runner.clients.ready)")
        self.inside(f"environment.shape_class = None; environment.host = {self.target.host!r}")
        self.weights(A=(1, 0), B=(1, 0), C=(1, 0))
        for node in (self.master, *self.workers):
            node.inside("environment.stats.clear_all(); runner.exceptions.clear(); _Lines.lines.clear(); _got.clear()")
        self.target.ask("POST", "/witness/reset")
        self._events = {name: len(node.events) for name, node in self.nodes.items()}
        self._since = [len(tap.to_worker) for tap in self.taps]
        self.seen = []

    def ends(self) -> None:
        """The last case: all go home."""
        self.master.signal(signal.SIGTERM)
        self.note("exit codes", {name: node.exit_code() for name, node in self.nodes.items()})
        self.see_events()


@contextmanager
def pythons(sides: Sequence[Side], folder: Path) -> Iterator[tuple[dict[str, Side], Target]]:
    """Both, with one target for all nodes of a fleet."""
    ours, theirs = sides
    folder.mkdir(parents=True, exist_ok=True)
    with target(folder) as where:
        yield {OURS: Side("ours", ours.python, where), LOCUSTS: Side("oracle", theirs.python, where)}, where


@contextmanager
def gathered(sides: Sequence[Side], kind: Kind, folder: Path) -> Iterator[Fleet]:
    with pythons(sides, folder) as (python, where):
        fleet = Fleet(python, kind, folder, where)
        try:
            yield fleet
        finally:
            fleet.close()
