"""CSV files to download, where a locustfile makes them in its own way. Locust's own are made by the server."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from locust.stats import StatsCSV, StatsCSVFileWriter
from locust.util.date import format_safe_timestamp

from .asked import Answer, Asked, text

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.web import WebUI


def are_own(writer: StatsCSV) -> bool:
    """Whether somebody makes files in a way of his own."""
    return type(writer) not in (StatsCSV, StatsCSVFileWriter) or any(name in vars(writer) for name in _METHODS)


_METHODS = ("requests_csv", "failures_csv", "exceptions_csv")


def handlers(web_ui: WebUI) -> dict[str, Callable[[Asked], Answer]]:
    """Who makes the files, by endpoint: the writer that the page has when a file is asked for."""
    return {
        "request_stats_csv": _file(web_ui, "requests", lambda rows: web_ui.stats_csv_writer.requests_csv(rows)),
        "failures_stats_csv": _file(web_ui, "failures", lambda rows: web_ui.stats_csv_writer.failures_csv(rows)),
        "exceptions_csv": _file(web_ui, "exceptions", lambda rows: web_ui.stats_csv_writer.exceptions_csv(rows)),
    }


def _file(web_ui: WebUI, kind: str, write: Callable[[Any], None]) -> Callable[[Asked], Answer]:
    def handler(asked: Asked) -> Answer:
        rows = io.StringIO()
        write(csv.writer(rows))
        return text(rows.getvalue(), kind="text/csv", headers=[kept_as(web_ui.environment, f"_{kind}.csv")])

    return handler


def kept_as(environment: Environment, end: str) -> tuple[str, str]:
    """The header with the name under which a browser keeps what it downloads."""
    began = format_safe_timestamp(environment.stats.start_time)
    host = f"_{environment.host}" if environment.host else ""
    # A host comes from who uses the page, and this ends up in a header.
    name = "".join(filter(str.isprintable, f"Locust_{began}_{environment.locustfile}{host}{end}"))
    return "Content-Disposition", f"attachment;filename={name}"
