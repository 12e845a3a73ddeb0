"""Locust's blueprint: a view for every route that the page has, whoever makes the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import flask
from werkzeug.exceptions import HTTPException

from .asked import Answer, Asked
from .gateway import PASSED_ON
from .routes import Handler, Route, tell

if TYPE_CHECKING:
    from .page import Page

View = Callable[..., Any]

_BY_THE_SERVER = {
    "request_stats": "/stats/requests",
    "request_stats_full_history_csv": "/stats/requests_full_history/csv",
    "exceptions": "/exceptions",
    "logs": "/logs",
    "get_worker_count": "/worker-count",
}
"""What the server answers by itself, by Locust's names."""

_OURS = ("/stream", "/metrics", "/openapi.json", "/timeline", "/runs")
"""Likewise, without names in Locust."""

_NEEDS_NO_LOGIN = ("login",)


def blueprint(page: Page) -> flask.Blueprint:
    """A view for each of Locust's routes, under Locust's names."""
    made = flask.Blueprint("locust", "locust.web", url_prefix=page.base_path or None)

    def add(path: str, endpoint: str, view: View, method: str = "GET") -> None:
        made.add_url_rule(path, endpoint, view, methods=[method])

    for route in page.routes.all:
        view = _view(route.handler)
        add(route.path, route.endpoint, view if route.endpoint in _NEEDS_NO_LOGIN else page.guard(view), route.method)
    for route in page.routes.files:
        add(route.path, route.endpoint, page.guard(_view_of_a_file(page, route)))
    for endpoint, path in _BY_THE_SERVER.items():
        add(path, endpoint, page.guard(_view_of_the_server(page, path)))
    for path in _OURS:
        add(path, path.strip("/").partition(".")[0], _without_detour(page.guard(_pass_on)))
    add("/assets/<path:path>", "send_assets", lambda path: _of_the_server(page, f"/assets/{path}"))
    made.register_error_handler(Exception, _tell)
    return made


def _view(handler: Handler) -> View:
    def view() -> flask.Response:
        return _response(handler(_asked()))

    return view


def _view_of_the_server(page: Page, path: str) -> View:
    def view() -> flask.Response:
        return _of_the_server(page, path)

    view.clear_cache = page.clear_cache  # type: ignore[attr-defined]
    return view


def _view_of_a_file(page: Page, route: Route) -> View:
    def view() -> flask.Response:
        if page.routes.has_own_files:
            return _response(route.handler(_asked()))
        return _of_the_server(page, route.path)

    return view


def _of_the_server(page: Page, path: str) -> flask.Response:
    request = flask.request
    return _response(page.answer_of_the_server(path, request.query_string.decode("latin-1"), list(request.headers)))


def _pass_on() -> flask.Response:
    flask.request.environ[PASSED_ON] = True
    return flask.Response(status=204)


def _without_detour(view: View) -> View:
    """A program that wants data is told 401, where a person is led to the login."""

    def answered() -> Any:
        response = flask.make_response(view())
        is_led_away = response.status_code == 302 and "text/html" not in flask.request.headers.get("Accept", "")
        return flask.Response("Log in first.\n", 401, mimetype="text/plain") if is_led_away else response

    return answered


def _tell(error: Exception) -> Any:
    status = (error.code or 500) if isinstance(error, HTTPException) else 500
    tell(error, flask.request.method, flask.request.path, status)
    return str(error), status


def _asked() -> Asked:
    """Flask's request as the handlers see it. A hook may have read the form: then there is no body any more."""
    request = flask.request
    return Asked(
        method=request.method,
        path=request.path,
        query=request.query_string.decode("latin-1"),
        content_type=request.content_type or "",
        read_form={name: request.form.getlist(name) for name in request.form},
        body=request.get_data(),
    )


def _response(answer: Answer) -> flask.Response:
    return flask.Response(answer.body, answer.status, answer.headers)
