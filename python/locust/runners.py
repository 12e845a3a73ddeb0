"""Runners: who starts and stops users, and knows how far a test has got."""

from __future__ import annotations

import json
import logging
import socket
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypedDict, cast
from uuid import uuid4

import gevent
from gevent import Greenlet, GreenletExit
from gevent.event import Event
from gevent.pool import Group

from gregaria import _engine, _feeders, _following, _runs, usage
from gregaria._users import Stopping, Turn, Users

from . import argument_parser as argument_parser
from . import log
from .dispatch import UsersDispatcher
from .exception import RPCError as RPCError
from .exception import RPCReceiveError as RPCReceiveError
from .exception import RPCSendError as RPCSendError
from .exception import StopTest
from .log import get_logs, greenlet_exception_logger
from .rpc import Message as Message
from .rpc import rpc as rpc
from .stats import RequestStats, StatsError, followers
from .stats import setup_distributed_stats_event_listeners as setup_distributed_stats_event_listeners
from .user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING
from .util.directory import get_abspaths_in as get_abspaths_in
from .util.url import is_url as is_url

if TYPE_CHECKING:
    from types import TracebackType

    from .env import Environment
    from .user.users import User

__all__ = [
    "DistributedRunner",
    "ExceptionDict",
    "LocalRunner",
    "MasterRunner",
    "Message",
    "RequestStats",
    "Runner",
    "StatsError",
    "UsersDispatcher",
    "WorkerNode",
    "WorkerNodes",
    "WorkerRunner",
    "get_logs",
    "locust_exception_handler",
]

logger = logging.getLogger(__name__)

STATE_INIT = "ready"
STATE_SPAWNING = "spawning"
STATE_RUNNING = "running"
STATE_CLEANUP = "cleanup"
STATE_STOPPING = "stopping"
STATE_STOPPED = "stopped"
STATE_MISSING = "missing"

# Read where they are used, because locustfiles assign to them.
WORKER_REPORT_INTERVAL = 3.0
WORKER_LOG_REPORT_INTERVAL = 10
CPU_MONITOR_INTERVAL = 10.0
CPU_WARNING_THRESHOLD = 90
HEARTBEAT_INTERVAL = 1
HEARTBEAT_LIVENESS = 3
HEARTBEAT_DEAD_INTERNAL = -60
MASTER_HEARTBEAT_TIMEOUT = 60
FALLBACK_INTERVAL = 5
CONNECT_TIMEOUT = 5
CONNECT_RETRY_COUNT = 60

greenlet_exception_handler = greenlet_exception_logger(logger)


class ExceptionDict(TypedDict):
    """One kind of exception that tasks raised: those with the same traceback."""

    count: int
    msg: str
    traceback: str
    nodes: set[str]


class Runner:
    """What all runners have: the users of this process, the state of the test, the exceptions of its tasks."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.user_greenlets = Users(environment.stats.table.set_user_count)
        self.greenlet = Group()
        """The runner's own greenlets: `runner.greenlet.join()` returns when the runner has quit."""
        self.state = STATE_INIT
        self.spawning_greenlet: Greenlet[..., Any] | None = None
        self.shape_greenlet: Greenlet[..., Any] | None = None
        self.shape_last_tick: tuple[Any, ...] | None = None
        self.current_cpu_usage = 0.0
        self.current_memory_usage = 0
        self.cpu_warning_emitted = False
        self.worker_cpu_warning_emitted = False
        self.exceptions: dict[int, ExceptionDict] = {}
        self.target_user_count = 0
        self._spawn_rate: float | None = None
        self._ends: float | None = None
        """When the run time will be over, in seconds of the epoch, where the test has one."""
        self.target_user_classes_count: dict[str, int] = {}
        self.final_user_classes_count: dict[str, int] = {}
        self.custom_messages: dict[str, tuple[Callable[..., None], bool]] = {}
        self.connection_broken = False
        self._users_dispatcher: UsersDispatcher | None = None
        self._stopping = Stopping()
        self._finish: Callable[[str], None] = self._finish_test
        """Ends the test for a reason, when the tasks under way have ended. Returns at once. The command has its own."""
        self._finishing: Greenlet[..., Any] | None = None
        self._has_begun = False

        self._stats_listener = environment.events.request.add_listener(environment.stats.listener())
        followers.add(self)
        environment.events.spawning_complete.add_listener(self._on_spawning_complete)
        self.greenlet.spawn(self.monitor_cpu_and_memory).link_exception(locust_exception_handler(environment))

    def _follow_statistics(self) -> None:
        """Count from now on in the environment's statistics as they are now."""
        handlers = self.environment.events.request._handlers
        if self._stats_listener in handlers:
            place = handlers.index(self._stats_listener)
            handlers[place] = self._stats_listener = self.stats.listener()

    def _on_spawning_complete(self, user_count: int, **_: object) -> None:
        self.update_state(STATE_RUNNING)
        if self.environment.reset_stats:
            logger.info("Resetting stats\n")
            self.stats.reset_all()

    @property
    def user_classes(self) -> list[type[User]]:
        """The user classes of the environment."""
        return self.environment.user_classes

    @property
    def user_classes_by_name(self) -> dict[str, type[User]]:
        """The same, by their names."""
        return self.environment.user_classes_by_name

    @property
    def stats(self) -> RequestStats:
        """The statistics of the environment."""
        return self.environment.stats

    @property
    def errors(self) -> dict[str, StatsError]:
        """The failed requests, a row for each kind."""
        return self.stats.errors

    @property
    def user_count(self) -> int:
        """How many users are running now."""
        return len(self.user_greenlets)

    @property
    def user_classes_count(self) -> dict[str, int]:
        """How many users of each class are running now."""
        running = Counter(type(user).__name__ for user in self.user_greenlets.users())
        return {user_class.__name__: running[user_class.__name__] for user_class in self.user_classes}

    def update_state(self, new_state: str) -> None:
        """Enter a state, one of the `STATE_…` constants."""
        logger.debug("Updating state to '%s', old state was '%s'", new_state, self.state)
        self.state = new_state
        _following.tell(self.environment)

    def monitor_cpu_and_memory(self) -> NoReturn:
        """Report what this process uses, every `CPU_MONITOR_INTERVAL`, and warn when users must wait for Python."""
        meter = usage.Meter()
        while True:
            gevent.sleep(CPU_MONITOR_INTERVAL)
            sample = meter.sample()
            self.current_cpu_usage, self.current_memory_usage = sample.cpu, sample.memory
            events = self.environment.events
            # The I/O threads may use as many cores as there are. What constrains a test is the thread that runs Python.
            if sample.python_cpu > CPU_WARNING_THRESHOLD:
                events.cpu_warning.fire(environment=self.environment, cpu_usage=sample.python_cpu)
                if not self.cpu_warning_emitted:
                    logging.warning(
                        f"CPU usage above {CPU_WARNING_THRESHOLD}%! "
                        "This may constrain your throughput and may even give inconsistent response time "
                        "measurements! "
                        "Python code runs on one core: make the tasks cheaper, or spread the users over more processes."
                    )
                    self.cpu_warning_emitted = True
            events.usage_monitor.fire(environment=self.environment, cpu_usage=sample.cpu, memory_usage=sample.memory)

    def cpu_log_warning(self) -> bool:
        """At the end of a test: say again that the processor was the limit, if it was."""
        if self.cpu_warning_emitted:
            logger.warning(
                "CPU usage was too high at some point during the test! "
                "Make the tasks cheaper, or spread the users over more processes."
            )
        return self.cpu_warning_emitted

    def spawn_users(self, user_classes_spawn_count: dict[str, int], wait: bool = False) -> list[User]:
        """Start users now, without ramping up. With `wait`, return when all users have ended.

        While the test is being stopped nobody starts.
        """
        if self.state in (STATE_INIT, STATE_STOPPED):
            self.update_state(STATE_SPAWNING)
        logger.debug(
            "Spawning additional %s (%s already running)...",
            json.dumps(user_classes_spawn_count),
            json.dumps(self.user_classes_count),
        )
        spawned: list[User] = []
        turn = self._stopping.turn()
        classes = self.user_classes_by_name
        for name, count in user_classes_spawn_count.items():
            for number in range(1, count + 1):
                user = self._spawn_user(classes[name], turn)
                if user is None:
                    return spawned
                spawned.append(user)
                if number % 10 == 0 or number == count:
                    logger.debug("%i users spawned", self.user_count)
            logger.debug("All users of class %s spawned", name)
        if wait:
            self.user_greenlets.join()
            logger.info("All users stopped\n")
        return spawned

    def _hand_on_host(self) -> None:
        """The environment's host, where there is one, is that of all users."""
        if self.environment.host:
            for user_class in self.user_classes:
                user_class.host = self.environment.host

    def _spawn_user(self, user_class: type[User], turn: Turn) -> User | None:
        """Start one user; `None` where the test is being stopped."""
        if self.environment._seeds is None:
            return self._started(user_class, turn)
        with self.environment._seeds.next_user(user_class) as stream:
            user = self._started(user_class, turn)
            if user is not None:
                stream.hand_to(user.greenlet)
        return user

    def _started(self, user_class: type[User], turn: Turn) -> User | None:
        user = user_class(self.environment)
        assert hasattr(user, "environment"), (
            f"Attribute 'environment' is missing on user {user_class.__name__}. Perhaps you defined your own __init__ "
            "and forgot to call the base constructor? (super().__init__(*args, **kwargs))"
        )
        # Asked late: `__init__` may have let others run. From here to the start nobody else does.
        if turn.is_over():
            return None
        # gevent would note for each user where it was spawned: a kilobyte that says the same for all of them.
        tracked = gevent.config.track_greenlet_tree
        gevent.config.track_greenlet_tree = False
        try:
            user.start(self.user_greenlets)
        finally:
            gevent.config.track_greenlet_tree = tracked
        return user

    def stop_users(self, user_classes_stop_count: dict[str, int]) -> None:
        """Stop that many users of each class; return when they have ended."""
        patience = self.environment.stop_timeout
        myself = self._stopping.user if self._stopping.is_mine() else gevent.getcurrent()
        chosen = self._choose(user_classes_stop_count)
        others = [user for user in chosen if user.greenlet is not myself]

        if not patience and any(not user._state for user in others):
            gevent.sleep(0)  # Who was started just now begins: its `on_start` and `on_stop` are a pair.
        busy = self._tell_to_stop(others, at_once=not patience) if others else []
        gevent.joinall(busy, timeout=patience or None)
        late = [greenlet for greenlet in busy if not greenlet.ready()]
        if late:
            logger.info("Not all users finished their tasks & terminated in %s seconds. Stopping them...", patience)
            gevent.killall(late)
        if myself is gevent.getcurrent() and len(others) < len(chosen):
            # Last, because who stops itself gets no further than its next wait.
            self.user_greenlets.killone(cast("Greenlet[..., Any]", myself), block=False)
        logger.debug(
            "%g users have been stopped, %g still running", sum(user_classes_stop_count.values()), self.user_count
        )

    def _changes_to(self, wanted: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
        """How many users of each class are to be started, and how many stopped, so that `wanted` run."""
        running = self.user_classes_count
        changes = {name: count - running[name] for name, count in wanted.items()}
        missing = {name: change for name, change in changes.items() if change > 0}
        superfluous = {name: -change for name, change in changes.items() if change < 0}
        return missing, superfluous

    def _let_finish(self) -> None:
        """Start no more users, and return when all have ended: each with the task that it is in, or its wait."""
        self._cancel_what_waits()
        gevent.joinall(self._tell_to_stop(self.user_greenlets.users(), at_once=False))

    def _finish_test(self, reason: str) -> None:
        if self._finishing is None or self._finishing.ready():
            logger.info("%s, stopping test when the tasks under way have ended", reason)
            self._finishing = gevent.spawn(self._stop_when_finished)

    def _stop_when_finished(self) -> None:
        self._let_finish()
        self.stop()

    def _tell_to_stop(self, users: list[User], at_once: bool) -> list[Greenlet[..., Any]]:
        """Kill who waits, or everybody; return, when they have ended, the others, who know that they are to stop.

        In the hub, where nobody wakes in between: the request of a user who begins a task after it was found waiting
        would be cut off, and not counted. And in one batch: ten thousand users run their `on_stop` side by side.
        """
        busy: list[Greenlet[..., Any]] = []
        killed: list[Greenlet[..., Any]] = []
        told = Event()

        def tell() -> None:
            for user in users:
                greenlet = user.greenlet
                if greenlet is None or greenlet.dead:
                    continue
                if user._leaving:
                    busy.append(greenlet)  # Killed once more, it would be torn out of its `on_stop`.
                elif _is_busy(user) and not at_once and greenlet not in self._stopping.asked_for_by:
                    busy.append(greenlet)
                    user._state = LOCUST_STATE_STOPPING
                else:
                    killed.append(greenlet)
                    greenlet.throw(GreenletExit)
            told.set()

        gevent.get_hub().loop.run_callback(tell)
        told.wait()
        gevent.joinall(killed)
        return busy

    def _choose(self, counts: dict[str, int]) -> list[User]:
        """Running users, as many of each class as asked for; who came last goes first."""
        classes = self.user_classes_by_name
        missing: Counter[type[User]] = Counter({classes[name]: count for name, count in counts.items()})
        chosen = []
        for user in reversed(self.user_greenlets.users()):
            if missing[type(user)] > 0:
                missing[type(user)] -= 1
                chosen.append(user)
        return chosen

    def start(
        self,
        user_count: int,
        spawn_rate: float,
        wait: bool = False,
        user_classes: list[type[User]] | None = None,
    ) -> None:
        """Start a test, or change the number of users of the one that runs. Does nothing: runners define it."""

    def send_message(self, msg_type: str, data: Any = None, client_id: str | None = None) -> None:
        """Send a message of the locustfile's own to the other side. Does nothing: runners define it."""

    def start_shape(self) -> None:
        """Follow the load shape from now on."""
        if self.shape_greenlet:
            logger.info("There is an ongoing shape test running. Editing is disabled")
            return
        logger.info("Shape test starting.")
        turn = self._stopping.turn()
        if not turn.is_late:
            self.update_state(STATE_INIT)
        self.shape_greenlet = self.greenlet.spawn(self._follow_shape, turn)
        self.shape_greenlet.link_exception(locust_exception_handler(self.environment))
        if self.environment.shape_class is not None:
            self.environment.shape_class.reset_time()

    def _follow_shape(self, turn: Turn) -> None:
        if turn.is_late:
            if not turn.comes():
                return
            self.update_state(STATE_INIT)
        self.shape_worker()

    def shape_worker(self) -> None:
        """Ask the shape about once a second, until it ends the test."""
        logger.info("Shape worker starting")
        while self.state in (STATE_INIT, STATE_SPAWNING, STATE_RUNNING):
            began = time.monotonic()
            if not self._take_shape_tick():
                return
            gevent.sleep(max(0.0, 1 - (time.monotonic() - began)))

    def _take_shape_tick(self) -> bool:
        """Apply the shape's current wish; `False` when it has none any more."""
        shape = self.environment.shape_class
        tick = shape.tick() if shape is not None else None
        if tick is None:
            logger.info("Shape test stopping")
            if self._is_headless():
                self.quit()
            else:
                self.stop()
            # A shape that was started meanwhile is another one, which a stop has to find.
            if self.shape_greenlet is gevent.getcurrent():
                self.shape_greenlet = None
                self.shape_last_tick = None
            return False
        if tick != self.shape_last_tick:
            user_count, spawn_rate, user_classes = (*tick, None) if len(tick) == 2 else tick
            logger.info("Shape test updating to %d users at %.2f spawn rate", user_count, spawn_rate)
            # Keywords, because plugins put a function of their own here.
            self.start(user_count=user_count, spawn_rate=spawn_rate, user_classes=user_classes)
            self.shape_last_tick = tick
        return True

    def _is_headless(self) -> bool:
        options = self.environment.parsed_options
        return bool(options is not None and getattr(options, "headless", False))

    def stop(self) -> None:
        """Stop the test; return when all users have ended. In a coroutine, which may be one of them, return at once.

        A test that was started and has not begun yet does not begin. Who calls this while somebody else stops the test
        waits for that.
        """
        if _engine.in_coroutine():
            gevent.spawn(self.stop).link_exception(greenlet_exception_handler)
            return
        if self._done_for_user(lambda: Runner.stop(self)):
            return
        self._stop()
        if self.spawning_greenlet is gevent.getcurrent():
            raise GreenletExit  # A listener of the ramp has ended the ramp, too.

    def quit(self) -> None:
        """Stop the test, and end the runner itself. In a coroutine, return at once."""
        if _engine.in_coroutine():
            gevent.spawn(self.quit).link_exception(greenlet_exception_handler)
            return
        if self._done_for_user(lambda: Runner.quit(self)):
            gevent.sleep(0)  # A user gets no further.
            return
        try:
            self.stop()
        except GreenletExit:
            if self.spawning_greenlet is not gevent.getcurrent():
                raise
        self.greenlet.kill(block=True)

    def _done_for_user(self, end: Callable[[], None]) -> bool:
        """If a user asks: have `end` done, and that to its end even if the user is killed meanwhile."""
        myself = cast("Greenlet[..., Any]", gevent.getcurrent())
        if myself not in self.user_greenlets:
            return False
        # Whoever stops the test waits for this user; if each waited for the other, both would until the timeout.
        self._stopping.asked_for_by.add(myself)
        self._stopping.leaving.add(myself)
        try:
            if self._stopping.is_nobody_s():
                gevent.spawn(self._stopping.act_for, myself, end).get()
        finally:
            self._stopping.asked_for_by.discard(myself)
            self.user_greenlets.killone(myself, block=False)
        return True

    def _stop(self) -> None:
        while not self._stopping.is_nobody_s():
            if self._stopping.is_mine():
                return  # A listener of `test_stopping` asks for what is being done.
            self._cancel_what_waits()
            last = self._stopping.user
            if self._stopping.wait():
                gevent.joinall([last] if last is not None else [])
                self._stopping.see_off()
                return
        if self.state == STATE_STOPPED and not self._has_begun:
            self._cancel_what_waits()
            self._stopping.see_off()
            return
        with self._stopping:
            self._stop_test()
        self._stopping.see_off()
        self.cpu_log_warning()
        self.environment.events.test_stop.fire(environment=self.environment)

    def _stop_test(self) -> None:
        if self.state != STATE_CLEANUP:
            logger.debug("Stopping all users")
            self.environment.events.test_stopping.fire(environment=self.environment)
            self.final_user_classes_count = self.user_classes_count
            self.update_state(STATE_CLEANUP)
        self._cancel_what_waits()
        _feeders.stop_test(self)
        self.stop_users(self.user_classes_count)
        _feeders.end_test(self)
        self._users_dispatcher = None
        self._has_begun = False
        _runs.ended(self.environment)
        self.update_state(STATE_STOPPED)

    def _cancel_what_waits(self) -> None:
        """End the ramp and the shape. Who stops the test from within one of these, as a listener may, goes on."""
        self._stopping.cancelled += 1
        # The shape first: it may be about to start a ramp.
        self._end_unless_mine(self.shape_greenlet)
        self._end_unless_mine(self.spawning_greenlet)
        self.shape_greenlet = None
        self.shape_last_tick = None

    def _end_unless_mine(self, greenlet: Greenlet[..., Any] | None) -> None:
        if greenlet is not None and greenlet is not gevent.getcurrent():
            greenlet.kill(block=True)

    def register_message(self, msg_type: str, listener: Callable[..., None], concurrent: bool = False) -> None:
        """Call `listener(environment=…, msg=…)` for messages of this type; with `concurrent`, in its own greenlet."""
        if msg_type in self.custom_messages:
            raise Exception(f"Tried to register listener method for {msg_type}, but it already had a listener!")
        self.custom_messages[msg_type] = (listener, concurrent)

    def _begin_test(self) -> None:
        self.stats.clear_all()
        _runs.begun(self.environment)
        _engine.take_abandoned_requests()  # those of the test before
        self.exceptions = {}
        self.stats.table.clear_exceptions()
        self.cpu_warning_emitted = False
        self.worker_cpu_warning_emitted = False
        self.environment._filter_tasks_by_tags()
        seeds = self.environment._seeds
        if seeds is not None:
            seeds.begin_test()
            logger.info("Seed %d: with `--seed %d` every user repeats its choices and waits", seeds.seed, seeds.seed)
        _feeders.begin_test(self)
        self._has_begun = True
        self.environment.events.test_start.fire(environment=self.environment)

    def log_exception(self, node_id: str, msg: str, formatted_tb: str) -> None:
        """Count an exception that a task raised."""
        entry = self.exceptions.setdefault(
            hash(formatted_tb), {"count": 0, "msg": msg, "traceback": formatted_tb, "nodes": set()}
        )
        entry["count"] += 1
        entry["nodes"].add(node_id)
        self.stats.table.log_exception(node_id, msg, formatted_tb)


def _is_busy(user: User) -> bool:
    return user._state in (LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING)


def locust_exception_handler(environment: Environment) -> Callable[[Greenlet[..., Any]], None]:
    """What to do when a greenlet of the runner dies: `StopTest` stops the test, all else is logged."""

    def handle(greenlet: Greenlet[..., Any]) -> None:
        if isinstance(greenlet.exception, StopTest):
            _stop_because(environment, greenlet.exception)
        else:
            greenlet_exception_handler(greenlet)

    return handle


def _stop_because(environment: Environment, error: StopTest) -> None:
    """Stop the test as a listener or a user wants it that raised this."""
    logger.error("%s", error)
    logger.warning("Stopping Locust...")
    runner = environment.runner
    assert runner is not None, "what runs a test is a runner"
    if runner._is_headless():
        runner.quit()
    else:
        runner.stop()


class LocalRunner(Runner):
    """Runs all users in this process."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        # As if there were one worker: locustfiles that share out data among workers run here, too.
        self.worker_index = 0
        self.worker_count = 1
        self.client_id = f"{log.HOSTNAME}_{uuid4().hex}"
        self._local_worker_node = WorkerNode(id="local")
        self._local_worker_node.user_classes_count = self.user_classes_count
        environment.events.user_error.add_listener(self._on_user_error)

    def _on_user_error(self, user_instance: object, exception: BaseException, tb: TracebackType, **_: object) -> None:
        self.log_exception("local", str(exception), "".join(traceback.format_tb(tb)))

    def start(
        self,
        user_count: int,
        spawn_rate: float,
        wait: bool = False,
        user_classes: list[type[User]] | None = None,
    ) -> None:
        """Begin to ramp up, or down, to `user_count` users. Returns at once."""
        if spawn_rate > 100:
            logger.warning(
                "Your selected spawn rate is very high (>100), "
                "and this is known to sometimes cause issues. Do you really need to ramp up that fast?"
            )
        self._end_ramp()
        # A function without arguments: what the log says of a greenlet that fails would show them all.
        turn = self._stopping.turn()
        ramp = partial(self._ramp, user_count, spawn_rate, wait, user_classes)
        self.spawning_greenlet = self.greenlet.spawn(lambda: ramp() if turn.comes() else None)  # type: ignore[misc]
        self.spawning_greenlet.link_exception(locust_exception_handler(self.environment))

    def _end_ramp(self) -> None:
        """End the ramp; and, if somebody else has begun another one while it ended, as a shape may, that one, too."""
        while (ramp := self.spawning_greenlet) is not None and not ramp.ready() and not self._stopping.is_done_by(ramp):
            ramp.kill(block=True)

    def _ramp(self, user_count: int, spawn_rate: float, wait: bool, user_classes: list[type[User]] | None) -> None:
        self.target_user_count, self._spawn_rate = user_count, spawn_rate
        if self.state not in (STATE_RUNNING, STATE_SPAWNING):
            self._begin_test()
        if wait and user_count - self.user_count > spawn_rate:
            raise ValueError("wait is True but the amount of users to add is greater than the spawn rate")
        self._hand_on_host()
        if self.state not in (STATE_INIT, STATE_STOPPED):
            self.update_state(STATE_SPAWNING)
        if self._users_dispatcher is None:
            self._users_dispatcher = self.environment.dispatcher_class(
                worker_nodes=[self._local_worker_node], user_classes=self.user_classes
            )
        logger.info("Ramping to %d users at a rate of %.2f per second", user_count, spawn_rate)
        self._users_dispatcher.new_dispatch(user_count, spawn_rate, user_classes)
        self.stats.table.set_target_user_count(int(user_count))  # A shape may compute: half a user is none.
        try:
            for dispatched in self._users_dispatcher:
                self._adjust_to(next(iter(dispatched.values())), wait)
        except KeyboardInterrupt:
            # The main greenlet may not be the one that is running when the signal arrives.
            self.quit()
        if self.state == STATE_CLEANUP:
            return  # One of the new users stops the test, and is about to end this greenlet.
        self.target_user_classes_count = running = self.user_classes_count
        total = sum(running.values())
        logger.info("All users spawned: %s (%i total users)", json.dumps(running, sort_keys=True), total)
        self.environment.events.spawning_complete.fire(user_count=total)

    def _adjust_to(self, wanted: dict[str, int], wait: bool) -> None:
        """Start and stop users until `wanted` run."""
        logger.debug("Ramping to %s (%s total users)", json.dumps(wanted), sum(wanted.values()))
        missing, superfluous = self._changes_to(wanted)
        if wait:
            self.stop_users(superfluous)
            self.spawn_users(missing, wait)
        else:
            # Start before stopping: a change of mix should not pass through a dip.
            self.spawn_users(missing)
            self.stop_users(superfluous)
        self._local_worker_node.user_classes_count = wanted

    def send_message(self, msg_type: str, data: Any = None, client_id: str | None = None) -> None:
        """Call the listener of this type of message: in a run of one process both sides are here."""
        logger.debug("Running locally: sending %s message to self", msg_type)
        if msg_type not in self.custom_messages:
            logger.warning("Unknown message type received: %s", msg_type)
            return
        listener, _ = self.custom_messages[msg_type]
        _engine.settle(listener(environment=self.environment, msg=Message(msg_type, data, "local")))


class WorkerNode:
    """What a master knows of a worker. A local runner is its own, only one."""

    def __init__(self, id: str, state: str = STATE_INIT, heartbeat_liveness: int = HEARTBEAT_LIVENESS) -> None:
        self.id = id
        self.state = state
        self.heartbeat = heartbeat_liveness
        self.cpu_usage = 0.0
        self.cpu_warning_emitted = False
        self.memory_usage = 0
        self.user_classes_count: dict[str, int] = {}

    @property
    def user_count(self) -> int:
        """How many users it runs."""
        return sum(self.user_classes_count.values())


class WorkerNodes(MutableMapping[str, WorkerNode]):
    """The workers of a master, by id."""

    def __init__(self) -> None:
        self._worker_nodes: dict[str, WorkerNode] = {}

    def get_by_state(self, state: str) -> list[WorkerNode]:
        """Return the workers in a state, one of the `STATE_…` constants."""
        return [worker for worker in self.values() if worker.state == state]

    @property
    def all(self) -> Iterable[WorkerNode]:
        """All of them."""
        return self.values()

    @property
    def ready(self) -> list[WorkerNode]:
        """Those that wait for users."""
        return self.get_by_state(STATE_INIT)

    @property
    def spawning(self) -> list[WorkerNode]:
        """Those that are starting users."""
        return self.get_by_state(STATE_SPAWNING)

    @property
    def running(self) -> list[WorkerNode]:
        """Those whose users run."""
        return self.get_by_state(STATE_RUNNING)

    @property
    def missing(self) -> list[WorkerNode]:
        """Those that were not heard of for too long."""
        return self.get_by_state(STATE_MISSING)

    def __getitem__(self, k: str) -> WorkerNode:
        return self._worker_nodes[k]

    def __setitem__(self, id: str, worker: WorkerNode) -> None:
        self._worker_nodes[id] = worker

    def __delitem__(self, id: str) -> None:
        del self._worker_nodes[id]

    def __len__(self) -> int:
        return len(self._worker_nodes)

    def __iter__(self) -> Iterator[str]:
        # Over a snapshot: workers come and go while somebody goes through them.
        return iter(list(self._worker_nodes))


class DistributedRunner(Runner):
    """What master and worker have in common."""


class MasterRunner(DistributedRunner):
    """Has workers run the users: it hands them out, and sums up what they report."""

    clients: WorkerNodes
    """The workers, by id."""

    def __init__(self, environment: Environment, master_bind_host: str, master_bind_port: int) -> None:
        from gregaria._cluster.attending import Attending
        from gregaria._cluster.dealing import Dealing
        from gregaria._cluster.server import Server

        super().__init__(environment)
        self.master_bind_host = master_bind_host
        self.master_bind_port = master_bind_port
        self.spawn_rate = 0.0
        self.spawning_completed = False
        self.clients = WorkerNodes()
        self.server = Server(environment, master_bind_host, master_bind_port)
        self._quitting: Event | None = None
        self._dealing = Dealing(self)
        self._attending = Attending(self)
        for attend in (self._attending.attend, self._attending.attend_own, self._attending.keep_listening):
            self.greenlet.spawn(attend).link_exception(locust_exception_handler(environment))
        environment.events.quitting.add_listener(self._on_quitting)

    def _on_quitting(self, **_: object) -> None:
        self.quit()

    def _follow_statistics(self) -> None:
        super()._follow_statistics()
        self.server.engine.set_table(self.stats.table)

    def update_state(self, new_state: str) -> None:
        """Enter a state, one of the `STATE_…` constants."""
        self.server.engine.set_state(new_state)
        super().update_state(new_state)

    @property
    def user_count(self) -> int:
        """How many users the workers run, by what they said last."""
        return self.server.engine.user_count

    @property
    def worker_count(self) -> int:
        """How many workers can run users."""
        return sum(self.server.engine.tally()[:3])

    @property
    def reported_user_classes_count(self) -> defaultdict[str, int]:
        """How many users of each class those workers run: none of a class that is not named."""
        return defaultdict(int, self.server.engine.user_classes_count())

    @property
    def worker_indexes(self) -> dict[str, int]:
        """The indexes of all workers that there ever were, by their ids."""
        return self.server.engine.indexes()

    @property
    def worker_index_max(self) -> int:
        """The index of the next new worker."""
        return len(self.worker_indexes)

    def get_worker_index(self, client_id: str) -> int:
        """Which of the workers this one is, from 0 on: it stays the same as long as the master lives."""
        return self.server.engine.index(client_id)

    def rebalancing_enabled(self) -> bool:
        """Whether users of a missing worker are given to others at once: `--enable-rebalancing`."""
        return bool(getattr(self.environment.parsed_options, "enable_rebalancing", False))

    @property
    def exceptions(self) -> dict[int, ExceptionDict]:
        """What tasks raised on the workers, by hashes of the tracebacks."""
        return {hash(entry["traceback"]): cast("ExceptionDict", entry) for entry in self.stats.table.exceptions()}

    @exceptions.setter
    def exceptions(self, exceptions: dict[int, ExceptionDict]) -> None:
        self.stats.table.clear_exceptions()
        for entry in exceptions.values():
            for node in entry["nodes"]:
                self.stats.table.log_exception(node, entry["msg"], entry["traceback"])

    def log_exception(self, node_id: str, msg: str, formatted_tb: str) -> None:
        """Count an exception that a task raised."""
        self.stats.table.log_exception(node_id, msg, formatted_tb)

    def cpu_log_warning(self) -> bool:
        """At the end of a test: say again that a processor was the limit, if one was."""
        is_said = super().cpu_log_warning()
        if self.worker_cpu_warning_emitted:
            logger.warning("CPU usage threshold was exceeded on workers during the test!")
        return is_said or self.worker_cpu_warning_emitted

    def start(
        self,
        user_count: int,
        spawn_rate: float,
        wait: bool = False,
        user_classes: list[type[User]] | None = None,
    ) -> None:
        """Ramp up, or down, to `user_count` users. Returns when the workers have them, or another ramp has begun."""
        self._dealing.end()
        self.spawning_completed = False
        self.target_user_count = user_count
        nodes = [node for node in self.clients.values() if node.state in (STATE_INIT, STATE_RUNNING, STATE_SPAWNING)]
        if not nodes:
            logger.warning("You can't start a distributed test before at least one worker processes has connected")
            return
        self._hand_on_host()
        self.spawn_rate = self._spawn_rate = spawn_rate
        if self._users_dispatcher is None:
            self._users_dispatcher = self.environment.dispatcher_class(
                worker_nodes=nodes, user_classes=self.user_classes
            )
        logger.info(
            "Sending spawn jobs of %d users at %.2f spawn rate to %d ready workers", user_count, spawn_rate, len(nodes)
        )
        if spawn_rate / len(nodes) > 100:
            logger.warning(
                "Your selected spawn rate is very high (>100/worker), "
                "and this is known to sometimes cause issues. Do you really need to ramp up that fast?"
            )
        dispatcher = self._users_dispatcher
        if self.state not in (STATE_RUNNING, STATE_SPAWNING):
            self.server.engine.begin_test()
            self._attending.begin_test()
            self._begin_test()
            if self._users_dispatcher is not dispatcher:
                return  # A listener of `test_start` has stopped the test.
            if self.environment.shape_class:
                self.environment.shape_class.reset_time()
        self.update_state(STATE_SPAWNING)
        dispatcher.new_dispatch(target_user_count=user_count, spawn_rate=spawn_rate, user_classes=user_classes)
        self.stats.table.set_target_user_count(int(user_count))  # A shape may compute: half a user is none.
        self._dealing.deal(dispatcher)

    def stop(self, send_stop_to_client: bool = True) -> None:
        """Have all workers stop their users. Returns when they have, and some time after `stop_timeout` in any case.

        In a coroutine, return at once.
        """
        if _engine.in_coroutine():
            gevent.spawn(self.stop, send_stop_to_client).link_exception(greenlet_exception_handler)
            return
        if self.state in (STATE_INIT, STATE_STOPPED, STATE_STOPPING):
            return
        logger.debug("Stopping...")
        self.environment.events.test_stopping.fire(environment=self.environment)
        self.final_user_classes_count = dict(self.reported_user_classes_count)
        self.update_state(STATE_STOPPING)
        self._dealing.end()
        if self.shape_greenlet is not None and self.shape_greenlet is not gevent.getcurrent():
            self.shape_greenlet.kill(block=True)
            self.shape_greenlet = None
            self.shape_last_tick = None
        self._users_dispatcher = None
        if send_stop_to_client:
            self.send_message("stop")
            if not self._dealing.have_all_stopped():
                logger.error("Timeout waiting for all workers to stop")
            _feeders.end_test(self)
            _runs.ended(self.environment)
        self.environment.events.test_stop.fire(environment=self.environment)
        self.check_stopped()

    def quit(self) -> None:
        """Stop the test, send all workers away, and end the runner itself. In a coroutine, return at once."""
        from gregaria._cluster import farewell

        if _engine.in_coroutine():
            gevent.spawn(self.quit).link_exception(greenlet_exception_handler)
            return
        self.stop(send_stop_to_client=False)
        if self._quitting is not None:
            self._quitting.wait()
            return
        self._quitting = Event()
        logger.debug("Quitting...")
        try:
            farewell.say(self)
            _feeders.end_test(self)
        finally:
            self._quitting.set()
            _runs.ended(self.environment)
            self.server.close()
            self.greenlet.kill(block=True)

    def _let_finish(self) -> None:
        """Send no more users, and return when all of our workers' have ended: each with the task that it is in."""
        self._dealing.end()
        self._users_dispatcher = None
        self._end_unless_mine(self.shape_greenlet)
        _feeders.finish(self)

    def check_stopped(self) -> None:
        """The test has stopped when all workers are ready again, or none is active."""
        if self.state != STATE_STOPPED and self.server.engine.is_at_rest(self.state == STATE_STOPPING):
            self.update_state(STATE_STOPPED)

    def send_message(self, msg_type: str, data: Any = None, client_id: str | None = None) -> None:
        """Send a message to one worker, or to all that are known, also those that are missing."""
        nodes = [client_id] if client_id else list(self.clients)
        if logger.isEnabledFor(logging.DEBUG):
            for node in nodes:
                logger.debug("Sending %s message to worker %s", msg_type, node)
        self.server.send(msg_type, data, nodes)


class WorkerRunner(DistributedRunner):
    """Runs the users that a master hands out, and reports to it.

    It is made when the master has acknowledged it. `ConnectionError` when it is called in vain: `CONNECT_RETRY_COUNT`
    times after the first, for `CONNECT_TIMEOUT` seconds each.
    """

    worker_index = -1
    """Which of its master's workers it is, from 0 on; -1 until the master has said so."""

    def __init__(self, environment: Environment, master_host: str, master_port: int) -> None:
        from gregaria._cluster.worker import Link

        super().__init__(environment)
        self.retry = 0
        self.connected = False
        self.connection_event = Event()
        self.client_id = f"{socket.gethostname()}_{uuid4().hex}"
        self.master_host = master_host
        self.master_port = master_port
        options = environment.parsed_options
        self.web_base_path = (getattr(options, "web_base_path", "") or "") if options is not None else ""
        self.logs: list[str] = []
        self._worker_state = STATE_INIT
        self._link = Link(self)
        self._link.connect()

    @property
    def worker_state(self) -> str:
        """What the master is told of it: `STATE_INIT`, `STATE_SPAWNING` or `STATE_RUNNING`."""
        return self._worker_state

    @worker_state.setter
    def worker_state(self, state: str) -> None:
        self._worker_state = state
        self._link.engine.set_state(state)

    @property
    def last_heartbeat_timestamp(self) -> float | None:
        """When the master last answered a heartbeat, in seconds of the epoch; `None` before it has."""
        return self._link.engine.heard_at

    @property
    def master_is_ours(self) -> bool:
        """Not in Locust: whether the master is a gregaria, too."""
        return self._link.engine.master_is_ours

    def start(
        self,
        user_count: int,
        spawn_rate: float,
        wait: bool = False,
        user_classes: list[type[User]] | None = None,
    ) -> NoReturn:
        """Raise `NotImplementedError`: the master says how many users run."""
        raise NotImplementedError("use start_worker")

    def _begin_test(self) -> None:
        if self.environment._seeds is not None:
            self.environment._seeds.worker = self.worker_index
        super()._begin_test()

    def start_worker(self, user_classes_count: dict[str, int], **kwargs: object) -> None:
        """Start and stop users until so many of these classes run, and tell the master."""
        self.target_user_classes_count = user_classes_count
        self.target_user_count = sum(user_classes_count.values())
        self._hand_on_host()
        missing, superfluous = self._changes_to(user_classes_count)
        # Start before stopping, which may have to be waited for.
        self.spawn_users(missing)
        self.stop_users(superfluous)
        self.spawning_complete(self.user_count)
        self.update_state(STATE_RUNNING)

    def spawning_complete(self, user_count: int) -> None:
        """Tell the master that all users are there that it asked for."""
        counts = self.user_classes_count
        self._link.send("spawning_complete", {"user_classes_count": counts, "user_count": sum(counts.values())})
        self.worker_state = STATE_RUNNING

    def handle_message(self, msg: Message) -> None:
        """Do what a message of the master asks for."""
        self._link.handle(msg)

    def reset_connection(self) -> None:
        """Connect to the master anew."""
        self._link.reset()

    def send_message(self, msg_type: str, data: Any = None, client_id: str | None = None) -> None:
        """Send a message to the master, for the listener that it has for this type."""
        logger.debug("Sending %s message to master", msg_type)
        self._link.send(msg_type, data)
