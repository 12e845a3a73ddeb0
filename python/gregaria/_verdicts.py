"""Whether a run kept to its checks, and what it meant: `--check`, `environment.checks`, `--junit`.

The engine judges; here is when it does, and where it says so.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gevent
from gevent.socket import wait_read

from gregaria import _engine, _runs
from gregaria._secrets import is_named_like_one

if TYPE_CHECKING:
    from argparse import Namespace

    from locust.env import Environment

EXIT_CODE = 3
"""Of a run that did not keep to its checks. Locust has no such code."""

_MOST_COLUMNS = 120
_FEWEST_COLUMNS = 60
"""A line of words that is longer is hard to read, one that is shorter is no sentence any more."""

_LOOK = 0.5
"""Seconds."""

_HERE = "\0slices"
"""Where the slices of an entry come: no name has a zero in it and means it."""

_SAID = "\0annotations"

logger = logging.getLogger("locust.main")
_tables = logging.getLogger("locust.stats_logger")


class Verdicts:
    """The judgement of one run."""

    def __init__(self, environment: Environment, options: Namespace, secret: set[str]) -> None:
        """`secret` are the options that no file may show, by destination."""
        self.environment = environment
        self.options = options
        self._secret = secret
        self._verdict: _engine.Verdict | None = None
        self._is_closed = False

    @property
    def checks(self) -> list[str]:
        """Those of the options, and after them those of the locustfile."""
        return [*(getattr(self.options, "checks", None) or []), *self.environment.checks]

    def mistake(self) -> str | None:
        """What is wrong with the checks; known once the locustfile's listeners of `init` have run."""
        if isinstance(self.environment.checks, str):
            return "`environment.checks` is a list of checks, not one: put it in brackets"
        try:
            _engine.check_checks([str(check) for check in self.environment.checks])
        except ValueError as error:
            return f"`environment.checks`: {error}"
        if self.options.abort_on_check and not _engine.has_windows(self.checks):
            return (
                "--abort-on-check: there is no check that could end the run early; it needs one over a window, as "
                "`--check 'p95 < 500ms over 30s'`"
            )
        return None

    def begin(self, stop: Callable[[], None]) -> None:
        """Watch the run from now on; `stop` ends it."""
        waits = not getattr(self.options, "headless", False)
        self._verdict = verdict = _engine.Verdict(self.environment.stats.table, self.checks, waits=waits)
        _runs.register(self.environment, verdict)
        if self.options.abort_on_check:
            gevent.spawn(self._abort, verdict, stop)

    def _abort(self, verdict: _engine.Verdict, stop: Callable[[], None]) -> None:
        while True:
            wait_read(verdict.fileno())
            what = "shutting down" if self.options.headless else "stopping test"
            logger.error("Check broken: %s; %s (--abort-on-check)", verdict.broken(), what)
            stop()
            while verdict.broken():  # until another test begins
                gevent.sleep(_LOOK)

    def close(self) -> None:
        """Judge what was counted: before anything resets it, and when no user counts any more."""
        if self._verdict is not None and not self._is_closed:
            self._is_closed = True
            self._verdict.close()

    @property
    def failed(self) -> bool:
        """Whether a check failed, in any run that has ended."""
        return self._verdict is not None and self._verdict.failed()

    def show_checks(self) -> None:
        """Say how the checks of a test stand that has ended, where another one may follow."""
        for line in self._verdict.check_lines() if self._verdict is not None else []:
            _tables.info(line)

    def show(self) -> bool:
        """Say it after the tables, and write the files; whether all was written."""
        if self._verdict is None:
            return True
        for line in [*self._verdict.check_lines(), *self._verdict.word_lines(_columns())]:
            _tables.info(line)
        is_written = self._append_summary(self._verdict)
        if self.options.junit:
            is_written = _write(self.options.junit, self._verdict.junit(), "--junit") and is_written
        return is_written

    def record(self) -> str | None:
        """What a report shows beside the statistics, as JSON: `src/report/record.rs` has its fields."""
        if self._verdict is None:
            return None
        return self._verdict.record(json.dumps(_plain(self.options, self._secret)), self.environment.seed)

    def with_slices(self, entries: Sequence[Mapping[str, Any]]) -> str:
        """Write entries as Locust does, and in each one more key: what was counted when (`docs/compare.md`).

        In a run that was annotated another one, the same in each: entries are all that there is in this file.
        """
        slices = {(name, method): text for method, name, text in self._verdict.slices()} if self._verdict else {}
        said = self.environment.stats.table.annotations()
        more = {"slices": _HERE} if said == "[]" else {"slices": _HERE, "annotations": _SAID}
        text = json.dumps([{**entry, **more} for entry in entries], indent=4).replace(json.dumps(_SAID), said)
        parts = text.split(json.dumps(_HERE))
        # Each on one line: indented as the rest it would be a thousand.
        each = [slices.get((entry["name"], entry["method"]), "null") for entry in entries]
        return "".join(text for pair in zip(parts, [*each, ""], strict=True) for text in pair)

    def _append_summary(self, verdict: _engine.Verdict) -> bool:
        path = os.environ.get("GITHUB_STEP_SUMMARY")
        if not path or not self.checks:
            return True
        return _write(path, verdict.markdown(), "GITHUB_STEP_SUMMARY", "a")


def _columns() -> int:
    """How wide the words may be: as the terminal, where there is one."""
    try:
        terminal = os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1).columns
    except (OSError, ValueError):
        return _MOST_COLUMNS
    return min(max(terminal, _FEWEST_COLUMNS), _MOST_COLUMNS)


def _write(path: str, text: str, asked_by: str, mode: str = "w") -> bool:
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        logger.error("`%s`: cannot write `%s`: %s", asked_by, path, error)
        return False
    return True


def _plain(options: Namespace, secret: set[str]) -> dict[str, Any]:
    """The options that JSON can hold, without those that are secret: what is made of this is sent around."""
    kinds = (str, int, float, bool, list, type(None))
    known = {name: value for name, value in vars(options).items() if name not in secret and not is_named_like_one(name)}
    plain = {name: value for name, value in known.items() if isinstance(value, kinds) and not name.startswith("_")}
    shown: dict[str, Any] = json.loads(json.dumps(plain, default=str))
    return shown
