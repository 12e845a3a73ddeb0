"""The command with its page: tests begin and end there, and the process ends with the page, or when told to."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

import gevent

from gregaria._keyboard import Keyboard
from gregaria._outputs import spawn
from locust.main import _Run
from locust.web import WebUI

if TYPE_CHECKING:
    from argparse import Namespace

    from locust.env import Environment
    from locust.runners import MasterRunner

_EVERYWHERE = ("", "*", "0.0.0.0", "::")

logger = logging.getLogger("locust.main")


class RunWithPage(_Run):
    """As without a page, but that no test's end is the end."""

    def __init__(self, environment: Environment, options: Namespace, secret: set[str]) -> None:
        super().__init__(environment, options, secret)
        self.url = _url(options)
        self._tests_begun = 0

    def _prepare(self) -> None:
        options = self.options
        self.page: WebUI = self.environment.create_web_ui(
            host="" if options.web_host == "*" else options.web_host,
            port=options.web_port,
            web_base_path=options.web_base_path,
            web_login=options.web_login,
            tls_cert=options.tls_cert,
            tls_key=options.tls_key,
            stats_csv_writer=self.outputs.csv_writer,
            delayed_start=True,
            userclass_picker_is_active=options.class_picker,
            build_path=options.build_path,
        )

    def _begin(self) -> None:
        events = self.environment.events
        events.test_start.add_listener(self._on_test_start)
        events.test_stop.add_listener(self._on_test_stop)
        if self.options.web_host in _EVERYWHERE and not self.options.web_login:
            logger.info(
                "Whoever reaches this machine can steer the test: --web-host 127.0.0.1 keeps the page to it, and "
                "--web-login asks who comes"
            )
        logger.info("Starting web interface at %s, press enter to open your default browser.", self.url)
        self.page.start()
        if self.options.web_port == 0:
            gevent.sleep(0)  # It listens with its first turn.
            if self.page.server is not None:
                logger.info("The web interface has port %s", self.page.server.server_port)
        spawn(self._end_with_page)
        self.keyboard = Keyboard(self.runner, self.url)
        if self.options.autostart:
            self._start()

    def _wait(self) -> None:
        try:
            self.ending.wait()
        except KeyboardInterrupt:
            shape = self.end_with_shape
            if shape is None or shape.ready() or self.runner.shape_greenlet is None:
                raise
            # As in Locust the first Ctrl-C ends the shape's test, and `_end_with_shape` decides on what then.
            logging.info("Exiting due to CTRL+C interruption")
            self.runner.stop()
            self.ending.wait()

    def _has_workers(self, runner: MasterRunner) -> bool:
        from gregaria._cluster.expecting import wait_for_workers

        return wait_for_workers(runner, self.options, self.ending)

    def _abort(self) -> None:
        self.runner.stop()
        if self.end_with_time is not None:
            self.end_with_time.kill(block=False)
            self.runner._ends = None
        if self.options.autostart and self._tests_begun == 1:
            self._quit_if_asked_to()

    def _on_ctrl_c(self) -> None:
        self.ending.set()

    def _on_test_start(self, **_: object) -> None:
        limit = getattr(self.options, "iteration_limit", None)
        if limit and self._tests_begun:
            self._limit_iterations(limit)
        self._tests_begun += 1

    def _on_test_stop(self, **_: object) -> None:
        if self._tests_begun and not self.ending.is_set():
            self.outputs.verdicts.show_checks()

    def _end_with_page(self) -> None:
        if self.page.greenlet is not None:
            self.page.greenlet.join()
        self.ending.set()

    def _end_after(self, seconds: float, began: float) -> None:
        self.runner._ends = time.time() + seconds
        while (left := began + seconds - time.monotonic()) > 0:
            gevent.sleep(left)
        self.runner._ends = None
        logger.info("--run-time limit reached, stopping test")
        self.runner.stop()
        self._quit_if_asked_to()

    def _let_finish(self, reason: str) -> None:
        logger.info("%s, stopping test when the tasks under way have ended", reason)
        self.runner._let_finish()
        self.runner.stop()
        self.is_finishing = False
        if self.options.autostart:
            self._quit_if_asked_to()

    def _end_with_shape(self) -> None:
        shape = self.runner.shape_greenlet
        if shape is not None:
            shape.join()
            gevent.sleep(0)  # What ended it, if it was an exception, is told first.
        if self.is_finishing:
            return
        self._complete_shape()
        self._quit_if_asked_to()

    def _complete_shape(self) -> None:
        logger.info("Shape test completed, stopping test")
        self.runner.stop()

    def _quit_if_asked_to(self) -> None:
        seconds = self.options.autoquit
        if seconds < 0:
            logger.info("--autoquit not specified, leaving web ui running indefinitely")
            return
        logger.debug("--autoquit time is %s s", seconds)
        gevent.sleep(seconds)
        logger.info("--autoquit time reached, shutting down")
        self.ending.set()

    def _shut_down(self) -> int:
        try:
            return super()._shut_down()
        finally:
            self.page.stop()


def _url(options: Namespace) -> str:
    scheme = "https" if options.tls_cert and options.tls_key else "http"
    if options.web_host in ("", "*"):
        host = options.web_host_display_name or ("localhost" if os.name == "nt" else "0.0.0.0")
    else:
        host = f"[{options.web_host}]" if ":" in options.web_host else options.web_host
    return f"{scheme}://{host}:{options.web_port}{options.web_base_path or ''}"
