"""The feeders of this process: which there are, and from where each gets its rows while a test runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from weakref import WeakValueDictionary

from gevent.lock import RLock

from . import _engine

if TYPE_CHECKING:
    from locust.runners import Runner

    from ._rows import Numbered
    from .feeder import Feeder

_BLOCK = 256
"""Rows that are read of a file at once: little work, so that users hardly wait for it."""

Request: TypeAlias = tuple[int, int, int, int, int, bool]
"""Of a worker, as the engine has it: life, number, rows kept, used and wanted, and whether users wait."""

_all: WeakValueDictionary[str, Feeder[Any]] = WeakValueDictionary()
_tests: list[Runner] = []
"""Whose tests run, here."""

logger = logging.getLogger("gregaria.feeders")


class Misshapen(Exception):
    """A message is not what its kind would be."""


class Giver(Protocol):
    """From where a feeder gets rows."""

    def more(self) -> bool:
        """Wait until the feeder has rows at hand; false where it will get none."""

    def ask(self) -> None:
        """Have more rows come, without waiting for them."""


def register(feeder: Feeder[Any], name: str | None, otherwise: str) -> str:
    """Note a feeder; what it is called. Raises `ValueError` where another one has that name."""
    if name is not None and name in _all:
        raise ValueError(f"there are two feeders with the name {name!r}")
    number = 1
    unique = name = name or otherwise
    while unique in _all:
        number += 1
        unique = f"{name} ({number})"
    _all[unique] = feeder
    return unique


def tests() -> list[Runner]:
    """Whose tests run here."""
    return _tests


def everyone() -> list[Feeder[Any]]:
    """All feeders, in the order of their names."""
    return [feeder for _, feeder in sorted(_all.items())]


def mistake(runner: Runner) -> str | None:
    """What is wrong with the data of a feeder, which would be seen only when the first row is asked for."""
    if _kind(runner) == "worker":
        return None
    found = ((feeder, feeder.rows.check()) for feeder in everyone())
    return next((f"Feeder `{feeder.name}`: {reason}" for feeder, reason in found if reason), None)


def begin_test(runner: Runner) -> None:
    """A test begins: its data, too, begin again."""
    kind = _kind(runner)
    if kind != "local":
        _of_fleet(kind).begin_test(runner)
    elif not _tests:  # Data that two tests share begin with the first.
        for feeder in everyone():
            feeder._begin(False)
            feeder._giver = Here(feeder, runner.environment.seed)
    if runner not in _tests and kind != "master":
        _tests.append(runner)


def stop_test(runner: Runner) -> None:
    """A test is about to stop: who waits for a row gets none."""
    if _kind(runner) == "worker":
        _of_fleet("worker").stop_test(runner)


def end_test(runner: Runner) -> None:
    """All users have ended."""
    kind = _kind(runner)
    if kind != "local":
        _of_fleet(kind).end_test(runner)
    elif runner in _tests:
        for feeder in everyone():
            if isinstance(feeder._giver, Here):
                feeder._giver.tell()
    if runner in _tests:
        _tests.remove(runner)


def ran_out(feeder: Feeder[Any], sentence: str) -> bool:
    """A user found a feeder empty with which the run ends; false where no test runs."""
    for runner in list(_tests):
        if _kind(runner) == "local":
            runner._finish(sentence)
    return bool(_tests)


def failed(feeder: Feeder[Any], reason: str) -> bool:
    """Data cannot be read: the run ends. False where no test runs."""
    sentence = f"Feeder `{feeder.name}`: {reason}"
    for runner in list(_tests):
        if feeder._giver is not None and not getattr(feeder._giver, "is_told", False):
            feeder._giver.is_told = True  # type: ignore[attr-defined]
            logger.error("%s", sentence)
            from locust import log

            log.unhandled_greenlet_exception = True  # It is part of the exit code.
        if _kind(runner) == "local":
            runner._finish(sentence)
        else:
            _of_fleet("worker").failed(runner, feeder, reason)
    return bool(_tests)


def hear(runner: Runner, node_id: str, type: str, data: Any) -> None:
    """A message of a feeder's arrived."""
    kind = _kind(runner)
    if kind != "local":
        _of_fleet(kind).hear(runner, node_id, type, data)


def iterations_left(runner: Runner) -> int | None:
    """How many tasks may still begin, in a fleet as far as workers have told; `None` without a limit."""
    if _kind(runner) == "master":
        left: int | None = _of_fleet("master").iterations_left(runner)
        return left
    return _engine.iterations_left()


def lost(runner: Runner, node_id: str) -> None:
    """A worker of this master is gone."""
    _of_fleet("master").lost(runner, node_id)


def found(runner: Runner, node_id: str) -> None:
    """It is back."""
    _of_fleet("master").found(runner, node_id)


def finish(runner: Runner) -> None:
    """Have all workers' users end with what they are doing; return when they have."""
    _of_fleet("master").finish(runner)


def _kind(runner: Runner) -> str:
    from locust.runners import MasterRunner, WorkerRunner

    return "master" if isinstance(runner, MasterRunner) else "worker" if isinstance(runner, WorkerRunner) else "local"


def _of_fleet(kind: str) -> Any:
    from ._cluster import feeders_of_master, feeders_of_worker

    return feeders_of_master if kind == "master" else feeders_of_worker


class Here:
    """Rows that are read in this process."""

    def __init__(self, feeder: Feeder[Any], seed: int | None) -> None:
        self._feeder = feeder
        self._seed = seed
        self._fill: Callable[[], bool] | None = None
        self._count: Callable[[], int] = lambda: 0
        self._reading = RLock()
        self._broken: str | None = None
        self.is_told = False

    def more(self) -> bool:
        """Read some rows. Raises `OSError` where that is impossible."""
        if self._fill is None:
            opened = self._open()
            self._fill = self._fill or opened  # A destructor may have taken a row meanwhile.
        return self._fill()

    def ask(self) -> None:
        """Nothing: more are read when they are needed."""

    def tell(self) -> None:
        """Say how many rows were handed out."""
        count = self._count()
        if count:
            logger.info("Feeder `%s`: %s handed out", self._feeder.name, rows(count))

    def _open(self) -> Callable[[], bool]:
        feeder = self._feeder
        if not feeder.rows.is_read_by_engine:
            return self._through(feeder.rows.numbered(feeder.name, self._seed), feeder.rows.is_there_at_once())
        ledger = feeder.rows.ledger(feeder.name, self._seed)
        feeder._shape(ledger.columns)
        self._count = lambda: ledger.used - feeder._at_hand()
        return lambda: ledger.fill(feeder, _BLOCK) > 0

    def _through(self, numbered: Numbered, at_once: bool) -> Callable[[], bool]:
        feeder = self._feeder
        self._count = lambda: feeder._progress[1]

        def fill() -> bool:
            # What gives rows may wait, for a database, and other users come meanwhile.
            with self._reading:
                if self._broken is None and not feeder._at_hand():
                    self._bring(numbered, _BLOCK if at_once else 1)
            if self._broken is not None and not feeder._at_hand():
                raise OSError(self._broken)
            return feeder._at_hand() > 0

        return fill

    def _bring(self, numbered: Numbered, count: int) -> None:
        try:
            for row in islice(numbered, count):
                self._feeder._put(*row)
        except Exception as error:  # whatever the locustfile's own code raises
            self._broken = f"{error or type(error).__name__}"
        except BaseException as error:
            # A user was stopped while it waited for a row. That ends generators, and is not the end of the data.
            self._broken = f"{type(error).__name__} ended what gives its rows, while a user waited for one"
            raise


def rows(count: int) -> str:
    """So many rows, in words."""
    return "1 row" if count == 1 else f"{count:,} rows"
