"""The command as a worker: its test begins and ends when the master says so, and its process with the master's."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from gregaria import _engine
from gregaria._outputs import Outputs, spawn
from gregaria._verdicts import Verdicts
from locust import stats
from locust.main import _Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.runners import WorkerRunner

logger = logging.getLogger("locust.main")


class WorkerRun(_Run):
    """As any run, but that it starts no test and sums up nothing: the master does."""

    runner: WorkerRunner

    def _create_runner(self) -> WorkerRunner:
        options = self.options
        if options.io_threads:
            _engine.set_io_threads(options.io_threads)
        try:
            runner = self.environment.create_worker_runner(options.master_host, options.master_port)
        except OSError as error:
            logger.error("Failed to connect to the Locust master: %s", error)
            sys.exit(-1)
        address = f"{options.master_host}:{options.master_port}{options.web_base_path or ''}"
        logger.debug("Connected to locust master: %s", address)
        return runner

    def _create_outputs(self, secret: set[str]) -> Outputs:
        return _WorkerOutputs(self.environment, self.runner, self.options, secret)

    def _prepare(self) -> None:
        options = self.options
        if options.run_time:
            logger.debug("--run-time specified for a worker node will be ignored.")
        if options.autostart and options.headless:
            super()._prepare()
        if options.autostart:
            logger.debug("The --autostart argument has no meaning on a worker.")

    def _begin(self) -> None:
        spawn(self._end_with_runner)

    def _on_ctrl_c(self) -> None:
        self.ending.set()

    def _exit_code(self) -> int:
        code = super()._exit_code()
        if self.environment.process_exit_code is None and self.runner._link.had_errors:
            return int(self.options.exit_code_on_error)
        return code

    def _shut_down(self) -> int:
        try:
            return super()._shut_down()
        finally:
            self.runner._link.close()


class _WorkerOutputs(Outputs):
    """The files and figures that are asked of this very process."""

    def begin(self, abort: Callable[[], None]) -> None:
        if self.options.print_stats and not self.options.only_summary:
            spawn(stats.stats_printer(self.environment.stats))
        if self.csv_writer is not None:
            spawn(self.csv_writer.stats_writer)
        if self.histograms is not None:
            spawn(self._tell_of_histograms, self.histograms)

    def close(self) -> bool:
        if self.csv_writer is not None:
            self.csv_writer.close_files()
        if self.histograms is not None:
            self.histograms.close()
        if self.options.json:
            stats.print_stats_json(self.environment.stats)
        return not self.options.json_file or self._save_json(self.options.json_file)

    def _create_verdicts(self, secret: set[str]) -> Verdicts:
        return _NoVerdicts(self.environment, self.options, secret)


class _NoVerdicts(Verdicts):
    """What one worker has measured is judged together with the others': by the master."""

    @property
    def checks(self) -> list[str]:
        return []

    def mistake(self) -> str | None:
        return None
