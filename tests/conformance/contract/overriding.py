"""Overrides each step of the task loop with one that only passes on, so that the loop is Python's and not the engine's."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from locust import SequentialTaskSet, TaskSet
from locust.user.markov_taskset import MarkovTaskSet
from locust.user.task import DefaultTaskSet

STEPS = ("get_next_task", "schedule_task", "execute_next_task", "execute_task", "wait", "_sleep")


@contextmanager
def overriding() -> Iterator[None]:
    with ExitStack() as stack:
        for owner in (TaskSet, DefaultTaskSet, SequentialTaskSet, MarkovTaskSet):
            for name in STEPS:
                if own := vars(owner).get(name):
                    stack.enter_context(mock.patch.object(owner, name, passing_on(own)))
        yield


def passing_on(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def pass_on(*args: Any, **kwargs: Any) -> Any:
        return method(*args, **kwargs)

    return pass_on
