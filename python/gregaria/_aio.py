"""The asyncio loop that runs coroutines beside gevent's hub.

It is asyncio's own selector loop, with a selector that waits in the hub: the loop's greenlet gives way to others
whenever asyncio has nothing to do, and an event of the hub brings it back. Everything is on one thread. It is imported
with the first coroutine of a run.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import selectors
import sys
import traceback
from asyncio import events
from collections.abc import Callable, Coroutine, Mapping
from time import monotonic
from typing import Any, Final, TypeVar

import gevent
from gevent import monkey
from greenlet import GreenletExit, getcurrent, greenlet

from . import _engine

logger = logging.getLogger(__name__)

T = TypeVar("T")

TURN: Final = 0.005
"""For so many seconds coroutines that are ready may run before sockets, timers and other greenlets are looked after."""

_thread: Callable[[], int] = monkey.get_original("_thread", "get_ident")


class HubSelector(selectors.BaseSelector):
    """Waits for files in gevent's hub, for one loop, whose greenlet it keeps.

    Watchers stay with their files. One that went off is stopped until the loop asks again, because until then nobody
    reads what it tells of.
    """

    def __init__(self, loop: Loop) -> None:
        self.hub = gevent.get_hub()
        self.is_parked = True
        """Whether the loop runs nothing until it is woken."""
        self._loop = loop
        self._keys: dict[int, selectors.SelectorKey] = {}
        self._watchers: dict[int, Any] = {}
        self._fired: dict[int, int] = {}
        self._resting: list[int] = []
        self._alarm: Any = None
        self._rings_at = 0.0
        self._turn_ends = 0.0
        self._waking: Any = None
        self._greenlet: greenlet | None = None

    # What BaseSelector wants.

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        fd = fileobj if isinstance(fileobj, int) else int(fileobj.fileno())
        if fd in self._keys:
            raise KeyError(f"{fileobj!r} (FD {fd}) is already registered")
        key = self._keys[fd] = selectors.SelectorKey(fileobj, fd, events, data)
        self._watch(key)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = self.get_key(fileobj)
        del self._keys[key.fd]
        self._unwatch(key.fd)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        old = self.get_key(fileobj)
        key = self._keys[old.fd] = old._replace(events=events, data=data)
        if events != old.events:
            self._unwatch(old.fd)
            self._watch(key)
        return key

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys[fileobj if isinstance(fileobj, int) else fileobj.fileno()]

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def close(self) -> None:
        for fd in list(self._watchers):
            self._unwatch(fd)
        self._keys.clear()
        self._drop_alarm()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What has become readable or writable. Gives way to other greenlets, for as long as `timeout` allows."""
        for fd in self._resting:
            if fd in self._watchers:
                self._start(fd)
        self._resting.clear()
        if timeout is not None and timeout <= 0:
            if monotonic() >= self._turn_ends:
                self._let_others_run()
        elif not self._fired:
            self._park(timeout)
        if not self._fired:
            return []
        fired, self._fired = self._fired, {}
        return [(self._keys[fd], mask & self._keys[fd].events) for fd, mask in fired.items() if fd in self._keys]

    # How it waits.

    def wake(self) -> None:
        """Something is ready: have the loop go on, or begin."""
        self.is_parked = False
        if self._greenlet is None:
            self._greenlet = greenlet(self._live, self.hub)
        self._waking = self.hub.loop.run_callback(self._greenlet.switch)

    def _live(self) -> None:
        _engine.note_loop_greenlet(True)
        self._loop.begin()
        try:
            self._loop.run_forever()
        finally:
            # Somebody stopped the loop, killed its greenlet or ends the program: what is left goes on in a new one.
            self._loop.end()
            _engine.note_loop_greenlet(False)
            self._greenlet = None
            self.is_parked = True
            if self._loop.has_plans and self.hub.loop is not None:
                self.wake()

    def _park(self, timeout: float | None) -> None:
        self.is_parked = True
        if self._loop.has_work:
            self.is_parked = False
            return
        if timeout is not None:
            self._set_alarm(monotonic() + timeout)
        self._give_way()

    def _let_others_run(self) -> None:
        self.wake()
        self._give_way()

    def _give_way(self) -> None:
        self._loop.step_aside()
        try:
            self.hub.switch()
        except GreenletExit:
            raise
        except Exception as error:
            self._stop_waking()
            logger.error("%r was thrown into the asyncio loop; in a coroutine use `asyncio.timeout`", error)
        except BaseException as error:
            self._stop_waking()
            if not isinstance(error, gevent.Timeout):
                raise
            logger.error("a gevent.Timeout of %s has no effect in a coroutine; use `asyncio.timeout`", error)
        finally:
            self.is_parked = False
            self._loop.step_in()
            self._turn_ends = monotonic() + TURN

    def _stop_waking(self) -> None:
        if self._waking is not None:
            self._waking.stop()

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None and self._rings_at <= at:
            return  # it wakes the loop too early, which then looks again
        self._drop_alarm()
        self._rings_at = at
        self._alarm = self.hub.loop.timer(max(0.0, at - monotonic()))
        self._alarm.start(self._ring, update=True)

    def _drop_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None

    def _ring(self) -> None:
        self._drop_alarm()
        if self.is_parked:
            self.wake()

    def _watch(self, key: selectors.SelectorKey) -> None:
        # asyncio's bits are libev's.
        self._watchers[key.fd] = self.hub.loop.io(key.fd, key.events)
        self._start(key.fd)

    def _start(self, fd: int) -> None:
        self._watchers[fd].start(self._note, fd, pass_events=True)

    def _unwatch(self, fd: int) -> None:
        watcher = self._watchers.pop(fd)
        watcher.stop()
        watcher.close()
        self._fired.pop(fd, None)

    def _note(self, events: int, fd: int) -> None:
        watcher = self._watchers.get(fd)
        if watcher is None:
            return
        watcher.stop()
        self._resting.append(fd)
        self._fired[fd] = self._fired.get(fd, 0) | events
        if self.is_parked:
            self.wake()

    def ignore_when_idle(self, fd: int) -> None:
        """This file alone is no reason to go on waiting."""
        self._watchers[fd].ref = False


class Loop(asyncio.SelectorEventLoop):
    """asyncio's loop, in a greenlet."""

    def __init__(self) -> None:
        self._hub_selector = HubSelector(self)
        self._owner = _thread()
        super().__init__(self._hub_selector)
        for fd in self._hub_selector.get_map():
            self._hub_selector.ignore_when_idle(fd)
        self._hooks: Any = sys.get_asyncgen_hooks()
        self._own_hooks = self._hooks
        self._outer: asyncio.AbstractEventLoop | None = None
        self._beside: set[asyncio.Task[Any]] = set()

    # Coroutines of users and listeners.

    def start(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine as part of the running greenlet: what it keeps in context variables is the greenlet's."""
        return self.create_task(coroutine, context=_own_context())

    def start_beside(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run a listener's coroutine for somebody who cannot wait for it."""
        task = self.create_task(coroutine)
        self._beside.add(task)
        task.add_done_callback(self._tell_of_listener)

    def _tell_of_listener(self, task: asyncio.Task[Any]) -> None:
        self._beside.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            from locust import log

            logging.error("Uncaught exception in event handler: \n%s", _traceback(error))
            log.unhandled_greenlet_exception = True

    # What differs from asyncio's own loop.

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> events.Handle:  # type: ignore[override]
        if self._debug or self._closed:  # type: ignore[attr-defined]
            handle = super().call_soon(callback, *args, context=context)
        else:  # what that does beside its checks
            handle = events.Handle(callback, args, self, context)
            self._ready.append(handle)  # type: ignore[attr-defined]
        if self._hub_selector.is_parked:
            self._hub_selector.wake()
        return handle

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> events.TimerHandle:  # type: ignore[override]
        handle = super().call_at(when, callback, *args, context=context)
        if self._hub_selector.is_parked:
            self._hub_selector.wake()
        return handle

    def _check_thread(self) -> None:
        # asyncio's own asks gevent's `threading`, where every greenlet is a thread.
        if _thread() != self._owner:
            raise RuntimeError("Non-thread-safe operation invoked on an event loop of another thread")

    def _write_to_self(self) -> None:
        if _thread() != self._owner:
            super()._write_to_self()  # type: ignore[misc]
        elif self._hub_selector.is_parked:
            self._hub_selector.wake()

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Without an executor, in a greenlet: there code may wait as a task that is no coroutine does."""
        if executor is not None or self._default_executor is not None:  # type: ignore[attr-defined]
            return super().run_in_executor(executor, func, *args)
        return self._in_greenlet(func, *args)

    def _in_greenlet(self, function: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        self._check_closed()  # type: ignore[attr-defined]
        future = self.create_future()

        def run() -> None:
            try:
                result = function(*args)
            except StopIteration as error:
                end_of_iteration = RuntimeError("the function raised StopIteration, which no coroutine can pass on")
                end_of_iteration.__cause__ = error
                if not future.done():
                    future.set_exception(end_of_iteration)
            except BaseException as error:
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(result)

        def end(future: asyncio.Future[Any]) -> None:
            if future.cancelled():
                worker.kill(block=False)

        worker = gevent.spawn(run)
        future.add_done_callback(end)
        return future

    @property
    def has_work(self) -> bool:
        """Whether callbacks are ready to be run."""
        return bool(self._ready)  # type: ignore[attr-defined]

    @property
    def has_plans(self) -> bool:
        """Whether callbacks are ready, or will be in time."""
        return self.has_work or bool(self._scheduled)  # type: ignore[attr-defined]

    # To asyncio one loop runs on a thread. Others' greenlets see none, or that of a task's own `asyncio.run`.

    def begin(self) -> None:
        """The greenlet begins, in the midst of what others do."""
        self._outer = events._get_running_loop()
        events._set_running_loop(None)

    def end(self) -> None:
        """The greenlet ends."""
        events._set_running_loop(self._outer)

    def step_aside(self) -> None:
        """Others run now."""
        self._own_hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(*self._hooks)
        events._set_running_loop(self._outer)

    def step_in(self) -> None:
        """The loop goes on."""
        self._hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(*self._own_hooks)
        self._outer = events._get_running_loop()
        events._set_running_loop(self)


def _own_context() -> contextvars.Context | None:
    """The running greenlet's context, or nothing where it cannot be lent: then the coroutine gets a copy."""
    context = getcurrent().gr_context
    if context is None:  # Python makes a greenlet's context when it is first needed.
        contextvars.copy_context()
        context = getcurrent().gr_context
    try:
        if context is not None:
            context.run(_nothing)
    except RuntimeError:  # the greenlet is in the midst of another `run` of it
        return None
    return context


def _nothing() -> None:
    """What a context is tried with."""


async def call(function: Callable[..., T], arguments: dict[str, Any]) -> T:
    """The result of code that waits as a task that is no coroutine does; or of the coroutine that it returns."""
    result = await asyncio.to_thread(function, **arguments)
    if asyncio.iscoroutine(result):
        return await result  # type: ignore[no-any-return]
    return result


def tell_of_failed_end(task: asyncio.Task[Any]) -> None:
    """Log what a coroutine raised when it was cancelled: its user is stopped all the same."""
    if not task.cancelled() and isinstance(error := task.exception(), Exception):
        logger.error("Uncaught exception in a coroutine that was stopped: \n%s", _traceback(error))


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
