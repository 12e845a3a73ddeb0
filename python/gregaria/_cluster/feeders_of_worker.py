"""What a worker gets from its master: rows of feeders, and how many tasks may begin (`--iterations`)."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event

from gregaria import _engine, _feeders

from .feeders_of_master import ITERATIONS

if TYPE_CHECKING:
    from gevent import Greenlet

    from gregaria.feeder import Feeder
    from locust.runners import WorkerRunner

_TURN = 0.5
"""Seconds: how often the master is told how far this is, and asked again for what has not come."""

_NOT_OURS = (
    "the master is Locust's own, which hands out no rows: start gregaria's (`locust --master`), or give each worker "
    "data of its own"
)

_SAID = {
    "gregaria:rows": {"feeder", "life", "number", "kind", "rows", "columns"},
    "gregaria:spare": {"feeder"},
}
"""What a master says of a feeder."""

logger = logging.getLogger("gregaria.feeders")

_workers: dict[WorkerRunner, Worker] = {}


class Tickets(_engine.FeederBase):
    """Leaves to begin a task: rows without content."""

    name = ITERATIONS

    def __init__(self) -> None:
        self._giver: There | None = None

    def _wait(self) -> bool:
        return self._giver is not None and self._giver.more()

    def _refill(self) -> None:
        if self._giver is not None:
            self._giver.ask()


def begin_test(runner: WorkerRunner) -> None:
    """A test begins: what is left of the one before is nobody's."""
    worker = _workers.setdefault(runner, Worker(runner))
    worker.begin()


def stop_test(runner: WorkerRunner) -> None:
    """Users are about to be stopped."""
    if runner in _workers:
        _workers[runner].stop()


def end_test(runner: WorkerRunner) -> None:
    """They have ended."""
    if runner in _workers:
        _workers[runner].end()


def failed(runner: WorkerRunner, feeder: Feeder[Any], reason: str) -> None:
    """A row cannot be read; the master, which hands rows on as they are, may not know it."""
    if runner.master_is_ours:
        runner.send_message("gregaria:broken", {"feeder": feeder.name, "reason": reason})


def hear(runner: WorkerRunner, node: str, type: str, data: Any) -> None:
    """The master has said something. Raises `Misshapen` where it is nothing that a master of ours says."""
    worker = _workers.get(runner)
    if worker is None:
        return
    if type == "gregaria:finish":
        worker.finish()
    elif (keys := _SAID.get(type)) is None:
        return
    elif not isinstance(data, dict) or not keys <= data.keys():
        raise _feeders.Misshapen("its data are not what they should be")
    elif (there := worker.feeders.get(data["feeder"])) is None:
        return
    elif type == "gregaria:rows":
        there.arrive(data)
    elif type == "gregaria:spare":
        there.send(there.feeder._spare(len(there.waiting)))


class Worker:
    """What one runner's users are given."""

    def __init__(self, runner: WorkerRunner) -> None:
        self.runner = runner
        self.feeders: dict[str, There] = {}
        self._tickets = Tickets()
        self._turns: Greenlet[..., Any] | None = None
        self._finishing: Greenlet[..., Any] | None = None

    def begin(self) -> None:
        """With all feeders that there are now."""
        limit = self._limit()
        feeders: list[Any] = [*_feeders.everyone(), *([self._tickets] if limit else [])]
        self.feeders = {feeder.name: There(feeder, self.runner) for feeder in feeders}
        for there in self.feeders.values():
            there.begin()
        _engine.limit_iterations_by(self._tickets if limit else None)
        if self.feeders and (self._turns is None or self._turns.dead):
            self._turns = self.runner.greenlet.spawn(self._take_turns)

    def _limit(self) -> int | None:
        limit: int | None = getattr(self.runner.environment.parsed_options, "iteration_limit", None)
        if limit and not self.runner.master_is_ours:
            logger.warning("--iterations is ignored: the master is Locust's own, which counts none")
            return None
        return limit

    def stop(self) -> None:
        """Who waits for a row gets none."""
        for there in self.feeders.values():
            there.stop()

    def end(self) -> None:
        """Give back what is left."""
        for there in self.feeders.values():
            there.leave()
        if self._turns is not None:
            self._turns.kill(block=False)

    def finish(self) -> None:
        """Have all users end with their task, and say when they have; also where that was asked before."""
        if self._finishing is None or self._finishing.ready():
            self._finishing = gevent.spawn(self._finish)

    def _finish(self) -> None:
        self.runner._let_finish()
        self.runner.send_message("gregaria:finished")

    def _take_turns(self) -> None:
        while True:
            gevent.sleep(_TURN)
            for there in self.feeders.values():
                there.turn()


class There:
    """Rows that the master has."""

    def __init__(self, feeder: Any, runner: WorkerRunner) -> None:
        self.feeder = feeder
        self.waiting: deque[Event] = deque()
        self.is_told = False
        self._runner = runner
        self._columns: list[str] | None = None
        self._told_used = 0
        self._was_open = False
        self._is_stopped = False

    def begin(self) -> None:
        """Let the master know."""
        request = self.feeder._begin(True)
        self.feeder._giver = self
        if self._runner.master_is_ours:
            self.send(request)

    def more(self) -> bool:
        """Wait until there is a row. Raises `OSError` where no master hands out any."""
        if not self._runner.master_is_ours:
            raise OSError(_NOT_OURS)
        feeder = self.feeder
        while not feeder._at_hand():
            if self._is_stopped or feeder._is_ended:
                return self._ended()
            if _engine.in_coroutine():
                raise RuntimeError("in a coroutine it is `await anext(feeder)`")
            self.ask(1)
            self.tell()
            self._wait()
        return True

    def _ended(self) -> bool:
        from locust.exception import StopUser

        if self._is_stopped and not self.feeder._is_ended and self._runner in _feeders.tests():
            raise StopUser
        return False

    def _wait(self) -> None:
        turn = Event()
        self.waiting.append(turn)
        try:
            turn.wait()
        finally:
            if turn in self.waiting:
                self.waiting.remove(turn)
            elif self.feeder._at_hand() > 1:
                self.wake()

    def ask(self, more: int = 0) -> None:
        """Have rows sent."""
        self.send(self.feeder._ask(len(self.waiting) + more))

    def send(self, request: _feeders.Request | None) -> None:
        """Send a request, if it is one."""
        if request is not None:
            self._told_used = request[3]
            self._was_open = False
            self._runner.send_message("gregaria:take", {"feeder": self.feeder.name, "request": list(request)})

    def tell(self) -> None:
        """Tell how many rows were used, if that is news."""
        life, used = self.feeder._progress
        if used != self._told_used:
            self._told_used = used
            self._runner.send_message("gregaria:used", {"feeder": self.feeder.name, "life": life, "used": used})

    def turn(self) -> None:
        """What did not arrive is asked for again, and whoever was forgotten is woken."""
        if not self._runner.master_is_ours:
            return  # Locust's would log each time that it does not know the word.
        request = self.feeder._ask_again() if self._was_open else None
        self.send(request)
        self._was_open = self.feeder._ask_again() is not None
        self.tell()
        self.wake()

    def arrive(self, data: dict[str, Any]) -> None:
        """The master's answer."""
        rows = data["rows"]
        if data["columns"] != self._columns:
            self._columns = data["columns"]
            self.feeder._shape(self._columns)
        payload = [tuple(row) for row in rows] if isinstance(rows, list) else rows
        if self.feeder._arrive(data["life"], data["number"], data["kind"], payload):
            self.wake()
            if data["kind"] == "stale":
                self.send(self.feeder._ask_again())
            elif self.waiting and not self.feeder._at_hand():
                self.ask()

    def wake(self) -> None:
        """Let as many users look again as there is something for."""
        feeder = self.feeder
        count = len(self.waiting) if feeder._is_ended or self._is_stopped else feeder._at_hand()
        for _ in range(min(count, len(self.waiting))):
            self.waiting.popleft().set()

    def stop(self) -> None:
        """From now on nobody waits."""
        self._is_stopped = True
        self.wake()

    def leave(self) -> None:
        """Give back what is left."""
        self._is_stopped = True
        if self._runner.master_is_ours:
            self.send(self.feeder._leave())
            self.tell()  # Of broken data nothing may be left to give back, and still be something to tell.
