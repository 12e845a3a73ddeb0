"""Load shapes: how many users there should be, asked anew about once a second."""

from __future__ import annotations

import time
from abc import ABCMeta, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, cast

if TYPE_CHECKING:
    from .runners import Runner
    from .user.users import User

    Tick: TypeAlias = tuple[int, float] | tuple[int, float, list[type[User]] | None] | None


class LoadTestShapeMeta(ABCMeta):
    """Makes a shape concrete unless its own body says `abstract = True`: abstractness is not inherited."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> LoadTestShapeMeta:
        return super().__new__(mcs, name, bases, {**body, "abstract": bool(body.get("abstract", False))})


class LoadTestShape(metaclass=LoadTestShapeMeta):
    """Subclass it in a locustfile and define `tick()`: the test follows it instead of `--users` and `--spawn-rate`.

    ```python
    class Steps(LoadTestShape):
        def tick(self):
            step = int(self.get_run_time() // 30)
            return (10 * (step + 1), 5) if step < 4 else None
    ```
    """

    runner: Runner | None = None
    """The runner of the test, set when it is created."""

    abstract: ClassVar[bool] = True

    use_common_options: ClassVar[bool] = False
    """Whether `--users`, `--spawn-rate` and `--run-time` mean something to this shape, which then reads them itself."""

    def __init__(self) -> None:
        self.start_time = time.perf_counter()

    def reset_time(self) -> None:
        """Start the shape's clock again at zero."""
        self.start_time = time.perf_counter()

    def get_run_time(self) -> float:
        """Seconds since the shape started."""
        return time.perf_counter() - self.start_time

    def get_current_user_count(self) -> int:
        """How many users are running now."""
        return cast("Runner", self.runner).user_count

    @abstractmethod
    def tick(self) -> Tick:
        """The load wanted now.

        `(user_count, spawn_rate)`, or `(user_count, spawn_rate, user_classes)` to start users of these classes only
        from now on, or `None` to end the test.
        """
