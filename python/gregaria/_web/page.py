"""One page: its routes, its server, and the Flask application if the locustfile has asked for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gregaria import _engine

from . import gateway
from .asked import Answer, Asked, Headers, text
from .routes import Routes
from .serving import Serving

if TYPE_CHECKING:
    from locust.web import WebUI

    from .application import Application
    from .login import Login

logger = logging.getLogger("locust.web")

_NOT_YET = "the page is not served yet: call `web_ui.start()` first"


class Page:
    """What is behind a `WebUI`."""

    def __init__(self, web_ui: WebUI, base_path: str, build_path: str | None) -> None:
        self.web_ui = web_ui
        self.base_path = base_path.rstrip("/")
        self.build_path = build_path
        self.is_secure = bool(web_ui.tls_cert and web_ui.tls_key)
        self.login: Login | None = None
        self.routes = Routes(self)
        if web_ui.web_login:
            self.login = _login(self)

    @cached_property
    def application(self) -> Application:
        """The Flask application. Raises `ImportError` where there is no Flask."""
        from .application import Application

        return Application(self)

    @property
    def _is_extended(self) -> bool:
        return "application" in vars(self)

    def serving(self) -> Serving:
        """Begin to serve. Raises `OSError` where that is not possible."""
        web_ui = self.web_ui
        return Serving(
            web_ui.environment,
            self.answer,
            web_ui.host,
            web_ui.port,
            base_path=self.base_path,
            tls=(web_ui.tls_cert, web_ui.tls_key) if web_ui.tls_cert and web_ui.tls_key else None,
            login=web_ui.web_login,
            build_path=self.build_path,
            csv_writer=web_ui.stats_csv_writer,
            hands_over=self._hands_over(),
        )

    def answer(self, request: _engine.WebRequest) -> None:
        """Answer what the server has handed over."""
        if self.login is not None and (wait := self.login.is_too_often(request)):
            words = "Too many attempts to log in: wait a minute, and try again.\n"
            self._send(request, text(words, 429, "text/plain; charset=utf-8", [("Retry-After", str(wait))]))
        elif self._application_answers(request.path):
            gateway.serve(self.application, request, self._port)
        elif self.routes.has_own_files and self.routes.route(request.path) is None:
            request.pass_on()
        else:
            self._send(request, self.routes.answer(_asked(request)))

    def _application_answers(self, path: str) -> bool:
        if self.login is not None:
            return True
        return self._is_extended and (self.application.has_a_say or self.routes.route(path) is None)

    def _send(self, request: _engine.WebRequest, answer: Answer) -> None:
        request.answer(answer.status, answer.headers, answer.body)

    def guard(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """The view, for those alone who are logged in, if there is a login."""
        if not self.web_ui.web_login:
            return view
        from .login import required

        return required(view)

    def hand_over_what_is_needed(self) -> None:
        """Have the server hand over what the application has a say in."""
        if self.web_ui.server is not None:
            self.web_ui.server.engine.hand_over(*self._hands_over())

    def _hands_over(self) -> tuple[bool, bool]:
        """Whether Python answers the routes that Locust has, and those that are ours, where the server could."""
        everything = self.login is not None or (self._is_extended and self.application.has_a_say)
        return everything or self.routes.has_own_files, everything

    def answer_of_the_server(self, path: str, query: str, headers: Headers) -> Answer:
        """What the server answers by itself to a `GET` of a path beneath the base path."""
        server = self.web_ui.server
        if server is None:
            return text(_NOT_YET, 503)
        answer = server.engine.builtin(path, query, headers)
        if answer is None:
            return text(f"there is nothing at `{path}`", 404)
        status, sent, body = answer
        return Answer(body, status, sent)

    def clear_cache(self) -> None:
        """Have the statistics made anew for the next who asks."""
        if self.web_ui.server is not None:
            self.web_ui.server.engine.clear_cache()

    @property
    def _port(self) -> int:
        server = self.web_ui.server
        return self.web_ui.port if server is None else server.server_port


def _login(page: Page) -> Login:
    from .application import Application  # It says what to install.

    _ = Application
    from .login import Login

    return Login(page, page.application)


def _asked(request: _engine.WebRequest) -> Asked:
    kinds = (value for name, value in request.headers if name.lower() == "content-type")
    return Asked(request.method, request.path, request.query, next(kinds, ""), request.body)
