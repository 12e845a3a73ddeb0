"""Random numbers that repeat: with a seed every user draws from a generator of its own.

The functions of `random`, by whatever name a locustfile imported them, are methods of one hidden instance. With a seed
that instance hands every draw on to the generator of whoever asks, which is found in a context variable: greenlets and
asyncio's tasks carry one along by themselves, so a switch between users costs nothing. Without a seed this module is
not imported, and `random` is Python's own.
"""

from __future__ import annotations

import random
import secrets
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from gevent import Greenlet

from . import _engine

if TYPE_CHECKING:
    from greenlet import greenlet

_rest: Final = random.Random()
"""Draws for whoever is no user: the locustfile's own lines, listeners of the test's events, threads."""

_drawing: Final[ContextVar[random.Random]] = ContextVar("gregaria_drawing", default=_rest)


class Stream(random.Random):
    """What a user draws from: `random.Random("SEED/Class/NUMBER")`; or a greenlet that it started."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path
        self._branches = 0

    def branch(self) -> Stream:
        """The stream of the next greenlet that is started from this one, so that it does not matter when it runs."""
        self._branches += 1
        return Stream(f"{self.path}/{self._branches}")

    def hand_to(self, greenlet: greenlet | None) -> None:
        """Let the user's greenlet, which was started last and has not run yet, draw from this stream."""
        if greenlet is not None:
            _give(greenlet, self)
            self._branches -= 1  # It had got one, as any greenlet.


class Seeds:
    """The streams of one test: the users of a class are numbered from 1 on, in the order in which they start."""

    def __init__(self, seed: int) -> None:
        _install()
        self.seed = seed
        self.worker: int | None = None
        """Which worker of a fleet this is, by its index: users of different workers draw from different streams."""
        self._started: Counter[str] = Counter()

    def begin_test(self) -> None:
        """Number anew: a test that is started again repeats."""
        self._started.clear()

    @contextmanager
    def next_user(self, user_class: type) -> Iterator[Stream]:
        """Draw from the stream of the next user of this class: it is being created."""
        name = user_class.__name__
        self._started[name] += 1
        place = "" if self.worker is None else f"worker {self.worker}/"
        stream = Stream(f"{self.seed}/{name}/{place}{self._started[name]}")
        before = _drawing.set(stream)
        try:
            yield stream
        finally:
            _drawing.reset(before)


def as_number(seed: str | int | None) -> int | None:
    """What `--seed` says; `None` for what is no seed. `auto` is the same number in a whole process."""
    if seed == "auto":
        return _chosen()
    if isinstance(seed, str):
        return int(seed) if seed.strip().isdecimal() else None
    return seed


@cache
def _chosen() -> int:
    return secrets.randbelow(10**9)


def checked(seed: object) -> int:
    """`seed`, if it is one; raises `ValueError` otherwise."""
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"environment.seed is a whole number from 0 on, or None for no seed, not {seed!r}")
    return seed


def seed_the_rest(seed: int) -> None:
    """What is no user's repeats, too; for before the locustfile is read."""
    _install()
    _rest.seed(seed)


class _Shared(random.Random):
    """The hidden instance's class once there is a seed.

    Its methods written in C are overridden, and the one value that a method written in Python keeps.
    """

    def random(self) -> float:
        return _drawing.get().random()

    def getrandbits(self, k: int, /) -> int:
        return _drawing.get().getrandbits(k)

    def seed(self, *args: Any, **kwargs: Any) -> None:
        _drawing.get().seed(*args, **kwargs)

    def getstate(self) -> tuple[Any, ...]:
        return _drawing.get().getstate()

    def setstate(self, state: tuple[Any, ...]) -> None:
        _drawing.get().setstate(state)

    @property
    def gauss_next(self) -> float | None:
        return _drawing.get().gauss_next  # type: ignore[attr-defined, no-any-return]

    @gauss_next.setter
    def gauss_next(self, value: float | None) -> None:
        _drawing.get().gauss_next = value  # type: ignore[attr-defined]


_BOUND: Final = ("random", "getrandbits", "seed", "getstate", "setstate")
"""The functions of the module that look up nothing on the hidden instance: they have to be replaced themselves."""


def _install() -> None:
    """Have the functions of `random` draw from the generator of whoever calls them; once, and for good."""
    shared: random.Random = random._inst
    if isinstance(shared, _Shared):
        return
    _rest.setstate(shared.getstate())
    own = {name: getattr(shared, name) for name in _BOUND}
    shared.__class__ = _Shared
    for name, function in own.items():
        # What a locustfile put in its place stays.
        if getattr(random, name) == function:
            _replace(getattr(random, name), getattr(shared, name))
    _engine.draw_bits_with(shared.getrandbits)
    Greenlet.add_spawn_callback(_branch)


def _replace(function: object, by: object) -> None:
    """In `random`, and wherever `from random import …` has brought it."""
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None)
        if isinstance(names, dict):
            for name in [name for name, value in list(names.items()) if value is function]:
                names[name] = by


def _branch(greenlet: greenlet) -> None:
    stream = _drawing.get()
    if isinstance(stream, Stream):
        _give(greenlet, stream.branch())


def _give(greenlet: greenlet, stream: Stream) -> None:
    context = greenlet.gr_context or Context()
    context.run(_drawing.set, stream)
    greenlet.gr_context = context
