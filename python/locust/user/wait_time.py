"""How long a user waits between two tasks.

Each factory gives a function of the user (or task set) that waits, so its result can be a class attribute:
`wait_time = between(1, 5)`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    WaitTime: TypeAlias = Callable[[Any], float]


def between(min_wait: float, max_wait: float) -> WaitTime:
    """A random time between `min_wait` and `max_wait` seconds."""
    return lambda waiting: min_wait + random.random() * (max_wait - min_wait)


def constant(wait_time: float) -> WaitTime:
    """Always `wait_time` seconds."""
    return lambda waiting: wait_time


def constant_pacing(wait_time: float) -> WaitTime:
    """What is left of `wait_time` seconds after the task, so that tasks start at most once in that time.

    The pace is kept by whatever the function is bound to: on a user class, by the user and all its task sets.
    """

    def remaining(waiting: Any) -> float:
        now = perf_counter()
        task_took = now - waiting._cp_last_run - waiting._cp_last_wait_time
        waiting._cp_last_wait_time = max(0, wait_time - task_took)
        waiting._cp_last_run = now
        return waiting._cp_last_wait_time  # type: ignore[no-any-return]

    return remaining


def constant_throughput(task_runs_per_second: float) -> WaitTime:
    """At most this many task runs per second and user: `constant_pacing`, said the other way round."""
    if task_runs_per_second <= 0:
        raise ValueError(f"constant_throughput needs a rate above 0, not {task_runs_per_second}")
    return constant_pacing(1 / task_runs_per_second)


def poisson(rate: float) -> WaitTime:
    """Exponentially distributed waits, `rate` of them per second on average."""
    if rate <= 0:
        raise ValueError(f"poisson needs a rate above 0, not {rate}")
    return lambda waiting: random.expovariate(rate)
