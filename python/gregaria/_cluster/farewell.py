"""The end of a master: its workers are sent away, and have time to report what they counted last."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from locust.runners import MasterRunner

_PATIENCE = 2.0
"""Seconds after the time that users have to stop. Locust waits for half of one in all, and what comes later is lost."""

logger = logging.getLogger("locust.runners")


def say(runner: MasterRunner) -> None:
    """Send all workers away, and wait until they have gone."""
    engine = runner.server.engine
    for node in runner.clients:
        logger.debug("Sending quit message to worker %s (index %d)", node, runner.get_worker_index(node))
    runner.server.send("quit", None, {*runner.clients, *runner._attending.away})
    seconds = runner.environment.stop_timeout + _PATIENCE
    # A node that is missing is not waited for.
    if not runner.server.wait_until(lambda: sum(engine.tally()[:3]) == 0, seconds=seconds):
        left = [node.id for node in runner.clients.values() if node.state in ("ready", "spawning", "running")]
        logger.warning(
            "%d of the workers had not gone %g s after they were told to: what they counted last is not in the figures "
            "(%s)",
            len(left),
            seconds,
            ", ".join(left),
        )
