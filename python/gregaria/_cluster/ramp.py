"""One ramp of a fleet: from the first message that workers get to the word that all users are there."""

from __future__ import annotations

import json
import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import gevent

from gregaria import _engine
from gregaria._secrets import is_named_like_one
from locust import runners

if TYPE_CHECKING:
    from locust.dispatch import UsersDispatcher
    from locust.runners import MasterRunner

_Assignment = dict[str, dict[str, int]]

_ENVIRONMENT = "LOCUST_WAIT_FOR_WORKERS_REPORT_AFTER_RAMP_UP"

_OURS = frozenset(_engine.our_options())
"""Options that Locust does not have. A worker of its would take them for arguments of the locustfile."""

logger = logging.getLogger("locust.runners")


class _Superseded(BaseException):
    """Ends the wait of a ramp in whose place another one has come, or a stop."""


class Ramp:
    """A ramp that is under way. There is one at a time: the next one, and a stop, end it where it waits."""

    def __init__(self, runner: MasterRunner, dispatcher: UsersDispatcher, begin_step: Callable[[], None]) -> None:
        self._runner = runner
        self._dispatcher = dispatcher
        self._begin_step = begin_step
        self._is_over = False
        self._parked: Any = None

    def go(self) -> None:
        """Send each step, wait for the workers' word, and say that all users are there."""
        try:
            self._go()
        finally:
            self._is_over = True  # Whoever is killed meanwhile, as the page kills the start that it takes back, too.

    def _go(self) -> None:
        dispatched: _Assignment = {}
        for dispatched in self._steps():
            self._send(dispatched)
        if self._is_over:
            return
        runner = self._runner
        runner.target_user_classes_count = wanted = _summed_up(dispatched)
        is_complete = self._have_all_reported()
        if self._is_over:
            return
        total = sum(wanted.values())
        runner.environment.events.spawning_complete.fire(user_count=total)
        if self._is_over:
            return  # A listener has stopped the test, or begun another ramp.
        runner.send_message("spawning_complete", data={"user_count": total})
        runner.spawning_completed = True
        prefix = (
            "All users spawned"
            if is_complete
            else "Spawning is complete and report waittime is expired, but not all reports received from workers"
        )
        logger.info("%s: %s", prefix, _shown(runner.reported_user_classes_count))

    def end(self) -> None:
        """Send nothing more."""
        self._is_over = True
        if self._parked is not None and self._parked is not gevent.getcurrent():
            gevent.get_hub().loop.run_callback(self._wake)

    def _wake(self) -> None:
        if self._parked is not None:
            self._parked.throw(_Superseded)

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self._is_over

    def _steps(self) -> Iterator[_Assignment]:
        while True:
            self._begin_step()
            self._parked = gevent.getcurrent()
            try:
                dispatched = next(self._dispatcher)
            except (StopIteration, _Superseded):
                return
            finally:
                self._parked = None
            if self._is_over:
                return
            yield dispatched

    def _send(self, dispatched: Mapping[str, Mapping[str, int]]) -> None:
        environment = self._runner.environment
        options = environment.parsed_options
        given = {} if options is None else vars(options)
        locusts = {name: each for name, each in given.items() if name not in _OURS}
        # No secret: a worker has what it needs of them, or it would not be heard.
        ours = {name: each for name, each in given.items() if name in _OURS and not is_named_like_one(name)}
        logger.debug(
            "Sending spawn messages for %g total users to %i worker(s)",
            sum(sum(counts.values()) for counts in dispatched.values()),
            len(dispatched),
        )
        self._runner.server.engine.spawn(
            {node: dict(counts) for node, counts in dispatched.items()},
            {"host": environment.host, "stop_timeout": environment.stop_timeout, "parsed_options": locusts},
            {"gregaria": {"options": ours}},
        )
        gevent.sleep(0)  # Others have their turn at least once for each step.

    def _have_all_reported(self) -> bool:
        """Wait until as many users run as are to; `False` where that takes too long."""
        runner = self._runner
        return runner.server.wait_until(
            lambda: self._is_over or runner.user_count == runner.target_user_count, seconds=_patience()
        )


def _patience() -> float:
    """Seconds that workers have to report after a ramp."""
    given = os.environ.get(_ENVIRONMENT)
    if given is None:
        return 1.0
    factor = re.fullmatch(r"(\d+(?:\.\d+)?) *\* *WORKER_REPORT_INTERVAL", given)
    seconds = float(factor[1]) * runners.WORKER_REPORT_INTERVAL if factor else float(given)
    assert seconds >= 0, f"{_ENVIRONMENT} is a number of seconds, at least 0, and not {given!r}"
    return seconds


def _summed_up(dispatched: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counts in dispatched.values():
        total.update(counts)
    return cast("dict[str, int]", dict(total))


def _shown(users: Mapping[str, int]) -> str:
    return f"{json.dumps(dict(users), sort_keys=True)} ({sum(users.values())} total users)"
