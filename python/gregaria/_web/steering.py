"""What else the page may ask a running process: reset, change a class, annotate, tell of tasks, report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gregaria import _following
from locust.html import get_html_report
from locust.user.inspectuser import get_ratio

from .asked import Answer, Asked, as_json, text
from .files import kept_as

if TYPE_CHECKING:
    from locust.env import Environment


class Steering:
    """The routes of one environment."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def reset(self, asked: Asked) -> Answer:
        """`POST /stats/reset`: counts and errors are forgotten, names are kept."""
        self.environment.events.reset_stats.fire()
        if (runner := self.environment.runner) is not None:
            runner.stats.reset_all()
            runner.exceptions = {}
            runner.stats.table.clear_exceptions()
        _following.tell(self.environment)
        return text("ok")

    def update_user(self, asked: Asked) -> Answer:
        """`POST /user`: attributes of a class, in JSON. Raises `KeyError` with the name of a class there is not."""
        settings: dict[str, Any] = json.loads(asked.data)
        name = settings.get("user_class_name")
        if (available := self.environment.available_user_classes) is None:
            raise TypeError("'NoneType' object is not subscriptable")
        if name not in available:
            raise KeyError(name)
        self.environment.update_user_class(settings)
        return as_json({}, 201)

    def annotate(self, asked: Asked) -> Answer:
        """`POST /annotate`, ours: a note in the charts and the files, `text` in a form or in JSON."""
        try:
            self.environment.annotate(_note(asked))
        except ValueError as error:
            return as_json({"success": False, "message": str(error)})
        return as_json({"success": True, "message": "Annotated"})

    def tasks(self, asked: Asked) -> Answer:
        """`GET /tasks`: how users are spread over classes, and their time over tasks."""
        environment = self.environment
        runner, classes = environment.runner, environment.user_classes
        spawned = {} if runner is None else runner.user_classes_count
        counts = {each.__name__: spawned.get(each.__name__, 0) for each in classes}
        return as_json({"per_class": get_ratio(classes, counts, False), "total": get_ratio(classes, counts, True)})

    def report(self, asked: Asked) -> Answer:
        """`GET /stats/report`: the report of what was measured so far."""
        is_kept = bool(asked.argument("download"))
        runner = self.environment.runner
        if runner is None:
            raise AttributeError("'NoneType' object has no attribute 'stats'", name="stats")
        page = get_html_report(self.environment, show_download_link=not is_kept, theme=asked.argument("theme"))
        if not is_kept:
            return text(page)
        return text(page, headers=[kept_as(self.environment, ".html")])


def _note(asked: Asked) -> str:
    if asked.kind != "application/json":
        return asked.form.get("text", [""])[0]
    try:
        posted = json.loads(asked.data)
    except ValueError:
        posted = None
    note = posted.get("text", "") if isinstance(posted, dict) else ""
    return note if isinstance(note, str) else ""
