"""Run one user in a debugger: `run_single_user` at the end of a locustfile."""

from __future__ import annotations

import inspect
import os
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import locust

from . import argument_parser, log
from .env import Environment
from .exception import CatchResponseError
from .exception import RescheduleTask as RescheduleTask

if TYPE_CHECKING:
    from .user.users import User

_env: Environment | None = None
"""Kept from one call to the next: options are parsed and `init` is fired only once."""


class PrintListener:
    """Prints a line for every request."""

    def __init__(
        self,
        env: Environment,
        include_length: bool = False,
        include_time: bool = False,
        include_context: bool = False,
        include_payload: bool = False,
    ) -> None:
        self.include_length = include_length
        self.include_time = include_time
        self.include_context = include_context
        self.include_payload = include_payload
        env.events.request.add_listener(self.on_request)
        print()
        self._print(
            time="time".ljust(24),
            method="type",
            name="name",
            milliseconds="resp_ms",
            length="length",
            error="exception",
            context="context",
            payload="payload",
        )

    def on_request(
        self,
        request_type: str,
        name: str | None,
        response_time: float | None,
        response_length: int | None,
        exception: object,
        context: dict[str, Any] | None,
        start_time: float | None = None,
        response: object = None,
        **_kwargs: object,
    ) -> None:
        """Print the line of one request: response time in ms, length in bytes, start in seconds of the epoch."""
        began = datetime.now(UTC) if start_time is None else datetime.fromtimestamp(start_time, UTC)
        self._print(
            time=str(began),
            method=request_type,
            name=name or "",
            milliseconds=str(-1 if response_time is None else round(response_time)),
            length=str(response_length),
            error=_in_one_line(exception),
            context=str(context or ""),
            payload=_payload(response),
        )

    def _print(
        self, time: str, method: str, name: str, milliseconds: str, length: str, error: str, context: str, payload: str
    ) -> None:
        columns = [time] if self.include_time else []
        columns += [method, name.ljust(50), milliseconds.ljust(7)]
        columns += [length] if self.include_length else []
        columns += [error.ljust(9)]
        columns += [context] if self.include_context else []
        columns += [payload] if self.include_payload else []
        print("\t".join(columns))


def _in_one_line(exception: object) -> str:
    if not exception:
        return ""
    text = str(exception) if isinstance(exception, CatchResponseError) else repr(exception)
    return text[:500].replace("\n", " ")


def _payload(response: object) -> str:
    body = getattr(getattr(response, "request", None), "body", None)
    return "" if body is None else str(body)


def run_single_user(
    user_class: type[User],
    include_length: bool = False,
    include_time: bool = False,
    include_context: bool = False,
    include_payload: bool = False,
    loglevel: str | None = "WARNING",
) -> None:
    """Run one user in this greenlet, printing its requests, until it stops. Breakpoints work as usual.

    ```python
    if __name__ == "__main__":
        run_single_user(MyUser)
    ```
    """
    global _env
    if loglevel:
        log.setup_logging(loglevel)
    if _env is None:
        _env = _create_environment(_caller())
        PrintListener(
            _env,
            include_length=include_length,
            include_time=include_time,
            include_context=include_context,
            include_payload=include_payload,
        )
        _env.events.init.fire(environment=_env, runner=None, web_ui=None)
        if log.unhandled_greenlet_exception:
            os._exit(1)
    _env.user_classes = [user_class]
    _env._filter_tasks_by_tags()
    _env.events.test_start.fire(environment=_env)
    if _env.host:
        user_class.host = _env.host
    if _env._seeds is not None:
        _env._seeds.begin_test()
    with nullcontext() if _env._seeds is None else _env._seeds.next_user(user_class):
        user = user_class(_env)
        _env.single_user_instance = user  # type: ignore[attr-defined]
        user.run()


def _caller() -> str:
    """The file that called `run_single_user`."""
    return inspect.stack()[2].filename


def _create_environment(locustfile: str) -> Environment:
    options = argument_parser.get_parser().parse_args()
    options.locustfile = os.path.basename(locustfile)
    return Environment(events=locust.events, host=options.host, locustfile=options.locustfile, parsed_options=options)
