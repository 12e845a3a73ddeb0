"""What a master hands out to its workers: rows of feeders, and how many tasks may begin (`--iterations`).

The engine's ledgers know who holds what. Here rows are read, answers sent, and at the end it is said what is in doubt.
"""

from __future__ import annotations

import csv
import logging
import time
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import gevent
from gevent.event import Event

from gregaria import _engine, _feeders
from locust import log
from locust.runners import STATE_MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gevent import Greenlet

    from gregaria._rows import Numbered
    from gregaria.feeder import Feeder
    from locust.runners import MasterRunner

    Outgoing = Iterable[tuple[str, int, int, str, Any]]

ITERATIONS = "--iterations"
"""What is handed out under this name are no rows, but leaves to begin a task."""

_TURN = 0.25
"""Seconds: how often workers are asked for rows that they can spare, and told again what they have not confirmed."""

_PATIENCE = 1.0
"""Seconds that the end of a test waits for what workers give back."""

_MOST_RANGES = 20
"""In a line of the log; the file has all."""

_LONGEST_REASON = 1000
"""Characters of what a worker says that end up in the log."""

_STRANGERS_ARE_KNOWN = 3.0
"""Seconds after which a worker has shown whether it is one of ours."""

logger = logging.getLogger("gregaria.feeders")

_fleets: WeakKeyDictionary[MasterRunner, Fleet] = WeakKeyDictionary()


def begin_test(runner: MasterRunner) -> None:
    """A test begins."""
    _fleets[runner] = Fleet(runner)


def end_test(runner: MasterRunner) -> None:
    """All workers have stopped."""
    fleet = _fleets.get(runner)
    if fleet is not None:
        fleet.end()


def lost(runner: MasterRunner, node: str) -> None:
    """A worker has left, or is missing."""
    fleet = _fleets.get(runner)
    if fleet is not None:
        fleet.lose(node)


def found(runner: MasterRunner, node: str) -> None:
    """A worker that was missing is back."""
    fleet = _fleets.get(runner)
    if fleet is not None:
        for owner in fleet.owners.values():
            owner.ledger.find(node)


def hear(runner: MasterRunner, node: str, type: str, data: Any) -> None:
    """A worker of ours has said something. Raises `Misshapen`: anybody could."""
    fleet = _fleets.get(runner)
    if fleet is None:
        return
    if type == "gregaria:take":
        fleet.request(node, *_request(data))
    elif type == "gregaria:used":
        fleet.note_used(node, *_used(data))
    elif type == "gregaria:broken":
        fleet.give_up(node, *_broken(data))
    elif type == "gregaria:finished":
        fleet.has_finished(node)


def _request(data: Any) -> tuple[str, _feeders.Request]:
    match data:
        case {"feeder": str(name), "request": [*numbers, bool(starves)]} if len(numbers) == 5 and _count(*numbers):
            life, number, kept, used, wants = numbers
            return name, (life, number, kept, used, wants, starves)
    raise _feeders.Misshapen("its data are not what they should be")


def _used(data: Any) -> tuple[str, int, int]:
    match data:
        case {"feeder": str(name), "life": life, "used": used} if _count(life, used):
            return name, life, used
    raise _feeders.Misshapen("its data are not what they should be")


def _broken(data: Any) -> tuple[str, str]:
    match data:
        case {"feeder": str(name), "reason": str(reason)}:
            return name, reason[:_LONGEST_REASON]
    raise _feeders.Misshapen("its data are not what they should be")


def _count(*values: Any) -> bool:
    """Whether these are numbers as the engine counts; what is larger than its largest came in no message."""
    return all(isinstance(value, int) and value >= 0 for value in values)


def finish(runner: MasterRunner) -> None:
    """Have all users of our workers end with their task; return when they have."""
    fleet = _fleets.get(runner)
    if fleet is not None:
        fleet.finish()


def iterations_left(runner: MasterRunner) -> int | None:
    """How many tasks may still begin; `None` without a limit."""
    fleet = _fleets.get(runner)
    limit: int | None = getattr(runner.environment.parsed_options, "iteration_limit", None)
    if not limit or fleet is None or ITERATIONS not in fleet.owners:
        return limit or None
    return limit - fleet.owners[ITERATIONS].ledger.used


class Owner:
    """One feeder's rows, and who has got them."""

    def __init__(self, name: str, feeder: Feeder[Any] | None, ledger: _engine.Ledger, rows: Numbered | None) -> None:
        self.name = name
        self.feeder = feeder
        self.ledger = ledger
        self._rows = rows

    @classmethod
    def of(cls, feeder: Feeder[Any], seed: int | None) -> Owner:
        """A feeder of this process; where its data cannot be read, whoever asks is told."""
        try:
            if not feeder.rows.is_read_by_engine:
                return cls(feeder.name, feeder, _engine.Ledger.given(), feeder.rows.numbered(feeder.name, seed))
            return cls(feeder.name, feeder, feeder.rows.ledger(feeder.name, seed), None)
        except OSError as error:
            broken = cls(feeder.name, feeder, _engine.Ledger.given(), None)
            broken.ledger.give_up(str(error))
            return broken

    def bring(self, wanted: int) -> None:
        """Have so many rows at hand, unless the engine reads them."""
        if self._rows is None:
            return
        try:
            for _ in range(self.ledger.shortage(wanted)):
                row = next(self._rows, None)
                if row is None:
                    self.ledger.close()
                    self._rows = None
                    return
                self.ledger.bring(*row)
        except Exception as error:  # whatever the locustfile's own code raises
            self.ledger.give_up(f"{error or type(error).__name__}")
            self._rows = None

    @property
    def title(self) -> str:
        """How it is called in the log."""
        return ITERATIONS if self.feeder is None else f"Feeder `{self.name}`"


class Fleet:
    """What is handed out in one test."""

    def __init__(self, runner: MasterRunner) -> None:
        self.runner = runner
        options = runner.environment.parsed_options
        self.owners: dict[str, Owner] = {}
        self._limit: int | None = getattr(options, "iteration_limit", None)
        if self._limit:
            self.owners[ITERATIONS] = Owner(ITERATIONS, None, _engine.Ledger.tickets(self._limit), None)
        self._known = {feeder.name: feeder for feeder in _feeders.everyone()}
        self._began = time.monotonic()
        self._busy: set[str] | None = None
        """Nodes whose users are to finish, and have not."""
        self._all_finished = Event()
        self._strangers: set[str] = set()
        self._told: set[str] = set()
        self._is_over = False
        self._turns: Greenlet[..., Any] = runner.greenlet.spawn(self._take_turns)

    def request(self, node: str, name: str, request: _feeders.Request) -> None:
        """A worker wants rows, or has none left to do with."""
        owner = self._owner(name)
        if owner is None:
            _, life, number = name, request[0], request[1]
            reason = "the master's locustfile has no feeder of this name"
            self._send(name, None, [(node, life, number, "broken", reason)])
            return
        owner.bring(request[4])  # What gives rows may wait, and the worker be gone by then.
        hear = owner.ledger.request if self._is_there(node) else owner.ledger.request_of_lost
        self._answer(owner, hear(node, request))

    def note_used(self, node: str, name: str, life: int, used: int) -> None:
        """A worker tells how far it is."""
        owner = self._owner(name)
        if owner is not None:
            self._answer(owner, owner.ledger.note_used(node, life, used))

    def give_up(self, node: str, name: str, reason: str) -> None:
        """A worker found that what it was sent cannot be read."""
        if name in self.owners and self._is_there(node) and not self._is_over:
            self._fail(f"{self.owners[name].title}: {reason}")

    def lose(self, node: str) -> None:
        """Nobody waits for this worker any more."""
        for owner in self.owners.values():
            self._answer(owner, owner.ledger.lose(node))
        self.has_finished(node)

    def _is_there(self, node: str) -> bool:
        """By the engine's word: events of workers come in another queue than their requests."""
        said = self.runner.server.engine.node(node)
        return said is not None and said[0] != STATE_MISSING

    def _owner(self, name: str) -> Owner | None:
        if name not in self.owners and name in self._known and not self._is_over:
            self.owners[name] = Owner.of(self._known[name], self.runner.environment.seed)
        return self.owners.get(name)

    def _answer(self, owner: Owner, answers: Outgoing) -> None:
        answers = list(answers)
        self._send(owner.name, owner.ledger.columns, answers)
        if self._is_over:
            return
        kinds = {kind for _, _, _, kind, _ in answers}
        if owner.feeder is None and owner.ledger.is_spent:
            self.runner._finish("--iterations limit reached")
        elif owner.feeder is not None and owner.feeder.when_empty == "stop" and "end" in kinds:
            self.runner._finish(f"{owner.title}: all rows were handed out")
        for reason in (payload for _, _, _, kind, payload in answers if kind == "broken"):
            self._fail(f"{owner.title}: {reason}")

    def _fail(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            logger.error("%s", sentence)
            log.unhandled_greenlet_exception = True  # It is part of the exit code.
            self.runner._finish(sentence)

    def _send(self, name: str, columns: list[str] | None, answers: Outgoing) -> None:
        for node, life, number, kind, payload in answers:
            answer = {"feeder": name, "life": life, "number": number, "kind": kind, "rows": payload, "columns": columns}
            self.runner.server.send("gregaria:rows", answer, [node])

    def _take_turns(self) -> None:
        while True:
            gevent.sleep(_TURN)
            for owner in list(self.owners.values()):
                self.runner.server.send("gregaria:spare", {"feeder": owner.name}, owner.ledger.spares())
            if self._busy:
                self.runner.server.send("gregaria:finish", None, sorted(self._busy))
            if self._limit:
                self._name_strangers()

    def _name_strangers(self) -> None:
        if time.monotonic() - self._began < _STRANGERS_ARE_KNOWN:
            return
        for node in list(self.runner.clients.values()):
            if node.user_count and node.id not in self._strangers and not cast("Any", node).is_ours:
                self._strangers.add(node.id)
                logger.warning(
                    "--iterations: worker %s is Locust's own, which counts none: its users run without a limit", node.id
                )

    def finish(self) -> None:
        """Have our workers' users finish, and wait for that."""
        clients = self.runner.clients
        self._busy = {node.id for node in clients.values() if cast("Any", node).is_ours and node not in clients.missing}
        self._all_finished.clear()
        if self._busy:
            self.runner.server.send("gregaria:finish", None, sorted(self._busy))
            self._all_finished.wait()

    def has_finished(self, node: str) -> None:
        """This one's have; or it is not waited for any more."""
        if self._busy is not None:
            self._busy.discard(node)
            if not self._busy:
                self._all_finished.set()

    def end(self) -> None:
        """Say how it went."""
        if self._is_over:
            return
        patience = time.monotonic() + _PATIENCE
        while self._awaits_word() and time.monotonic() < patience:
            gevent.sleep(0.01)
        self._is_over = True
        self._turns.kill(block=False)
        for owner in self.owners.values():
            if owner.feeder is not None:
                logger.info("%s: %s handed out", owner.title, _feeders.rows(owner.ledger.used))
        self._tell_doubts()

    def _awaits_word(self) -> bool:
        """Also of workers that have left: what they give back may come after their farewell."""
        return any(owner.ledger.in_doubt() for owner in self.owners.values())

    def _tell_doubts(self) -> None:
        doubts = [(owner, worker, rows) for owner in self.owners.values() for worker, rows in owner.ledger.in_doubt()]
        for owner, worker, rows in doubts:
            if owner.feeder is None:
                what = f"{len(rows):,} in doubt: worker {worker} was lost before it told whether they began"
            else:
                what = f"{_feeders.rows(len(rows))} in doubt: worker {worker} was lost before it told whether it used "
                what += _named(rows)
            logger.warning("%s: %s", owner.title, what)
        if prefix := getattr(self.runner.environment.parsed_options, "csv_prefix", None):
            self._write(f"{prefix}_in_doubt.csv", doubts)

    def _write(self, path: str, doubts: list[tuple[Owner, str, list[tuple[int, int]]]]) -> None:
        try:
            with open(path, "w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["Feeder", "Pass", "Row", "Worker"])
                for owner, worker, rows in doubts:
                    writer.writerows((owner.name, number_of_pass, row, worker) for row, number_of_pass in rows)
        except OSError as error:
            logger.error("cannot write `%s`: %s", path, error)


def _named(rows: list[tuple[int, int]]) -> str:
    """`rows 7-9, 12`: by their numbers in the data, from 1 on."""
    parts = []
    for number_of_pass, these in groupby(sorted(rows, key=lambda row: (row[1], row[0])), key=lambda row: row[1]):
        ranges = _shortened(list(_ranges([number for number, _ in these])))
        parts.append(ranges if number_of_pass == 1 else f"{ranges} of pass {number_of_pass}")
    return f"row{'s' if len(rows) > 1 else ''} {'; '.join(parts)}"


def _shortened(ranges: list[str]) -> str:
    more = len(ranges) - _MOST_RANGES
    return ", ".join(ranges[:_MOST_RANGES]) + (
        f" and others (--csv has a file of them, {more} ranges more)" if more > 0 else ""
    )


def _ranges(numbers: list[int]) -> Iterator[str]:
    for _, each in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in each]
        yield f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}"
