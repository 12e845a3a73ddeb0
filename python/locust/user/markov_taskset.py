"""Tasks that say which task may follow, and how likely."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from gregaria import untouched

from ..exception import LocustError
from .task import TaskSet, TaskSetMeta

if TYPE_CHECKING:
    from .task import Task

    F = TypeVar("F", bound=Callable[..., Any])


class NoMarkovTasksError(LocustError):
    """A Markov task set without a single transition."""


class InvalidTransitionError(LocustError):
    """A transition to something that the class does not have."""


class NonMarkovTaskTransitionError(LocustError):
    """A transition to something that leads nowhere."""


class MarkovTaskTagError(LocustError):
    """A tag in a Markov task set: leaving a task out would break the chain."""


def transition(func_name: str, weight: int = 1) -> Callable[[F], F]:
    """After this task, `func_name` may follow, with this weight among the alternatives."""
    return transitions({func_name: weight})


def transitions(weights: dict[str, int] | list[str | tuple[str, int]]) -> Callable[[F], F]:
    """After this task, any of these may follow: `{name: weight}`, or a list of names and `(name, weight)` tuples."""
    added = weights if isinstance(weights, dict) else dict(_named_weight(entry) for entry in weights)

    def decorate(function: F) -> F:
        if not hasattr(function, "transitions"):
            function.transitions = {}  # type: ignore[attr-defined]
        function.transitions.update(added)  # type: ignore[attr-defined]
        return function

    return decorate


def _named_weight(entry: str | tuple[str, int]) -> tuple[str, int]:
    return entry if isinstance(entry, tuple) else (entry, 1)


def is_markov_task(task: object) -> bool:
    """Whether `task` is a member of a chain."""
    return "transitions" in dir(task)


def get_markov_tasks(class_dict: dict[str, Any]) -> list[Any]:
    """The members of the chain that a class body declares, in its order."""
    return [member for member in class_dict.values() if is_markov_task(member)]


def to_weighted_list(transitions: dict[str, int]) -> list[str]:
    """Each name as often as its weight says."""
    return [name for name, weight in transitions.items() for _ in range(weight)]


def validate_has_markov_tasks(tasks: list[Any], classname: str) -> None:
    """Raise `NoMarkovTasksError` if there are none."""
    if not tasks:
        raise NoMarkovTasksError(
            f"No Markov tasks defined in class {classname}. Use the @transition(s) decorators to define some."
        )


def validate_transitions(tasks: list[Any], class_dict: dict[str, Any], classname: str) -> None:
    """Raise `InvalidTransitionError` where one leads nowhere, `NonMarkovTaskTransitionError` where to another task."""
    for source in tasks:
        for target in source.transitions:
            if target not in class_dict:
                raise InvalidTransitionError(
                    f"Transition to {target} from {source.__name__} is invalid "
                    f"since no such element exists on class {classname}"
                )
            if not is_markov_task(class_dict[target]):
                raise NonMarkovTaskTransitionError(
                    f"{classname}.{target} cannot be used as a target for a transition "
                    f"since it does not define any transitions of its own.Used as a transition from {source.__name__}."
                )


def validate_no_unreachable_tasks(tasks: list[Any], class_dict: dict[str, Any], classname: str) -> list[Any]:
    """Warn of members that no path from the first one reaches."""
    reached = {tasks[0].__name__}
    pending: list[Iterable[str]] = [to_weighted_list(tasks[0].transitions)]
    while pending:
        for name in pending.pop():
            if name not in reached:
                reached.add(name)
                pending.append(to_weighted_list(class_dict[name].transitions))
    unreachable = {task.__name__ for task in tasks} - reached
    if unreachable:
        logging.warning("The following markov tasks are unreachable in class %s: %s", classname, unreachable)
    return tasks


def validate_task_name(decorated_func: Callable[..., Any]) -> None:
    """Raise an `Exception` for `run`, and warn of `on_start` and `on_stop`."""
    name = decorated_func.__name__
    if name == "run":
        raise Exception(
            "TaskSet.run() is a method used internally by Locust, and you must not override it or annotate it with "
            "transitions"
        )
    if name in ("on_start", "on_stop"):
        logging.warning(
            "You have tagged your on_stop/start function with @transition. "
            "This will make the method get called both as a step AND on stop/start."
        )


def validate_no_tags(task: Any, classname: str) -> None:
    """Raise `MarkovTaskTagError` for a task with tags."""
    if "locust_tag_set" in dir(task):
        raise MarkovTaskTagError(
            "Tags are unsupported for MarkovTaskSet since they can make the markov chain invalid. "
            f"Tags detected on {classname}.{getattr(task, '__name__', task)}: {task.locust_tag_set}"
        )


def validate_markov_chain(tasks: list[Any], class_dict: dict[str, Any], classname: str) -> None:
    """Check a class body; raises for a chain that could not run."""
    validate_has_markov_tasks(tasks, classname)
    validate_transitions(tasks, class_dict, classname)
    validate_no_unreachable_tasks(tasks, class_dict, classname)
    for task in tasks:
        validate_task_name(task)
        validate_no_tags(task, classname)


class MarkovTaskSetMeta(TaskSetMeta):
    """Checks and prepares the chain of a class that is not `abstract` (which is not inherited)."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> MarkovTaskSetMeta:
        prepared = {**body, "tasks": [], "abstract": bool(body.get("abstract"))}
        if not prepared["abstract"]:
            tasks = get_markov_tasks(body)
            validate_markov_chain(tasks, body, name)
            prepared["current"] = tasks[0]
            for task in tasks:
                task.transitions = to_weighted_list(task.transitions)
        return type.__new__(mcs, name, bases, prepared)


@untouched.known
class MarkovTaskSet(TaskSet, metaclass=MarkovTaskSetMeta):
    """A task set whose tasks choose their successor with `@transition` and `@transitions`.

    It starts with the first decorated method of the class.
    """

    abstract: ClassVar[bool] = True
    current: Any

    def get_next_task(self) -> Task:
        """The task that is due; what follows it is drawn now."""
        due: Task = self.current
        self.current = getattr(self, random.choice(due.transitions))  # type: ignore[attr-defined]
        return due
