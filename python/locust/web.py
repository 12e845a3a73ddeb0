"""The web page: where it listens, what it is told, and what a locustfile adds to it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict

import gevent

import locust

from . import argument_parser as argument_parser
from . import log, stats
from .contrib import fasthttp as fasthttp
from .html import DEFAULT_BUILD_PATH as DEFAULT_BUILD_PATH
from .html import get_html_report as get_html_report
from .html import render_template_from as render_template_from
from .log import get_logs as get_logs
from .log import greenlet_exception_logger
from .runners import STATE_MISSING as STATE_MISSING
from .runners import STATE_RUNNING as STATE_RUNNING
from .runners import MasterRunner as MasterRunner
from .user.inspectuser import get_ratio as get_ratio
from .user.users import HttpUser as HttpUser
from .util.cache import memoize as memoize
from .util.date import format_safe_timestamp as format_safe_timestamp
from .util.timespan import parse_timespan as parse_timespan

if TYPE_CHECKING:
    from flask import Flask
    from flask_login import LoginManager

    from gregaria._web.serving import Serving

    from .env import Environment

version = locust.__version__

logger = logging.getLogger(__name__)
greenlet_exception_handler = greenlet_exception_logger(logger)

DEFAULT_CACHE_TIME = 2.0
"""Seconds for which an answer with statistics is given to whoever asks. Read when a page is made."""

HOST_IS_REQUIRED = False
"""Whether the page starts no test without a host."""


class InputField(TypedDict, total=False):
    """A field of a login form of one's own."""

    label: str
    name: str
    type: str | None
    default_value: bool | None
    choices: list[str] | None
    is_multiple: bool | None
    is_secret: bool | None
    is_required: bool | None


class CustomForm(TypedDict, total=False):
    """A login form of one's own: its fields, and where it is posted to."""

    inputs: list[InputField] | None
    callback_url: str
    submit_button_text: str | None


class AuthProvider(TypedDict, total=False):
    """A button of the login page: somebody else knows the user."""

    label: str | None
    callback_url: str
    icon_url: str | None


class AuthArgs(TypedDict, total=False):
    """What the login page shows."""

    custom_form: CustomForm
    auth_providers: list[AuthProvider]
    username_password_callback: str
    error: str
    info: str


class WebUI:
    """The page of one environment. `Environment.create_web_ui` makes it, and so does the command."""

    greenlet: gevent.Greenlet[..., Any] | None = None
    """Serves the page; it ends with `stop()`."""

    server: Serving | None = None
    """While it serves; `server.server_port` is the port that `port=0` came to."""

    template_args: dict[str, Any]
    """What the page is told. Yours to add to; names of Locust's are set anew each time the page is loaded."""

    auth_args: AuthArgs
    """What the login page shows, with `--web-login`. Yours to set."""

    def __init__(
        self,
        environment: Environment,
        host: str,
        port: int,
        web_base_path: str | None = None,
        web_login: bool = False,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        stats_csv_writer: stats.StatsCSV | None = None,
        delayed_start: bool = False,
        userclass_picker_is_active: bool = False,
        build_path: str | None = None,
    ) -> None:
        """Make a page; it is served at once, unless `delayed_start`. `Environment.create_web_ui` tells of the rest."""
        from gregaria._web.page import Page

        environment.web_ui = self
        self.environment = environment
        self.host = host
        self.port = port
        self.tls_cert = tls_cert
        self.tls_key = tls_key
        self.stats_csv_writer = stats_csv_writer or stats.StatsCSV(environment, stats.PERCENTILES_TO_REPORT)
        self.userclass_picker_is_active = userclass_picker_is_active
        self.web_login = web_login
        self.template_args = {}
        self.auth_args = {}
        self._page = Page(self, web_base_path or "", build_path)
        if environment.runner is not None:
            self.update_template_args()
        if not delayed_start:
            self.start()

    @property
    def app(self) -> Flask:
        """The Flask application, for routes, blueprints and hooks of yours. It is made when it is first asked for.

        Raises `ImportError` where Flask is not installed: `pip install 'gregaria[web]'`.
        """
        return self._page.application

    @property
    def login_manager(self) -> LoginManager:
        """Flask-Login's manager, for your `user_loader`. Raises `AttributeError` without `--web-login`."""
        if self._page.login is None:
            raise AttributeError("The login_manager is only available with --web-login.\n")
        return self._page.login.manager

    def auth_required_if_enabled(self, view_func: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a view of yours: with `--web-login` it is for those alone who are logged in."""
        return self._page.guard(view_func)

    def update_template_args(self) -> None:
        """Set what Locust tells the page in `template_args`. Done each time the page is loaded."""
        from gregaria._web import arguments

        environment, runner = self.environment, self.environment.runner
        if runner is not None:
            is_picking = self.userclass_picker_is_active
            self.template_args.update(arguments.of(environment, runner, is_picking=is_picking))

    def start(self) -> None:
        """Serve from now on, in the background."""
        self.greenlet = gevent.spawn(self.start_server)
        self.greenlet.link_exception(greenlet_exception_handler)

    def start_server(self) -> None:
        """Serve until `stop()`. Where that is not possible, a line of the log says why, and the run has failed."""
        try:
            self.server = self._page.serving()
        except OSError as error:
            where = f"{self.host or '*'}:{self.port}"
            logger.critical("cannot serve the web page on `%s`: %s; try `--web-port`", where, error)
            log.unhandled_greenlet_exception = True
            return
        self._page.hand_over_what_is_needed()
        self.server.serve()

    def stop(self) -> None:
        """Serve no more. Return when requests that are under way have been answered."""
        if self.server is not None:
            self.server.stop()
