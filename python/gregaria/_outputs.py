"""What a run of the command shows while it runs, and what it leaves behind.

Figures are read while all that was counted is still there: the JSON, which resets each entry as Locust's does, is made
after the files that tell the same.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gevent

from gregaria import _engine
from gregaria._complaints import tell
from gregaria._live import LiveView, is_wanted
from gregaria._report import ReportFile, register
from gregaria._verdicts import Verdicts
from locust import stats
from locust.log import greenlet_exception_logger

if TYPE_CHECKING:
    from argparse import Namespace

    from locust.env import Environment
    from locust.runners import Runner

logger = logging.getLogger("locust.main")
_tables = logging.getLogger("locust.stats_logger")


class Outputs:
    """Everything that the options ask for, from before the test to after it."""

    def __init__(self, environment: Environment, runner: Runner, options: Namespace, secret: set[str]) -> None:
        self.environment = environment
        self.runner = runner
        self.options = options
        self.csv_writer: stats.StatsCSVFileWriter | None = None
        self.histograms: _engine.RunFiles | None = None
        self.view: LiveView | None = None
        self._html = ReportFile(environment, options)
        self._has_report = False
        self.verdicts = self._create_verdicts(secret)

    def _create_verdicts(self, secret: set[str]) -> Verdicts:
        return Verdicts(self.environment, self.options, secret)

    def open(self) -> bool:
        """Make the files that are written during the test. Where that is impossible, say so."""
        csv, histograms = self.options.csv_prefix, self.options.hgrm_prefix
        made = _made(csv, "--csv", "_stats.csv", self._open_csv) if csv else True
        return made and (_made(histograms, "--hgrm", ".hlog", self._open_histograms) if histograms else True)

    def _open_csv(self, prefix: str) -> None:
        self.csv_writer = stats.StatsCSVFileWriter(
            self.environment, stats.PERCENTILES_TO_REPORT, prefix, self.options.stats_history_enabled
        )

    def _open_histograms(self, prefix: str) -> None:
        self.histograms = _engine.histogram_files(self.environment.stats.table, prefix)

    def begin(self, abort: Callable[[], None]) -> None:
        """Show and write from now on. `abort` is called where a check ends the test."""
        if is_wanted(self.options):
            self.view = LiveView(self.runner, self.options)
            self.view.begin()
            spawn(self.view.follow)
        elif not self.options.only_summary and (self.options.print_stats or self.options.headless):
            spawn(stats.stats_printer(self.environment.stats))
        spawn(stats.stats_history, self.runner)
        self.verdicts.begin(abort)
        register(self.environment, self.verdicts.record)
        if self.csv_writer is not None:
            spawn(self.csv_writer.stats_writer)
        if self.histograms is not None:
            spawn(self._tell_of_histograms, self.histograms)

    def _tell_of_histograms(self, files: _engine.RunFiles) -> None:
        while True:
            gevent.sleep(1)
            tell(files)

    def report(self) -> bool:
        """Write the report, where one is asked for: before `quitting`, as listeners of it may send it around."""
        self._has_report = True
        if not self.runner.user_count:
            self.verdicts.close()
        return self._html.write(is_over=not self.runner.user_count)

    def close(self) -> bool:
        """Write what is left to write, and show the summary, when all users have ended; whether all was written."""
        measured = self.environment.stats
        if self.view is not None:
            self.view.close()
        self.verdicts.close()
        if self.csv_writer is not None:
            self.csv_writer.close_files()
        if self.histograms is not None:
            self.histograms.close()
            tell(self.histograms)
        is_reported = self._html.write(is_over=True) if self._has_report else True
        if self.options.json:
            stats.print_stats_json(measured)
        asked = self.options.json_file
        is_saved = bool(asked) and self._save_json(asked)
        if not is_saved:
            stats.print_stats(measured, current=False)
            stats.print_percentile_stats(measured)
            stats.print_phases(measured)
            stats.print_error_report(measured)
        self._say_what_the_engine_knows()
        is_said = self.verdicts.show()
        return is_said and is_reported and (is_saved or not asked)

    def _save_json(self, name: str) -> bool:
        try:
            make_folder_of(name)
            with open(f"{name}.json", "w") as file:
                file.write(self.verdicts.with_slices(self.environment.stats.serialize_stats()))
        except OSError as error:
            logger.error("`--json-file %s`: cannot write `%s.json`: %s", name, name, error)
            return False
        return True

    def _say_what_the_engine_knows(self) -> None:
        table = self.environment.stats.table
        for line in table.lag_summary_lines():
            _tables.info(line)
        abandoned = _abandoned_requests()
        if abandoned:
            _tables.info(
                "Not counted: %s under way when the user was stopped; the server may have seen %s",
                "1 request that was" if abandoned == 1 else f"{abandoned} requests that were",
                "it" if abandoned == 1 else "them",
            )
            _tables.info("")
        warning = table.lag_warning()
        if warning:
            logger.warning(warning)


def spawn(function: Callable[..., Any], *args: Any) -> gevent.Greenlet[..., Any]:
    """Run this in the background. What kills it is logged, and is part of the exit code."""
    greenlet = gevent.spawn(function, *args)
    greenlet.link_exception(greenlet_exception_logger(logger))
    return greenlet


def _made(prefix: str, option: str, first: str, make: Callable[[str], None]) -> bool:
    """Make some files; where that is impossible, say so."""
    try:
        make_folder_of(prefix)
        make(prefix)
    except OSError as error:
        logger.error("`%s %s`: cannot make `%s%s` and the files beside it: %s", option, prefix, prefix, first, error)
        return False
    return True


def make_folder_of(path: str) -> None:
    """Make the folder that this file is to be in."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)


def _abandoned_requests() -> int:
    """Requests that were under way when their users were stopped, once all of them are known."""
    patience = time.monotonic() + 1
    while _engine.unreturned_requests() and time.monotonic() < patience:
        gevent.sleep(0.001)
    return _engine.take_abandoned_requests()
