"""Which workers run the users of a test: those that there are, all of them, also when some come or go meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from locust import runners
from locust.runners import STATE_RUNNING

from .nodes import LiveNode
from .ramp import Ramp

if TYPE_CHECKING:
    from gevent import Greenlet

    from locust.dispatch import UsersDispatcher
    from locust.runners import MasterRunner

_TOLD_AGAIN = 5.0
"""Seconds after its stop timeout until a worker that still has users is told once more to stop them."""


class Dealing:
    """Has one ramp at a time deal out users, and starts one more where workers have come or gone."""

    def __init__(self, runner: MasterRunner) -> None:
        self._runner = runner
        self._ramp: Ramp | None = None
        self.is_balanced = True
        """Whether workers were told of the distribution that the dispatcher has now."""
        self._is_balance_due = False
        self._balancing: Greenlet[..., Any] | None = None

    def deal(self, dispatcher: UsersDispatcher) -> None:
        """Deal out what this dispatcher says. Returns when the workers have it, or another ramp has begun."""
        self._ramp = ramp = Ramp(self._runner, dispatcher, self._begin_step)
        try:
            ramp.go()
        except KeyboardInterrupt:
            # The main greenlet may not be the one that is running when the signal arrives.
            self._runner.quit()
        if self._is_balance_due:
            self.redistribute()  # Somebody came when all was said.

    def _begin_step(self) -> None:
        # Whatever the dispatcher says next is of the workers that there are now.
        self.is_balanced, self._is_balance_due = True, False

    def end(self) -> None:
        """Send nothing more of the ramp that is under way."""
        if self._ramp is not None:
            self._ramp.end()
            self._ramp = None

    def have_all_stopped(self) -> bool:
        """Wait for the users of all workers to end. Who still has some after a while is told once more."""
        runner = self._runner
        patience = runner.environment.stop_timeout
        if runner.server.wait_until(lambda: runner.user_count == 0, seconds=patience + _TOLD_AGAIN):
            return True
        for node in runner.clients.values():
            # Its connection may have been cut when it was told. Locust's workers would do it twice.
            if node.user_count and isinstance(node, LiveNode) and node.is_ours:
                runner.send_message("stop", client_id=node.id)
        return runner.server.wait_until(lambda: runner.user_count == 0, seconds=60 - _TOLD_AGAIN)

    def redistribute(self) -> None:
        """Have the workers that there are now share all users: soon, so that many who come at once are one change."""
        runner = self._runner
        self._is_balance_due = True
        is_ramping = self._ramp is not None and not self._ramp.is_over
        is_asked_for = self._balancing is not None and not self._balancing.ready()
        if runner.state == STATE_RUNNING and not is_ramping and not is_asked_for:
            self._balancing = runner.greenlet.spawn(self._balance)
            self._balancing.link_exception(runners.locust_exception_handler(runner.environment))

    def _balance(self) -> None:
        runner = self._runner
        while self._is_balance_due and runner.state == STATE_RUNNING:
            self._is_balance_due = False
            runner.start(runner.target_user_count, runner.spawn_rate)

    def joins(self, node: str) -> None:
        """This worker can run users from now on."""
        runner = self._runner
        if runner._users_dispatcher is not None:
            # Who says twice that he is ready is one worker, and has no users.
            self.plan_without(node)
            runner._users_dispatcher.add_worker(worker_node=runner.clients[node])
            self.is_balanced = False
            self.redistribute()

    def leaves(self, node: str) -> None:
        """This worker has gone, and runs no users."""
        client = self.plan_without(node)
        self._runner.clients.pop(node, None)
        if client is not None:
            self.redistribute()

    def plan_without(self, node: str) -> object | None:
        """Give this node no users any more; `None` where it had none to get."""
        runner = self._runner
        client = runner.clients.get(node)
        if client is None or runner._users_dispatcher is None:
            return None
        runner._users_dispatcher.remove_worker(client)
        self.is_balanced = False
        return client
