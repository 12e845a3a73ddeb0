"""The view of a running test in a terminal, and how everything else that is written there stays above it."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

import gevent

from gregaria import _engine, _feeders

if TYPE_CHECKING:
    from argparse import Namespace

    from locust.runners import Runner

_INTERVAL = 0.5


def is_wanted(options: Namespace) -> bool:
    """Whether somebody looks at a terminal, and has not asked for something else."""
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return False
    asked_otherwise = getattr(options, "plain", False) or options.only_summary or options.skip_log_setup
    return bool(options.headless) and not asked_otherwise


class LiveView:
    """Shown from `begin()` to `close()`."""

    def __init__(self, runner: Runner, options: Namespace) -> None:
        self.runner = runner
        self.limit: int | None = getattr(options, "iteration_limit", None)
        run_time = options.run_time if runner.environment.shape_class is None else None
        self._view = _engine.LiveView(runner.stats.table, float(run_time) if run_time else None)
        self._streams: dict[str, tuple[TextIO, _Above]] = {}

    def begin(self) -> None:
        """Have what is written go above the view from now on."""
        atexit.register(self.close)
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream.isatty():
                above = _Above(stream, self._view, is_stdout=name == "stdout")
                self._streams[name] = stream, above
                self._put(name, stream, cast("TextIO", above))

    def follow(self) -> None:
        """Tell the view what only Python knows, for ever."""
        while True:
            begun = None
            left = _feeders.iterations_left(self.runner)
            if self.limit and left is not None:
                begun = (self.limit - left, self.limit)
            self._view.update(self.runner.state, self.runner.target_user_count, begun)
            gevent.sleep(_INTERVAL)

    def close(self) -> None:
        """Take the view away, and leave the streams as they were."""
        atexit.unregister(self.close)
        for name, (stream, above) in self._streams.items():
            above.end_line()
            self._put(name, cast("TextIO", above), stream)
        self._streams = {}
        self._view.close()

    @staticmethod
    def _put(name: str, before: TextIO, after: TextIO) -> None:
        """Put one stream in the place of another, also where log lines go."""
        if getattr(sys, name) is before:
            setattr(sys, name, after)
        loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
        for logger in loggers:
            for handler in getattr(logger, "handlers", ()):
                if isinstance(handler, logging.StreamHandler) and handler.stream is before:
                    handler.setStream(after)


class _Above:
    """A stream whose whole lines are written above the view; what is no whole line waits for the rest."""

    def __init__(self, stream: TextIO, view: _engine.LiveView, is_stdout: bool) -> None:
        self._stream = stream
        self._view = view
        self._is_stdout = is_stdout
        self._begun = ""

    def write(self, text: str) -> int:
        """Write it, as far as it is whole lines."""
        whole, end, rest = (self._begun + text).rpartition("\n")
        self._begun = rest
        if end:
            self._stream.flush()  # what was written past this, by whoever kept the stream
            encoding, errors = self._stream.encoding or "utf-8", self._stream.errors or "replace"
            self._view.write((whole + end).encode(encoding, errors), self._is_stdout)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def end_line(self) -> None:
        """Write what waits for its end."""
        if self._begun:
            self.write("\n")

    def flush(self) -> None:
        """Whole lines are not kept, and others are not shown yet."""
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
