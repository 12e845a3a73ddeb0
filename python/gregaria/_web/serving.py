"""The engine's server of one page: it is told what changes, and what it hands over is answered.

The server answers by itself whatever needs no Python (`src/web/routes.rs`).
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent

from gregaria import _engine, _feeders, _following, _runs
from locust import log, stats, web
from locust.runners import MasterRunner

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.runners import Runner

_INTERVAL = 0.5
"""Seconds after which the page knows at the latest what nobody told."""

_MOST = 2**63
"""More users than this are shown as so many: whoever asks for them may."""

logger = logging.getLogger("locust.web")


class Serving:
    """Serves from its creation until `stop()`. Raises `OSError` where it cannot listen."""

    def __init__(
        self,
        environment: Environment,
        answer: Callable[[_engine.WebRequest], None],
        host: str,
        port: int,
        *,
        base_path: str = "",
        tls: tuple[str, str] | None = None,
        login: bool = False,
        build_path: str | None = None,
        csv_writer: stats.StatsCSV | None = None,
        hands_over: tuple[bool, bool] = (False, False),
    ) -> None:
        """`answer` runs in a greenlet of its own for each request, and calls `request.answer(…)`."""
        self.environment = environment
        self.answer = answer
        self._verdict = _runs.of(environment)
        self.engine = _engine.WebServer(
            self._verdict,
            host=host,
            port=port,
            base_path=base_path,
            tls=tls,
            hosts=_own_names(environment, host),
            takes_every_host=login,
            build_path=build_path,
            hands_over=hands_over,
            history_file=_history_file(csv_writer),
            window=stats.CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW,
            cache_time=max(0.0, float(web.DEFAULT_CACHE_TIME)),
        )
        self.server_host = host
        self.server_port = self.engine.port
        self._runner: Runner | None = None
        self.engine.log(log.get_logs())
        _following.follow_log(self.engine)
        _following.follow(environment, self.tell)
        self.tell()
        self._telling = gevent.spawn(self._keep_telling)

    def serve(self) -> None:
        """Have what is handed over answered, until the server is stopped."""
        while (request := self.engine.next()) is not None:
            gevent.spawn(self._answered, request)

    def _answered(self, request: _engine.WebRequest) -> None:
        try:
            self.answer(request)
        except Exception:
            logger.exception("%s %s was not answered", request.method, request.path)

    def stop(self) -> None:
        """Listen no more."""
        self._telling.kill()
        _following.leave_log(self.engine)
        _following.leave(self.environment)
        self.engine.close()

    def tell(self) -> None:
        """Tell the page how things are."""
        environment, runner = self.environment, self.environment.runner
        verdict = _runs.of(environment)
        if verdict is not self._verdict:
            self._verdict = verdict
            self.engine.follow(verdict)
        self.engine.set_percentiles(
            stats.PERCENTILES_TO_STATISTICS, stats.PERCENTILES_TO_CHART, stats.PERCENTILES_TO_REPORT
        )
        if not isinstance(runner, MasterRunner):
            logs = environment.worker_logs
            self.engine.set_worker_logs({str(worker): [str(line) for line in lines] for worker, lines in logs.items()})
        if runner is None:
            self.engine.set_status(
                state="missing",
                has_runner=False,
                locustfile=_text(environment.locustfile),
                download_name=_download_name(environment),
            )
            return
        if runner is not self._runner:
            self._runner = runner
            if isinstance(runner, MasterRunner):
                self.engine.follow_fleet(runner.server.engine)
        shape, options = environment.shape_class, environment.parsed_options
        limit, left = getattr(options, "iteration_limit", None), _feeders.iterations_left(runner)
        run_time = getattr(options, "run_time", None)
        self.engine.set_status(
            state=runner.state,
            host=_text(environment.host or _host_of(runner)),
            locustfile=_text(environment.locustfile),
            download_name=_download_name(environment),
            profile=_text(environment.profile),
            shape=None if shape is None else type(shape).__name__,
            target_user_count=min(int(runner.target_user_count), _MOST),
            spawn_rate=None if runner._spawn_rate is None else float(runner._spawn_rate),
            user_classes=list(runner.user_classes_count.items()),
            run_time=None if shape is not None or not run_time else float(run_time),
            ends=runner._ends,
            iterations=(limit - left, limit) if limit and left is not None else None,
            seed=environment.seed,
        )

    def _keep_telling(self) -> None:
        while True:
            gevent.sleep(_INTERVAL)
            self.tell()
            for complaint in self.engine.take_complaints():
                logger.error("%s", complaint)


def _text(value: object) -> str | None:
    """What a locustfile has put there may be anything."""
    return None if value is None else str(value)


def _host_of(runner: Runner) -> str | None:
    hosts = {user_class.host for user_class in runner.user_classes}
    return hosts.pop() if len(hosts) == 1 else None


def _history_file(writer: stats.StatsCSV | None) -> str | None:
    if isinstance(writer, stats.StatsCSVFileWriter) and writer.full_history:
        return writer.stats_history_file_name()
    return None


def _own_names(environment: Environment, host: str) -> list[str]:
    """What this server may be called in the address line of a browser, beside what can mean no other machine."""
    options = environment.parsed_options
    given = [host, socket.gethostname(), getattr(options, "web_host_display_name", None)]
    return [name for name in [*given, *(getattr(options, "web_allowed_hosts", None) or [])] if name]


def _download_name(environment: Environment) -> str:
    began = time.strftime("%Y-%m-%d-%Hh%M", time.localtime(environment.stats.start_time))
    host = f"_{environment.host}" if environment.host else ""
    return f"Locust_{began}_{environment.locustfile}{host}"
