"""`--web-login`: who is let in. The locustfile says who; what is around that is here."""

from __future__ import annotations

import html
import logging
import time
from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import flask
from flask_login import LoginManager, login_required, user_logged_in
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from gregaria._engine import WebRequest

    from .page import Page

ATTEMPTS = 10
"""How often somebody may be wrong within `WINDOW`."""

WINDOW = 60.0
"""Seconds."""

_HINT = "See docs/web.md, or Locust's documentation of authentication, for what a locustfile has to set up."

logger = logging.getLogger("locust.web")


class Login:
    """The login of a page."""

    def __init__(self, page: Page, application: flask.Flask) -> None:
        self.page = page
        self.application = application
        self.manager = LoginManager(application)
        self.manager.login_view = "locust.login"
        self._tries: dict[str, deque[float]] = {}
        user_logged_in.connect(self._forget, application)

    def is_too_often(self, request: WebRequest) -> int:
        """Count an attempt to log in; the seconds that this one has to wait, if it has to."""
        if request.method != "POST" or not self._logs_in(unquote(request.path)):
            return 0
        now = time.monotonic()
        self._tries = {peer: tries for peer, tries in self._tries.items() if tries[-1] > now - WINDOW}
        tries = self._tries.setdefault(request.peer, deque(maxlen=ATTEMPTS))
        if len(tries) == ATTEMPTS and (wait := tries[0] + WINDOW - now) > 0:
            return int(wait) + 1
        tries.append(now)
        return 0

    def _logs_in(self, path: str) -> bool:
        """Whether this is where the login page posts to: the same view, however the path is written."""
        view = self._view_at(path)
        return view is not None and view in map(self._view_at, self._callbacks())

    def _view_at(self, path: str) -> str | None:
        try:
            endpoint, _ = self.application.url_map.bind("localhost").match(path, method="POST")
        except HTTPException:  # nothing there, or a redirect
            return None
        return str(endpoint)

    def messages(self) -> tuple[Any, Any]:
        """What went wrong with the last attempt of this browser, and what else it is to be told."""
        return flask.session.get("auth_error"), flask.session.get("auth_info")

    def _callbacks(self) -> set[str]:
        """Where the forms of the login page are posted to."""
        args: dict[str, Any] = dict(self.page.web_ui.auth_args)
        urls = (args.get("username_password_callback"), (args.get("custom_form") or {}).get("callback_url"))
        return {urlsplit(url).path for url in urls if url}

    def _forget(self, sender: object, **_: object) -> None:
        self._tries.pop(flask.request.remote_addr or "", None)


def required(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let in who is logged in. What is raised meanwhile, by the view, too, is told with status 200, as in Locust."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            flask.session["auth_error"] = flask.session["auth_info"] = None
            return login_required(view)(*args, **kwargs)
        except Exception as error:
            logger.exception("The login failed: %s", error)
            return f"Locust auth exception: {html.escape(str(error), quote=False)} {_HINT}"

    return guarded
