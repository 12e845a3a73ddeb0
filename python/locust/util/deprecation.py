"""Names that are gone, kept to say what to write instead."""

from __future__ import annotations

import warnings
from typing import Any

# Python hides deprecation warnings outside `__main__`; a locustfile's author should see ours.
warnings.filterwarnings("always", category=DeprecationWarning, module="locust")


def check_for_deprecated_task_set_attribute(class_dict: dict[str, Any]) -> None:
    """Warn of a class that sets `task_set`, which has no effect."""
    from ..user.task import TaskSet

    task_set = class_dict.get("task_set")
    if isinstance(task_set, type) and issubclass(task_set, TaskSet):
        warnings.warn(
            "Usage of User.task_set is deprecated since version 1.0. "
            f"Set the tasks attribute instead (tasks = [{task_set.__name__}])",
            DeprecationWarning,
            stacklevel=3,
        )


def deprecated_locust_meta_class(deprecation_message: str) -> type[type]:
    """Return the metaclass of a name that may be imported but not subclassed: that raises an ImportError."""

    class MetaClass(type):
        def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if bases:
                raise ImportError(deprecation_message)
            return super().__new__(mcs, name, bases, body)

    return MetaClass


def _renamed(class_name: str, name: str, successor: str) -> type:
    metaclass = deprecated_locust_meta_class(
        f"The {name} class has been renamed to {successor} in version 1.0. "
        "For more info see: https://docs.locust.io/en/latest/changelog.html#changelog-1-0"
    )
    return metaclass(class_name, (), {"__module__": __name__, "__doc__": f"Was the name of `{successor}`."})


DeprecatedLocustClass = _renamed("DeprecatedLocustClass", "Locust", "User")
DeprecatedHttpLocustClass = _renamed("DeprecatedHttpLocustClass", "HttpLocust", "HttpUser")
DeprecatedFastHttpLocustClass = _renamed("DeprecatedFastHttpLocustClass", "FastHttpLocust", "FastHttpUser")
