"""What a thread that writes files has to say. It has no interpreter, so who has one says it."""

from __future__ import annotations

import logging

from gregaria import _engine
from locust import log

logger = logging.getLogger("locust.stats")


def tell(files: _engine.RunFiles) -> None:
    """Log what went wrong since this was last called. The run goes on, and its exit code tells of it."""
    for complaint in files.take_complaints():
        logger.error(complaint)
        # As where a greenlet that writes them dies of it: a pipeline hears that its files are not whole.
        log.unhandled_greenlet_exception = True
