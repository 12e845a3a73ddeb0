"""The web page: where it listens, and what it is told."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import gevent

from gregaria import _engine

from . import log, stats

if TYPE_CHECKING:
    from gregaria._web.serving import Serving

    from .env import Environment

logger = logging.getLogger(__name__)


class WebUI:
    """The page of one environment."""

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
        environment.web_ui = self
        self.environment = environment
        self.host = host
        self.port = port
        self.base_path = web_base_path or ""
        self.web_login = web_login
        self.tls = (tls_cert, tls_key) if tls_cert and tls_key else None
        self.build_path = build_path
        self.stats_csv_writer = stats_csv_writer or stats.StatsCSV(environment, stats.PERCENTILES_TO_REPORT)
        self.greenlet: gevent.Greenlet[..., Any] | None = None
        self.server: Serving | None = None
        if not delayed_start:
            self.start()

    def start(self) -> None:
        """Serve from now on, in the background."""
        self.greenlet = gevent.spawn(self.start_server)
        self.greenlet.link_exception(log.greenlet_exception_logger(logger))

    def start_server(self) -> None:
        """Serve until `stop()`."""
        from gregaria._web.serving import Serving

        try:
            self.server = Serving(
                self.environment,
                self._answer,
                self.host,
                self.port,
                base_path=self.base_path,
                tls=self.tls,
                login=self.web_login,
                build_path=self.build_path,
                csv_writer=self.stats_csv_writer,
            )
        except OSError as error:
            where = f"{self.host or '*'}:{self.port}"
            logger.critical("cannot serve the web page on `%s`: %s; `--web-port` chooses another port", where, error)
            log.unhandled_greenlet_exception = True
            return
        self.server.serve()

    def stop(self) -> None:
        """Serve no more."""
        if self.server is not None:
            self.server.stop()

    def _answer(self, request: _engine.WebRequest) -> None:
        path = request.path.removeprefix(self.base_path)
        runner = self.environment.runner
        assert runner is not None, "the command has a runner"
        if (request.method, path) == ("GET", "/"):
            request.answer(
                200, [("Content-Type", "text/html; charset=utf-8")], _engine.web_page("index", "{}").encode()
            )
        elif (request.method, path) == ("POST", "/stop"):
            runner.stop()
            _answer_json(request, {"success": True, "message": "Test stopped"})
        else:
            request.answer(404, [("Content-Type", "text/html; charset=utf-8")], b"Not found")


def _answer_json(request: _engine.WebRequest, answer: Any) -> None:
    text = json.dumps(answer, indent=2, sort_keys=True) + "\n"
    request.answer(200, [("Content-Type", "application/json")], text.encode())
