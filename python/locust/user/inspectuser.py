"""How users and their tasks share the load: `--show-task-ratio`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from .task import TaskSet as TaskSet
from .users import User

if TYPE_CHECKING:
    from .task import Task

    Ratios: TypeAlias = dict[str, dict[str, Any]]


def print_task_ratio(user_classes: Sequence[type[User]], num_users: int | None, total: bool) -> None:
    """Print one line per user class and task, indented by depth."""
    _print_rows(get_ratio(user_classes, _distribution(user_classes, num_users), total))


def print_task_ratio_json(user_classes: Sequence[type[User]], num_users: int | None) -> None:
    """Print both ratios, within each user class and of the whole, as JSON."""
    spawned = _distribution(user_classes, num_users)
    ratios = {
        "per_class": get_ratio(user_classes, spawned, False),
        "total": get_ratio(user_classes, spawned, True),
    }
    print(json.dumps(ratios, indent=4))


def get_ratio(user_classes: Sequence[type[User]], user_spawned: dict[str, int], total: bool) -> Ratios:
    """Each class's share of the users, and each task's share of its class or, with `total`, of everything."""
    users = sum(user_spawned.values()) or 1
    ratios: Ratios = {}
    for user_class in user_classes:
        share = user_spawned[user_class.__name__] / users
        ratios[user_class.__name__] = {
            "ratio": share,
            "tasks": _get_task_ratio(user_class.tasks, total, share),
        }
    return ratios


def _get_task_ratio(tasks: Sequence[Task], total: bool, parent_ratio: float) -> Ratios:
    whole = parent_ratio if total else 1.0
    ratios: Ratios = {}
    for task, times in Counter(tasks).items():
        ratio = whole * times / len(tasks)
        ratios[task.__name__] = {"ratio": ratio}
        nested = getattr(task, "tasks", None)
        if nested is not None:
            ratios[task.__name__]["tasks"] = _get_task_ratio(nested, total, ratio)
    return ratios


def _distribution(user_classes: Sequence[type[User]], num_users: int | None) -> dict[str, int]:
    fixed = sum(user_class.fixed_count for user_class in user_classes)
    weights = sum(user_class.weight for user_class in user_classes if not user_class.fixed_count)
    users = num_users or (1 if fixed else weights)
    return {
        user_class.__name__: user_class.fixed_count or round(user_class.weight / weights * max(0, users - fixed))
        for user_class in user_classes
    }


def _print_rows(ratios: Ratios, level: int = 0) -> None:
    indent = 2 * level * " "
    for name, entry in ratios.items():
        print(f" {indent + format(entry['ratio'] * 100, '<6.1f'):<10} {indent + name:<50}")
        _print_rows(entry.get("tasks", {}), level + 1)
