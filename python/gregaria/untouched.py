"""Whether a task set may run on the engine.

The engine's task loop does what `TaskSet`'s own methods do. A locustfile may override or patch any of them; then the
loop has to be the Python one, which calls them. The question is asked once per entry into a task set, so its answer is
kept per class, and forgotten when somebody assigns to a method on any task set class (the metaclass tells). The loops
that run then ask again.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from . import _engine

PARTS: Final = frozenset(
    {
        "get_next_task",
        "schedule_task",
        "execute_next_task",
        "execute_task",
        "wait",
        "_sleep",
    }
)
"""The methods that take part in the loop."""

STEPS: Final = PARTS | {"wait_time"}
"""With what the engine's loop calls if it is overridden, and does itself if not."""

_known: dict[int, Any] = {}
_watched: set[type] = set()
"""The metaclasses that tell."""

_answers: WeakKeyDictionary[type, bool] = WeakKeyDictionary()

C = TypeVar("C", bound=type)


def known(task_set_class: C) -> C:
    """Mark a class of ours: the engine does what its methods do, or calls them."""
    _watched.add(type(task_set_class))
    for name, method in vars(task_set_class).items():
        if name in PARTS:
            _known[id(method)] = method
    return task_set_class


def forget(name: str) -> None:
    """An attribute was set or deleted on a task set class."""
    if name in STEPS:
        _answers.clear()
        _engine.task_set_patched()


def is_untouched(task_set: object) -> bool:
    """Whether every part of this task set's loop is ours, on its class and on the instance itself."""
    cls = type(task_set)
    answer = _answers.get(cls)
    if answer is None:
        answer = all(id(getattr(cls, name)) in _known for name in PARTS)
        # Of a mixin that is no task set nobody would tell.
        if all(type(base) in _watched for base in cls.__mro__[:-1]):
            _answers[cls] = answer
    return answer and PARTS.isdisjoint(vars(task_set))
