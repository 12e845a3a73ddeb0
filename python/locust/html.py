"""The HTML report: `--html`, and `get_html_report` for scripts."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from gregaria import _engine, _report

from . import stats
from .runners import STATE_STOPPED, STATE_STOPPING, Runner
from .user.inspectuser import get_ratio
from .util.date import format_duration, format_utc_timestamp

if TYPE_CHECKING:
    from argparse import Namespace

    from .env import Environment

PERCENTILES_FOR_HTML_REPORT = [0.50, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0]
"""The columns of the report's table of response times, as quantiles."""

DEFAULT_BUILD_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "webui", "dist")
"""Stands for the pages that are part of the engine: there is no such folder."""


def process_html_filename(options: Namespace) -> None:
    """Put users, spawn rate and run time (s) for `{u}`, `{r}` and `{t}` in `options.html_file`, if known."""
    for term, value in (("{u}", options.num_users), ("{r}", options.spawn_rate), ("{t}", options.run_time)):
        if value is not None:
            shown = int(value) if float(value).is_integer() else value
            options.html_file = options.html_file.replace(term, str(shown))


def render_template_from(file: str, build_path: str = DEFAULT_BUILD_PATH, **kwargs: Any) -> str:
    """Render a page: the report that is part of the engine, or a Jinja2 template of your own in `build_path`.

    Raises `FileNotFoundError` for a page that the engine does not have, and what Jinja2 raises for templates.
    """
    if build_path == DEFAULT_BUILD_PATH:
        if file != "report.html":
            raise FileNotFoundError(f"there is no page `{file}` in gregaria: only `report.html`")
        return _engine.report_page(_json(kwargs.get("template_args", {})), "{}", _theme(kwargs.get("theme", "")))
    from jinja2 import Environment as Templates
    from jinja2 import FileSystemLoader

    return Templates(loader=FileSystemLoader(build_path)).get_template(file).render(**kwargs)


def get_html_report(environment: Environment, show_download_link: bool = True, theme: str = "") -> str:
    """Return the report of a test, while it runs or after it.

    `theme` is `light` or `dark`; without one the reader's system decides.
    """
    runner = environment.runner
    if runner is None:
        raise ValueError("there is nothing to report before the environment has a runner: call `create_local_runner()`")
    args = _template_args(environment, runner, show_download_link)
    return _engine.report_page(_json(args), _report.record(environment, runner.stats), _theme(theme))


def _template_args(environment: Environment, runner: Runner, show_download_link: bool) -> dict[str, Any]:
    """What Locust's report carries: scripts read it out of the page."""
    measured = runner.stats
    start, end = measured.start_time, measured.last_request_timestamp or measured.start_time
    start_time, end_time = format_utc_timestamp(start), format_utc_timestamp(end)
    history = measured.history
    if history and history[-1]["time"] < end_time:
        stats.update_stats_history(runner, end_time)
        history = measured.history
    entries = [*stats.sort_stats(measured.entries), measured.total]
    return {
        "is_report": True,
        "requests_statistics": [entry.to_dict() for entry in entries],
        "failures_statistics": [error.to_dict() for error in stats.sort_stats(measured.errors)],
        "exceptions_statistics": [
            {**exception, "nodes": ", ".join(exception["nodes"])} for exception in runner.exceptions.values()
        ],
        "response_time_statistics": [_response_times(entry) for entry in entries],
        "start_time": start_time,
        "end_time": end_time,
        "duration": format_duration(start, end),
        "host": str(_host(environment, runner)),
        "history": history,
        "show_download_link": show_download_link,
        "locustfile": str(environment.locustfile),
        "tasks": _tasks(environment, runner),
        "percentiles_to_chart": stats.PERCENTILES_TO_CHART,
        "profile": str(environment.profile) if environment.profile else None,
    }


def _response_times(entry: stats.StatsEntry) -> dict[str, Any]:
    quantiles = {str(q): entry.get_response_time_percentile(q) for q in PERCENTILES_FOR_HTML_REPORT}
    return {"name": entry.name, "method": entry.method or "", **quantiles}


def _host(environment: Environment, runner: Runner) -> str | None:
    """The environment's, or the one that all classes have."""
    hosts = {user_class.host for user_class in runner.user_classes}
    return environment.host or (hosts.pop() if len(hosts) == 1 else None)


def _tasks(environment: Environment, runner: Runner) -> dict[str, Any]:
    """As they were when the test was stopped; until then, as they are."""
    is_over = runner.state in (STATE_STOPPED, STATE_STOPPING)
    spawned = runner.final_user_classes_count if is_over else runner.user_classes_count
    classes = environment.user_classes
    return {"per_class": get_ratio(classes, spawned, False), "total": get_ratio(classes, spawned, True)}


def _json(args: dict[str, Any]) -> str:
    return json.dumps(args, sort_keys=True)


def _theme(theme: str) -> str:
    return theme if theme in ("light", "dark") else ""
