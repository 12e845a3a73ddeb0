"""Tasks in the order in which they are written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import TYPE_CHECKING, Any

from gregaria import untouched

from ..exception import LocustError
from .task import TaskSet, TaskSetMeta, _repeat

if TYPE_CHECKING:
    from .task import Task


class SequentialTaskSetMeta(TaskSetMeta):
    """Collects tasks in the order of the class body, with `tasks` expanded where it stands."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> SequentialTaskSetMeta:
        ordered: list[Task] = []
        for base in bases:
            ordered += getattr(base, "tasks", None) or []
        for member_name, member in body.items():
            if member_name == "tasks":
                ordered += _expanded(member)
            elif "locust_task_weight" in dir(member):
                ordered += _repeat(member, member.locust_task_weight)
        # Past `TaskSetMeta`, which would collect them a second time in an order of its own.
        return type.__new__(mcs, name, bases, {**body, "tasks": ordered})


def _expanded(tasks: object) -> list[Task]:
    if isinstance(tasks, list):
        return tasks
    if isinstance(tasks, dict):
        return [each for task, times in tasks.items() for each in _repeat(task, times)]
    raise ValueError("The 'tasks' attribute can only be set to list or dict")


@untouched.known
class SequentialTaskSet(TaskSet, metaclass=SequentialTaskSetMeta):
    """A task set whose tasks run one after the other, and then from the beginning again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._task_cycle: Iterator[Task] = cycle(self.tasks)

    def get_next_task(self) -> Task:
        """The task after the one before."""
        if not self.tasks:
            raise LocustError(
                "No tasks defined. Use the @task decorator or set the 'tasks' attribute of the SequentialTaskSet"
            )
        return next(self._task_cycle)
