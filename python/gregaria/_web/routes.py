"""Which handler answers what, and what an error within one looks like. No Flask is needed for any of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from . import files, pages
from .asked import Answer, Asked, text
from .steering import Steering
from .swarming import Swarming

if TYPE_CHECKING:
    from .page import Page

logger = logging.getLogger("locust.web")

Handler = Callable[[Asked], Answer]


FILES = {
    "request_stats_csv": "/stats/requests/csv",
    "failures_stats_csv": "/stats/failures/csv",
    "exceptions_csv": "/exceptions/csv",
}
"""The files that a locustfile's own class may make, by Locust's names."""


@dataclass(frozen=True)
class Route:
    """A route of Locust's, or of ours, that needs Python."""

    method: str
    path: str
    endpoint: str
    """Its name in Locust's blueprint."""
    handler: Handler


class Routes:
    """The routes of one page."""

    def __init__(self, page: Page) -> None:
        swarming = Swarming(page.web_ui.environment, lambda: page.web_ui.userclass_picker_is_active)
        steering = Steering(page.web_ui.environment)
        self._page = page
        self.base_path = page.base_path
        self.all = [
            Route("GET", "/", "index", partial(pages.index, page)),
            Route("POST", "/swarm", "swarm", swarming.swarm),
            Route("POST", "/stop", "stop", swarming.stop),
            Route("POST", "/stats/reset", "reset_stats", steering.reset),
            Route("GET", "/stats/report", "stats_report", steering.report),
            Route("GET", "/tasks", "tasks", steering.tasks),
            Route("GET", "/login", "login", partial(pages.login, page)),
            Route("POST", "/user", "update_user", steering.update_user),
            Route("POST", "/annotate", "annotate", steering.annotate),
        ]
        makers = files.handlers(page.web_ui)
        self.files = [Route("GET", path, endpoint, makers[endpoint]) for endpoint, path in FILES.items()]
        """Files that a class of the locustfile's makes, if there is one. Otherwise the server does."""
        self._by_path = {route.path: route for route in self.all}
        self._files_by_path = {route.path: route for route in self.files}

    def route(self, path: str) -> Route | None:
        """The route at a path as it was sent, which begins with the base path."""
        decoded = unquote(path)
        if not decoded.startswith(self.base_path):
            return None
        beneath = decoded[len(self.base_path) :]
        return self._by_path.get(beneath) or (self._files_by_path.get(beneath) if self.has_own_files else None)

    @property
    def has_own_files(self) -> bool:
        """Whether the CSV files are made by a class of the locustfile's, and not by the server."""
        return files.are_own(self._page.web_ui.stats_csv_writer)

    def answer(self, asked: Asked) -> Answer:
        """Answer a request."""
        route = self.route(asked.path)
        if route is None:
            return text(_page_of("404 Not Found"), 404)
        if asked.method in (route.method, "HEAD" if route.method == "GET" else route.method):
            return answered(route.handler, asked)
        allowed = ("Allow", "GET, HEAD, OPTIONS" if route.method == "GET" else "OPTIONS, POST")
        if asked.method == "OPTIONS":
            return text("", headers=[allowed])
        return text(_page_of("405 Method Not Allowed"), 405, headers=[allowed])


def _page_of(status: str) -> str:
    return f"<!doctype html>\n<html lang=en>\n<title>{status}</title>\n<h1>{status[4:]}</h1>\n"


def answered(handler: Handler, asked: Asked) -> Answer:
    """The handler's answer, or what Locust tells of an exception in it: the words, and not where it was."""
    try:
        return handler(asked)
    except Exception as error:
        tell(error, asked.method, asked.path)
        return text(str(error), 500)


def tell(error: Exception, method: str, path: str, status: int = 500) -> None:
    """Log that a route failed."""
    name = getattr(error, "name", type(error).__name__)
    level = logging.DEBUG if status <= 404 else logging.ERROR
    logger.log(level, f"UI got request for {method} {path}, but it resulted in a {status}: {name}")
