"""What probes of runners, events and shapes share: users that do little, waiting, and what was logged."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import gevent

import locust

PATIENCE = 8
"""Seconds."""


def until(condition: Callable[[], Any]) -> None:
    """Return when it holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("what was waited for did not come")
        gevent.sleep(0.005)


def user_class(name: str = "Idler", **attributes: Any) -> Any:
    """A class of users that wait, unless their attributes say else."""

    def idle(user: Any) -> None: ...

    given = {"tasks": [idle], "wait_time": locust.constant(60), **attributes}
    return type(name, (locust.User,), given)


def local(*classes: Any, **arguments: Any) -> Any:
    """A new environment with a local runner."""
    locust.log.unhandled_greenlet_exception = False
    environment = locust.env.Environment(user_classes=list(classes) or [user_class()], **arguments)
    environment.create_local_runner()
    return environment


def started(env: Any, users: int = 2, rate: float = 100) -> None:
    """Start a test, and return when all users are there."""
    env.runner.start(users, rate)
    until(lambda: env.runner.state == "running")


def ticking(*ticks: Any) -> Any:
    """A shape that gives these ticks, one after the other, the last one for ever."""

    class Ticks(locust.LoadTestShape):
        asked = 0

        def tick(self) -> Any:
            self.asked += 1
            return ticks[min(self.asked, len(ticks)) - 1]

    return Ticks()


@contextmanager
def ended(environment: Any) -> Iterator[Any]:
    """The environment's runner, quit at the end of the block."""
    try:
        yield environment.runner
    finally:
        environment.runner.quit()


class _Lines(logging.Handler):
    def __init__(self, of: str) -> None:
        super().__init__()
        self.of = of
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(self.of):
            self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


@contextmanager
def logged(of: str = "", level: int = logging.INFO) -> Iterator[list[str]]:
    """What is logged in the block by loggers whose names begin so. It is not compared of itself: say it."""
    root = logging.getLogger()
    handler, before = _Lines(of), root.level
    root.setLevel(level)
    try:
        with mock.patch.object(root, "handlers", [handler]):
            yield handler.lines
    finally:
        root.setLevel(before)


def unhandled() -> bool:
    """Whether a listener or a greenlet has failed since the last `local()`, for which the exit code would be 2."""
    return locust.log.unhandled_greenlet_exception


def hurry(patch: Any) -> None:
    """Let a second pass in a twentieth, for what sleeps with `gevent.sleep`."""
    sleep = gevent.sleep
    patch(gevent, "sleep", lambda seconds=0, ref=True: sleep(seconds / 20, ref))
