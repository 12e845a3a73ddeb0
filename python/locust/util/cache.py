"""Remember a function's answer for a while."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Memoized(Generic[_P, _R]):
    def __init__(self, function: Callable[_P, _R], timeout: float, dynamic_timeout: bool) -> None:
        self._function = function
        self._timeout = timeout
        self._dynamic_timeout = dynamic_timeout
        self._answers: list[_R] = []
        self._expires = 0.0
        functools.update_wrapper(self, function)

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        now = time.monotonic()
        if self._answers and now < self._expires:
            return self._answers[0]
        answer = self._function(*args, **kwargs)
        # An answer that took long to find is kept for longer, so that finding it cannot fill the whole time.
        took = time.monotonic() - now
        self._expires = now + (max(self._timeout, took * 2) if self._dynamic_timeout else self._timeout)
        self._answers = [answer]
        return answer

    def clear_cache(self) -> None:
        self._answers = []


def memoize(timeout: float, dynamic_timeout: bool = False) -> Callable[[Callable[_P, _R]], _Memoized[_P, _R]]:
    """Call the decorated function at most once in `timeout` seconds, whatever its arguments."""
    return lambda function: _Memoized(function, timeout, dynamic_timeout)
