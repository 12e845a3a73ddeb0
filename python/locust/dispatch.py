"""How many users of each class every worker should have, step by step.

The distribution itself is computed by the engine. What is here waits between the steps and speaks of workers and
user classes where the engine speaks of names.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import gevent

from gregaria import _engine

if TYPE_CHECKING:
    from locust.runners import WorkerNode
    from locust.user.users import User

_Assignment = dict[str, dict[str, int]]


class UsersDispatcher(Iterator[_Assignment]):
    """Iterate over the complete wanted states, `{worker id: {class name: users}}`, sleeping between them.

    A class of your own can take its place: `Environment(dispatcher_class=…)`.
    """

    def __init__(self, worker_nodes: list[WorkerNode], user_classes: list[type[User]]) -> None:
        assert user_classes, "a test needs users: no class is active"
        self._user_classes = sorted(user_classes, key=lambda user_class: user_class.__name__)
        self._nodes = {node.id: node for node in worker_nodes}
        self._plan = _engine.Dispatcher([node.id for node in worker_nodes], _described(user_classes))
        self._wait_between_dispatch = 0.0
        self._rebalance = False
        self._due: float | None = None
        self._dispatch_iteration_durations: list[float] = []

    def new_dispatch(
        self, target_user_count: int, spawn_rate: float, user_classes: list[type[User]] | None = None
    ) -> None:
        """Begin the way from the current assignment to `target_user_count` users."""
        if target_user_count < 0:
            raise ValueError(f"target_user_count must be >= 0, got {target_user_count}")
        if spawn_rate <= 0:
            raise ValueError(f"spawn_rate must be > 0, got {spawn_rate}")
        if not math.isfinite(spawn_rate):
            raise ValueError(f"spawn_rate must be a finite number, got {spawn_rate}")
        if user_classes is not None:
            self._user_classes = sorted(user_classes, key=lambda user_class: user_class.__name__)
        # Shapes compute: half a user is none.
        users = math.floor(target_user_count)
        self._plan.start(users, spawn_rate, _described(user_classes) if user_classes is not None else None)
        self._wait_between_dispatch = self._plan.pause
        self._due = None
        self._dispatch_iteration_durations.clear()

    def __next__(self) -> _Assignment:
        if self._due is not None and not self._plan.rebalanced:
            gevent.sleep(max(0.0, self._due - time.perf_counter()))
            self._due = None
        started = time.perf_counter()
        step = self._plan.step()
        if step is None:
            raise StopIteration
        assignment, pause = step
        self._rebalance = self._plan.rebalanced
        if pause:
            # The time that the caller takes with this step counts towards the pause.
            self._due = started + self._wait_between_dispatch
        self._dispatch_iteration_durations.append(time.perf_counter() - started)
        return assignment

    @property
    def dispatch_in_progress(self) -> bool:
        """Whether a ramp is under way."""
        return self._plan.in_progress

    @property
    def dispatch_iteration_durations(self) -> list[float]:
        """How many seconds each step of this dispatch took to compute."""
        return self._dispatch_iteration_durations

    def get_current_user_count(self) -> int:
        """Return how many users are dispatched."""
        return self._plan.user_count

    def add_worker(self, worker_node: WorkerNode) -> None:
        """Distribute all users anew, with this worker."""
        self._nodes[worker_node.id] = worker_node
        self._plan.add_node(worker_node.id)
        self._rebalance = True

    def remove_worker(self, worker_node: WorkerNode) -> None:
        """Distribute all users anew, without this worker."""
        self._nodes.pop(worker_node.id, None)
        self._plan.remove_node(worker_node.id)
        self._rebalance = True

    @property
    def _worker_nodes(self) -> list[WorkerNode]:
        return [self._nodes[node_id] for node_id in self._plan.nodes]

    @property
    def _users_on_workers(self) -> _Assignment:
        return self._plan.assignment

    def _distribute_users(self, target_user_count: int) -> tuple[_Assignment]:
        return (self._plan.distribution_of(target_user_count),)

    def _get_user_current_count(self, user: str) -> int:
        return self._plan.user_count_of(user)


def _described(user_classes: list[type[User]]) -> list[tuple[str, float, int]]:
    """Name, weight and fixed count of each. Who has a fixed count, also an impossible one, has no weight."""
    counts = [(each, each.fixed_count or 0) for each in user_classes]
    return [(each.__name__, 0 if count < 0 else each.weight, max(0, count)) for each, count in counts]


def _kl_generator(users: Iterable[tuple[str, float]]) -> Iterator[str | None]:
    """Yield names by weight, forever, so that the shares are always as near to the weights as they can be."""
    items = sorted(users)
    sequence = _engine.WeightedSequence([weight for _, weight in items])
    while True:
        place = sequence.next()
        yield None if place is None else items[place][0]
