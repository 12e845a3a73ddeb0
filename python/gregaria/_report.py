"""The report's file, and what it shows beside Locust's figures (`src/report/html/`, `src/report/record.rs`)."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from gregaria import _engine

if TYPE_CHECKING:
    from argparse import Namespace

    from locust.env import Environment
    from locust.stats import RequestStats

Record = Callable[[], str | None]

_records: WeakKeyDictionary[Environment, Record] = WeakKeyDictionary()

logger = logging.getLogger("locust.main")


def register(environment: Environment, record: Record) -> None:
    """Tell where the record of this environment's run is to be had, as JSON."""
    _records[environment] = record


def record(environment: Environment, measured: RequestStats) -> str:
    """What only our reports know, as JSON: all of it in a run of the command, from a script what its figures tell."""
    from locust.runners import MasterRunner

    of_run = _records.get(environment)
    known: dict[str, Any] = json.loads((of_run and of_run()) or "{}")
    known["version"] = _engine.__version__
    known["seed"] = environment.seed
    known["options"] = _unusual(known.get("options", {}))
    known.update(json.loads(_engine.report_details(measured.table)))
    if isinstance(runner := environment.runner, MasterRunner):
        known["workers"] = json.loads(runner.server.engine.participants())
    return json.dumps(known, separators=(",", ":"))


def _unusual(options: dict[str, Any]) -> dict[str, Any]:
    """Those that were not left as they are by default."""
    if not options:
        return {}
    from locust.argument_parser import default_args_dict

    defaults = default_args_dict()
    return {name: value for name, value in options.items() if value != defaults.get(name)}


class ReportFile:
    """`--html`: written when the test has ended, and again if it was not quite over then."""

    def __init__(self, environment: Environment, options: Namespace) -> None:
        self.environment = environment
        self.options = options
        self._written: int | None = None
        """How many requests are in it; `None` while it may not be the last word."""
        self._is_whole = True

    def write(self, *, is_over: bool) -> bool:
        """Write what there is; whether that was possible. `is_over`: no user counts any more."""
        from locust import html

        counted = self.environment.stats.num_requests
        if not self.options.html_file or self._written == counted:
            return self._is_whole
        report = html.get_html_report(self.environment, show_download_link=False)
        html.process_html_filename(self.options)
        self._written = counted if is_over else None
        self._is_whole = self._save(self.options.html_file, report)
        return self._is_whole

    def _save(self, path: str, report: str) -> bool:
        try:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(report)
        except OSError as error:
            logger.error("`--html`: cannot write `%s`: %s", path, error)
            return False
        logger.debug("Wrote the report to `%s`", path)
        return True
