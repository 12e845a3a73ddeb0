"""`--processes`: workers that are forked from one process, which is their master or waits for them."""

from __future__ import annotations

import atexit
import gc
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import gevent
from gevent import monkey

from gregaria import _engine, _starting
from gregaria._cluster import server

if TYPE_CHECKING:
    from argparse import Namespace
    from types import FrameType

_GRACE = 3.0
"""Seconds that children have to end by themselves, beside the time that their users' tasks may take."""

_LOOK = 0.05
"""Seconds."""

# The rest of the program may be gone when children are waited for: this waits without it.
_sleep = monkey.get_original("time", "sleep")
_monotonic = monkey.get_original("time", "monotonic")
_waitpid = monkey.get_original("os", "waitpid")

_MEANT_FOR_ONE = (
    "run_time",
    "autostart",
    "csv_prefix",
    "html_file",
    "print_stats",
    "json",
    "json_file",
    "hgrm_prefix",
    "junit",
)
"""Options that are for the whole run, which no child sees."""


def count(options: Namespace) -> int:
    """How many children there are to be. Leaves where that cannot be."""
    wanted = options.processes or 0
    if wanted and os.name == "nt":
        _starting.fail("--processes is not supported in Windows (except in WSL)")
    if wanted < -1:
        _starting.fail(f"Invalid --processes count {wanted}")
    if wanted and options.master:
        _starting.fail(
            "--master cannot be combined with --processes: leave it out, the parent process is the master anyway"
        )
    return _engine.available_cores() if wanted == -1 else int(wanted)


def fork(options: Namespace) -> None:
    """Fork the children, and return in each of them, as a worker; and in the parent, as their master.

    With `--worker` the parent is no master: it leaves when all children have, with the highest of their exit codes.
    """
    options.processes = wanted = count(options)
    if not wanted:
        return
    if not options.worker:
        # Children would join whatever master listens there, and be given users of its test.
        options.master_bind_port = server.free_port(options.master_bind_host, options.master_bind_port)
    _let_children_find_the_master(options)
    children = Children(_GRACE + float(options.stop_timeout or 0))
    # What is there by now is shared by all until somebody writes to it, as the collector does that looks through it.
    gc.collect()
    gc.freeze()
    lifeline = _engine.Lifeline()
    for _ in range(wanted):
        pid = gevent.fork()
        if not pid:
            lifeline.hold(children.grace)
            _become_a_worker(options, wanted)
            return
        children.add(pid)
        logging.debug("Started child worker with pid #%s", pid)
    children.lifeline = lifeline
    if options.worker:
        children.wait_for_all()
    options.master = True
    options.expect_workers = wanted
    atexit.register(children.see_to_their_end)


def _become_a_worker(options: Namespace, wanted: int) -> None:
    options.worker = True
    options.stats_history_enabled = False
    for name in _MEANT_FOR_ONE:
        if hasattr(options, name):
            setattr(options, name, None)
    if not options.io_threads:
        options.io_threads = max(1, min(8, _engine.available_cores() // (2 * wanted)))


def _let_children_find_the_master(options: Namespace) -> None:
    """Where the parent listens somewhere else than by default, and nobody says so to its children."""
    if options.worker:
        return
    defaults = _engine.default_options()
    if options.master_port == defaults["master_port"]:
        options.master_port = options.master_bind_port
    if options.master_host == defaults["master_host"] and options.master_bind_host not in ("*", "0.0.0.0", "::"):
        options.master_host = options.master_bind_host


def _ended(pid: int, options: int) -> tuple[int, int]:
    """As `os.waitpid`. gevent's loop, once it watches any child, buries all: how such a one ended is not known."""
    try:
        ended: tuple[int, int] = _waitpid(pid, options)
    except ChildProcessError:
        ended = pid, 0
    return ended


class Children:
    """The processes that were forked."""

    def __init__(self, grace: float) -> None:
        self.grace = grace
        self.lifeline: _engine.Lifeline | None = None
        self._running: list[int] = []
        self._exit_code = 0
        self._is_interrupted = False

    def add(self, pid: int) -> None:
        """There is one more."""
        self._running.append(pid)

    def wait_for_all(self) -> NoReturn:
        """Leave when all have ended. Ctrl-C in a terminal reaches them, too: only a second one ends them from here.

        SIGTERM reaches this process alone: it is handed on.
        """
        signal.signal(signal.SIGINT, self._on_sigint)
        signal.signal(signal.SIGTERM, lambda *_: self._signal(signal.SIGTERM))
        while self._running:
            self._reap(_ended(self._running[0], 0))
        sys.exit(self._exit_code)

    def _on_sigint(self, number: int, frame: FrameType | None) -> None:
        if self._is_interrupted:
            self._signal(signal.SIGKILL)
            sys.exit(1)
        self._is_interrupted = True

    def see_to_their_end(self) -> None:
        """At the master's end: wait for those who are ending, and end the others."""
        for number in (signal.SIGINT, signal.SIGKILL, None):
            self._wait(self.grace)
            if number is None or not self._running:
                break
            logging.debug("Children that are still there get %s: %s", number.name, self._running)
            self._signal(number)
        if self._exit_code > 1:
            logging.error("Bad response code from worker children: %s", self._exit_code)

    def _wait(self, seconds: float) -> None:
        until = _monotonic() + seconds
        while self._running and _monotonic() < until:
            for pid in list(self._running):
                self._reap(_ended(pid, os.WNOHANG))
            if self._running:
                _sleep(_LOOK)

    def _reap(self, ended: tuple[int, int]) -> None:
        pid, status = ended
        if pid in self._running:
            self._running.remove(pid)
            code = os.waitstatus_to_exitcode(status)
            # As a shell tells of one that a signal has ended.
            self._exit_code = max(self._exit_code, 128 - code if code < 0 else code)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._running:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
