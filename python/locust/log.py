"""Where log lines go, and how a greenlet that died unexpectedly is told."""

from __future__ import annotations

import logging
import logging.config
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gregaria import _following

if TYPE_CHECKING:
    from gevent import Greenlet

HOSTNAME = socket.gethostname().split(".", 1)[0]

unhandled_greenlet_exception = False
"""Whether something outside the tasks failed: a listener, a greenlet of the runner. Makes the exit code 2."""


class LogReader(logging.Handler):
    """Keeps the latest lines for the web page and for the master."""

    def __init__(self) -> None:
        super().__init__()
        self.logs: deque[str] = deque(maxlen=500)
        self._count = 0
        """How many lines there have been."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        line = self.format(record)
        self.logs.append(line)
        self._count += 1
        _following.log_line(line)


def setup_logging(loglevel: str, logfile: str | None = None) -> None:
    """Log to stderr, or to `logfile`. The statistics tables stay plain, and on stderr."""
    level = loglevel.upper()
    handlers: dict[str, dict[str, Any]] = {
        "console": {"class": "logging.StreamHandler", "formatter": "default"},
        "console_plain": {"class": "logging.StreamHandler", "formatter": "plain"},
        "log_reader": {"class": "locust.log.LogReader", "formatter": "default"},
    }
    talk = ["console", "log_reader"]
    if logfile:
        Path(logfile).resolve().parent.mkdir(parents=True, exist_ok=True)
        handlers["file"] = {"class": "logging.FileHandler", "filename": logfile, "formatter": "default"}
        talk = ["file", "log_reader"]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                # A host name is no format string: `%` in it would be one.
                "default": {
                    "format": f"[%(asctime)s] {HOSTNAME.replace('%', '%%')}/%(levelname)s/%(name)s: %(message)s"
                },
                "plain": {"format": "%(message)s"},
            },
            "handlers": handlers,
            "loggers": {
                "locust": {"handlers": talk, "level": level, "propagate": False},
                "locust.stats_logger": {
                    "handlers": ["console_plain", "log_reader"],
                    "level": "INFO",
                    "propagate": False,
                },
            },
            "root": {"handlers": talk, "level": level},
        }
    )


def get_logs() -> list[str]:
    """The latest log lines, oldest first; none before `setup_logging()`."""
    reader = _reader()
    return list(reader.logs) if reader is not None else []


def _count_of_lines() -> int:
    """How many lines there have been since `setup_logging()`."""
    reader = _reader()
    return reader._count if reader is not None else 0


def _reader() -> LogReader | None:
    for handler in logging.getLogger().handlers:
        if handler.name == "log_reader" and isinstance(handler, LogReader):
            return handler
    return None


def greenlet_exception_logger(
    logger: logging.Logger, level: int = logging.CRITICAL
) -> Callable[[Greenlet[..., Any]], None]:
    """A callback for `Greenlet.link_exception` that logs what killed the greenlet and marks the run as failed."""

    def log_exception(greenlet: Greenlet[..., Any]) -> None:
        global unhandled_greenlet_exception
        error = greenlet.exception
        if isinstance(error, KeyboardInterrupt):
            return  # Ctrl-C met it by chance. It is handed on to the main greenlet, which ends the run.
        if isinstance(error, SystemExit):
            code = "" if error.code is None else error.code
            logger.log(min(logging.INFO, level), "sys.exit(%s) called (use log level DEBUG for callstack)", code)
            logger.log(logging.DEBUG, "Unhandled exception in greenlet: %s", greenlet, exc_info=greenlet.exc_info)
        else:
            logger.log(level, "Unhandled exception in greenlet: %s", greenlet, exc_info=greenlet.exc_info)
        unhandled_greenlet_exception = True

    return log_exception
