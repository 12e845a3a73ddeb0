"""Names that are gone, kept to say what to write instead."""

from __future__ import annotations

import warnings
from typing import Any

# Python hides deprecation warnings outside `__main__`; a locustfile's author should see ours.
warnings.filterwarnings("always", category=DeprecationWarning, module="locust")


def check_for_deprecated_task_set_attribute(class_dict: dict[str, Any]) -> None:
    from ..user.task import TaskSet

    task_set = class_dict.get("task_set")
    if isinstance(task_set, type) and issubclass(task_set, TaskSet):
        warnings.warn(
            "Usage of User.task_set is deprecated since version 1.0. "
            f"Set the tasks attribute instead (tasks = [{task_set.__name__}])",
            DeprecationWarning,
            stacklevel=3,
        )


class _Renamed(type):
    """Metaclass of a name that may be imported but not subclassed."""

    successor: str

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> _Renamed:
        for base in bases:
            if isinstance(base, _Renamed):
                raise ImportError(
                    f"The {base.__name__} class has been renamed to {base.successor} in version 1.0. "
                    "For more info see: https://docs.locust.io/en/latest/changelog.html#changelog-1-0"
                )
        return super().__new__(mcs, name, bases, body)


class Locust(metaclass=_Renamed):
    successor = "User"


class HttpLocust(metaclass=_Renamed):
    successor = "HttpUser"


class FastHttpLocust(metaclass=_Renamed):
    successor = "FastHttpUser"
