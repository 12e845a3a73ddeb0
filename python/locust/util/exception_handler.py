"""Try again what may fail for a moment."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

logger = logging.getLogger(__name__)


def retry(
    delays: Sequence[float] = (1, 3, 5), exception: type[Exception] | tuple[type[Exception], ...] = Exception
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Call the decorated function again after each of `delays` (seconds) while it raises `exception`."""

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @functools.wraps(function)
        def persistent(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            for delay in delays:
                try:
                    return function(*args, **kwargs)
                except exception as error:
                    logger.info("%s failed (%r), trying again in %s s", function.__qualname__, error, delay)
                    time.sleep(delay)
            return function(*args, **kwargs)

        return persistent

    return decorate
