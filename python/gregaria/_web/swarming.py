"""Start a test from the page, change the one that runs, and stop it."""

from __future__ import annotations

import logging
import math
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import gevent

from gregaria import _following
from locust.log import greenlet_exception_logger
from locust.runners import STATE_RUNNING
from locust.util.timespan import parse_timespan

from . import arguments
from .asked import Answer, Asked, Form, as_json

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.runners import Runner

logger = logging.getLogger("locust.web")
_log_failure = greenlet_exception_logger(logger)

_RUN_TIMES = "Valid run_time formats are : 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc."
_INCOMPLETE = "Missing or invalid user_count or spawn_rate from /swarm request"
_NO_CLASSES = "UserClass picker is active but there are no available UserClasses"


class Refused(Exception):
    """What is wrong with a request, in a sentence for the page."""


class Swarming:
    """The tests of one page: one may be about to start, and one may have a time to end at."""

    def __init__(self, environment: Environment, is_picking: Callable[[], bool]) -> None:
        self.environment = environment
        self.is_picking = is_picking
        self._starting: gevent.Greenlet[..., Any] | None = None
        self._ending: gevent.Greenlet[..., Any] | None = None

    def swarm(self, asked: Asked) -> Answer:
        """`POST /swarm`. Every answer has status 200; `success` says whether a test was started or changed."""
        try:
            said = self._swarm(asked.form)
        except Refused as refused:
            said = {"success": False, "message": str(refused)}
        _following.tell(self.environment)
        return as_json({**said, "host": self.environment.host})

    def stop(self, asked: Asked) -> Answer:
        """`POST /stop`: it answers when the users have ended."""
        self._call_off()
        if self.environment.runner is not None:
            self.environment.runner.stop()
        return as_json({"success": True, "message": "Test stopped"})

    def _swarm(self, form: Form) -> dict[str, Any]:
        environment = self.environment
        chosen = self._pick(form) if self.is_picking() else None
        wish = self._read(form)
        runner = environment.runner
        if environment.shape_class is not None and runner is not None:
            environment.shape_class.runner = runner
            runner.start_shape()
            shape = type(environment.shape_class).__name__
            return {"success": True, "message": f"Swarming started using shape class '{shape}'"}
        self._call_off()
        if runner is None:
            raise Refused("No runner")
        self._start(runner, wish)
        said = {"success": True, "message": "Swarming started"}
        return (
            said
            | ({"run_time": wish.run_time} if wish.run_time else {})
            | ({"user_classes": chosen} if chosen is not None else {})
        )

    def _start(self, runner: Runner, wish: _Wish) -> None:
        users, rate = wish.user_count, wish.spawn_rate
        if users is None or rate is None or users < 0 or rate <= 0 or not math.isfinite(rate):
            raise _logged(_INCOMPLETE)
        # Not here: a runner may take its time, and the answer does not.
        self._starting = gevent.spawn(runner.start, users, rate)
        self._starting.link_exception(_log_failure)
        if wish.run_time:
            runner._ends = time.time() + wish.run_time
            self._ending = gevent.spawn_later(wish.run_time, self._end, runner)
            self._ending.link_exception(_log_failure)

    def _end(self, runner: Runner) -> None:
        runner._ends = None
        runner.stop()

    def _call_off(self) -> None:
        """End what an earlier request has left waiting."""
        for waiting in (self._starting, self._ending):
            # Who ends a test because its time is over may come by here himself, through a listener.
            if waiting is not None and waiting is not gevent.getcurrent():
                waiting.kill(block=False)
        self._starting = self._ending = None
        if self.environment.runner is not None:
            self.environment.runner._ends = None

    def _pick(self, form: Form) -> list[str]:
        """Make the classes and the shape active that were chosen; the names of the classes."""
        environment = self.environment
        available = environment.available_user_classes
        if not available:
            raise Refused(_NO_CLASSES)
        if named := form.get("user_classes"):
            chosen = [available[name] for name in named if name in available]
        elif environment.runner is not None and environment.runner.state == STATE_RUNNING:
            chosen = environment.user_classes
        else:
            chosen = list(available.values())
        environment.user_classes = [*chosen]
        running = [each for each in chosen if each.weight > 0 or each.fixed_count > 0]
        if chosen and not running:
            raise ValueError("There are no users with weight > 0.")
        environment.user_classes = running
        self._pick_shape(form.get("shape_class", ["Default"])[0])
        return sorted(each.__name__ for each in chosen)

    def _pick_shape(self, name: str) -> None:
        environment = self.environment
        shapes = environment.available_shape_classes or {}
        environment.shape_class = None if name in ("", "Default") else shapes[name]

    def _read(self, form: Form) -> _Wish:
        """Field after field, as they came: what was read before a mistake stays set."""
        wish = _Wish(self.environment.parsed_options)
        for name, values in form.items():
            match name:
                case "user_count":
                    wish.user_count = wish.keep("num_users", _whole(values[0]))
                case "spawn_rate":
                    wish.spawn_rate = wish.keep("spawn_rate", _rate(values[0]))
                case "host":
                    # What it is shown in is not always escaped, in programs that read our answers.
                    self.environment.host = wish.keep("host", values[0].translate(_NO_ANGLES))
                case "user_classes":
                    wish.keep("user_classes", list(values))
                case "run_time":
                    if values[0]:
                        wish.run_time = wish.keep("run_time", _seconds(values[0]))
                case "profile":
                    self.environment.profile = wish.keep("profile", values[0] or None)
                case _:
                    wish.take(name, values)
        return wish


_NO_ANGLES = str.maketrans("", "", "<>")


class _Wish:
    """What a form asks for, and the options that follow it."""

    def __init__(self, options: Namespace | None) -> None:
        self.options: dict[str, Any] = {} if options is None else vars(options)
        self.user_count: int | None = None
        self.spawn_rate: float | None = None
        self.run_time: int | None = None

    def keep(self, option: str, value: Any) -> Any:
        if option in self.options:
            self.options[option] = value
        return value

    def take(self, option: str, values: Sequence[str]) -> None:
        """Set any other option there is. Raises `ValueError` for what is no value of its type."""
        if option not in self.options:
            return
        try:
            self.options[option] = _like(self.options[option], values)
        except ValueError:
            if arguments.is_secret(option):
                raise ValueError(f"what was given for `{option}` is no {type(self.options[option]).__name__}") from None
            raise


def _like(current: Any, values: Sequence[str]) -> Any:
    """What was posted, of the type that the option has now."""
    match current:
        case bool():
            return values[0] == "true"
        case None:
            return values[0]
        case list():
            posted = values[0].split(",") if "," in values[0] else list(values)
            is_numbers = bool(current) and all(isinstance(each, int) for each in current)
            return [int(each) for each in posted] if is_numbers else posted
        case _:
            return type(current)(values[0])


def _whole(words: str) -> int:
    try:
        return int(words)
    except ValueError:
        raise _logged(f"Invalid user_count value: '{words}' (must be an integer)") from None


def _rate(words: str) -> float:
    try:
        return float(words)
    except ValueError:
        raise _logged(f"Invalid spawn_rate value: '{words}' (must be a number)") from None


def _seconds(words: str) -> int:
    try:
        return parse_timespan(words)
    except ValueError:
        raise _logged(_RUN_TIMES) from None


def _logged(message: str) -> Refused:
    logger.error("%s", message)
    return Refused(message)
