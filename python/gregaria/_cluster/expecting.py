"""A master waits for its workers before it starts a test by itself: `--expect-workers`."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace

    from gevent.event import Event

    from locust.runners import MasterRunner

_QUIET = 5.0
"""Seconds before which it is no news that workers are waited for."""

logger = logging.getLogger("locust.main")


def wait_for_workers(runner: MasterRunner, options: Namespace, ending: Event) -> bool:
    """Wait until enough workers are ready; `False` where the process is to end before that.

    Ends the process with exit code 1 after `--expect-workers-max-wait`.
    """
    began = time.monotonic()
    while (ready := len(runner.clients.ready)) < options.expect_workers:
        waited = time.monotonic() - began
        if options.expect_workers_max_wait and options.expect_workers_max_wait < waited:
            logger.error("Gave up waiting for workers to connect")
            runner.quit()
            sys.exit(1)
        level = logging.INFO if waited > _QUIET else logging.DEBUG
        logging.log(level, "Waiting for workers to be ready, %s of %s connected", ready, options.expect_workers)
        runner.server.wait_until(lambda: ending.is_set() or _are_ready(runner, options.expect_workers), seconds=1)
        if ending.is_set():
            return False
    return True


def _are_ready(runner: MasterRunner, count: int) -> bool:
    # First what costs the same for thousands: it is asked with each that comes.
    return runner.server.engine.tally()[0] >= count and len(runner.clients.ready) >= count
