"""A worker as its master knows it: what it said last, read where the engine keeps it."""

from __future__ import annotations

from gregaria import _engine
from locust.runners import STATE_MISSING, WorkerNode


class LiveNode(WorkerNode):
    """Reads what the node said when it is asked. A node that has left says nothing any more: it is missing."""

    def __init__(self, id: str, engine: _engine.ClusterMaster) -> None:
        self.id = id
        self._engine = engine

    def __repr__(self) -> str:
        return f"<WorkerNode {self.id}: {self.state}, {self.user_count} users>"

    @property
    def state(self) -> str:
        """What it does, one of the `STATE_…` constants."""
        said = self._engine.node(self.id)
        return STATE_MISSING if said is None else said[0]

    @state.setter
    def state(self, state: str) -> None:
        self._engine.set_node(self.id, state=state)

    @property
    def heartbeat(self) -> int:
        """How many intervals it may still be silent; below 0 it is missing."""
        said = self._engine.node(self.id)
        return -1 if said is None else said[1]

    @heartbeat.setter
    def heartbeat(self, liveness: int) -> None:
        self._engine.set_node(self.id, liveness=liveness)

    @property
    def cpu_usage(self) -> float:  # type: ignore[override] # only the worker says it
        """Percent of one core."""
        said = self._engine.node(self.id)
        return 0.0 if said is None else said[2]

    @property
    def memory_usage(self) -> int:  # type: ignore[override] # only the worker says it
        """Bytes."""
        said = self._engine.node(self.id)
        return 0 if said is None else said[3]

    @property
    def cpu_warning_emitted(self) -> bool:  # type: ignore[override] # only the worker says it
        """Whether it was said that its processor is the limit."""
        said = self._engine.node(self.id)
        return said is not None and said[4]

    @property
    def is_ours(self) -> bool:
        """Whether it is one of gregaria's; known from its first heartbeat on."""
        said = self._engine.node(self.id)
        return said is not None and said[5]

    @property
    def user_classes_count(self) -> dict[str, int]:
        """How many users of each class it runs."""
        return self._engine.users_of(self.id) or {}

    @user_classes_count.setter
    def user_classes_count(self, users: dict[str, int]) -> None:
        self._engine.set_node(self.id, users=users)
