"""Asks a module of `locust.contrib` what it does: an answer a question.

An answer is what the user's method gave back, and every event it fired. Of times it has the type, and whether they can be
true; all else has to be equal on Locust and here.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OPENAI_API_KEY", "none")

import gevent

from locust.env import Environment

fired: list[Any] = []
times: list[float] = []
"""Every response time, as it was."""
answers: dict[str, Any] = {}


VARYING = r"(&t=|0x|Description id: |127\.0\.0\.1:|locust-(?!kY9))[0-9a-zA-Z.]+"
"""What is another at every run: times, addresses, ports, and numbers that are made up."""


def listener(whose: str) -> Callable[..., None]:
    def listen(**arguments: Any) -> None:
        times.append(arguments["response_time"])
        fired.append([whose, {name: shown(name, value) for name, value in sorted(arguments.items())}])

    return listen


def shown(name: str, value: Any) -> Any:
    """A value as both sides can have it: of times, whether they may be true; of objects, what they are and say."""
    match value:
        case int() | float() if name in ("response_time", "start_time"):
            return f"{type(value).__name__} {plausible(name, value)}"
        case dict():
            return {str(key): shown(str(key), item) for key, item in sorted(value.items())}
        case list() | tuple():
            return [shown("", item) for item in value]
        case BaseException():
            return f"{type(value).__module__}.{type(value).__name__}: {shown('', str(value))}"
        case str():
            return re.sub(VARYING, r"\1...", value)
        case None | bool() | int() | float():
            return value
        case _:
            return f"<{type(value).__name__}>"


def plausible(name: str, value: float) -> str:
    """A measured time is different each time; what is given as an int may be one that was cut off."""
    if name == "start_time":
        clocks = {"epoch": time.time(), "since start": time.perf_counter()}
        return next((clock for clock, now in clocks.items() if now - 60 < value <= now), "of no clock")
    return "of milliseconds" if 0 <= value < 60_000 else "of no time"


def ask(question: str, code: Callable[[], Any]) -> None:
    """Note what `code` gives or raises, and what it fires."""
    fired.clear()
    try:
        outcome = shown("", code())
    except BaseException as error:
        outcome = "raised " + shown("", error)
    assert question not in answers
    answers[question] = {"outcome": outcome, "fired": list(fired)}


def eventually(check: Callable[[], Any], deadline: float = 10) -> Any:
    """What `check` gives, as soon as it is true; others run meanwhile."""
    end = time.monotonic() + deadline
    while not (result := check()) and time.monotonic() < end:
        gevent.sleep(0.01)
    return result


def attributes(made: object) -> list[str]:
    """The names that an object has of its own."""
    return sorted(name for name in vars(made) if not name.startswith("_"))


def own(kind: type) -> dict[str, Any]:
    """What a class defines for all to see, but for methods."""
    return {
        name: shown("", value)
        for name, value in vars(kind).items()
        if not name.startswith("_") and not callable(value) and not isinstance(value, staticmethod)
    }


def until_fired(number: int) -> None:
    eventually(lambda: len(fired) >= number, 5)


def environment() -> Environment:
    made = Environment()
    made.events.request.add_listener(listener("environment"))
    return made


def typed(result: dict[str, Any]) -> dict[str, Any]:
    """What a client's method gave, its results told by their type and number."""
    return {
        key: f"{type(value).__name__} of {len(value)}" if isinstance(value, (list, tuple, dict)) else shown(key, value)
        for key, value in result.items()
    }
