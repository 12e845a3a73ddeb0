"""Events, and the hooks that listeners are attached to."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

from gregaria import _engine

from . import log
from .exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser

Handler = TypeVar("Handler", bound=Callable[..., Any])

_CONTROL = (StopUser, StopTest, RescheduleTask, RescheduleTaskImmediately, InterruptTaskSet)


class _Follower(Protocol):
    def look_for_listeners(self) -> None: ...


_followers: WeakSet[_Follower] = WeakSet()
"""Who leaves out what nobody listens to: told at once when a hook has gained or lost a listener."""


class _WatchedClass(type):
    """Tells the engine when a method of `EventHook` is replaced: from then on it fires every event through Python."""

    def __setattr__(cls, name: str, value: object) -> None:
        _engine.event_hook_patched()
        super().__setattr__(name, value)


class EventHook(_engine.EventHookBase, metaclass=_WatchedClass):
    """One event. Its listeners are called in the order they were added, with keyword arguments.

    A listener may be a coroutine (not in Locust); it has ended before the next one is called, unless the event is fired
    in a coroutine, which cannot wait for it. A listener should accept `**kwargs`: events gain arguments over time::

        @events.test_start.add_listener
        def prepare(environment, **kwargs): ...
    """

    _handlers: list[Callable[..., Any]]

    def __setattr__(self, name: str, value: object) -> None:
        if name != "_handlers":  # a method replaced on this very hook
            _engine.event_hook_patched()
        super().__setattr__(name, value)

    def add_listener(self, handler: Handler) -> Handler:
        """Call `handler` whenever the event fires. Usable as a decorator."""
        self._handlers.append(handler)
        self._tell_followers()
        return handler

    def remove_listener(self, handler: Callable[..., Any]) -> None:
        """Undo `add_listener`. Raises ValueError if `handler` is no listener."""
        self._handlers.remove(handler)
        self._tell_followers()

    def _tell_followers(self) -> None:
        for follower in list(_followers):
            follower.look_for_listeners()

    def fire(self, *, reverse: bool = False, **kwargs: Any) -> None:
        """Call the listeners, the last one first if `reverse`.

        What a listener raises is logged, makes the exit code 2, and does not stop the others; the exceptions that steer
        a user (`StopUser`, `RescheduleTask` and their like) go on to the caller.
        """
        handlers = list(self._handlers)
        for handler in reversed(handlers) if reverse else handlers:
            try:
                returned = handler(**kwargs)
                if returned is not None:
                    _engine.settle(returned)
            except _CONTROL:
                raise
            except Exception:
                logging.error("Uncaught exception in event handler: \n%s", traceback.format_exc())
                log.unhandled_greenlet_exception = True

    @contextmanager
    def measure(
        self, request_type: str, name: str, response_length: int = 0, context: dict[str, Any] | None = None
    ) -> Generator[dict[str, Any], None, None]:
        """Time a block and fire this event with the result: for clients of your own.

        The block gets the event's arguments as a dict and may change them. An exception it raises is put there as
        `exception` and goes no further. Response times are in milliseconds, `start_time` in seconds of the epoch.
        """
        meta: dict[str, Any] = {
            "request_type": request_type,
            "name": name,
            "response_length": response_length,
            "context": context or {},
            "exception": None,
            "start_time": time.time(),
        }
        start = time.perf_counter()
        try:
            yield meta
        except Exception as error:
            meta["exception"] = error
        finally:
            meta["response_time"] = (time.perf_counter() - start) * 1000
            self.fire(**meta)


class DeprecatedEventHook(EventHook):
    """A hook that says, when it gets a listener, what to use instead."""

    def __init__(self, message: str) -> None:
        object.__setattr__(self, "message", message)

    message: str

    def add_listener(self, handler: Handler) -> Handler:
        """Add it all the same, and log what to use instead."""
        logging.warning(self.message)
        return super().add_listener(handler)


class Events:
    """All events of an environment, each an `EventHook`. Listeners get the arguments named here, as keywords."""

    request: EventHook
    """After each request: `request_type`, `name`, `response_time` (ms), `response_length` (bytes), `exception` (None
    for a success), `context`, `response`, `start_time` (s), `url`. Fire it yourself to report what a client of yours
    did."""
    user_error: EventHook
    """A task or `on_start` raised: `user_instance`, `exception`, `tb`."""
    report_to_master: EventHook
    """A worker is about to report: `client_id`, `data` (a dict to add to)."""
    worker_report: EventHook
    """The master got a report: `client_id`, `data`."""
    worker_connect: EventHook
    """A worker connected: `client_id`."""
    spawning_complete: EventHook
    """All users of a ramp are there: `user_count`."""
    quitting: EventHook
    """The process is about to end: `environment`. The last listener is called first."""
    quit: EventHook
    """The process ends: `exit_code`."""
    init: EventHook
    """Everything is set up, nothing runs yet: `environment`, `runner`, `web_ui`."""
    init_command_line_parser: EventHook
    """Arguments of your own can be added: `parser`."""
    test_start: EventHook
    """A test starts: `environment`."""
    test_stopping: EventHook
    """A test is about to stop: `environment`."""
    test_stop: EventHook
    """A test has stopped: `environment`."""
    reset_stats: EventHook
    """The statistics were reset from the web page."""
    cpu_warning: EventHook
    """The process takes too much CPU: `environment`, `cpu_usage` (%)."""
    heartbeat_sent: EventHook
    """`client_id`, `timestamp`."""
    heartbeat_received: EventHook
    """`client_id`, `timestamp`."""
    usage_monitor: EventHook
    """Every few seconds: `environment`, `cpu_usage` (%), `memory_usage` (bytes)."""

    def __init__(self) -> None:
        # Also what a subclass declares, by annotation or by the word as a value.
        for cls in reversed(type(self).__mro__):
            declared = {**vars(cls).get("__annotations__", {}), **vars(cls)}
            for name, kind in declared.items():
                if kind == "EventHook":
                    setattr(self, name, EventHook())
