"""A worker's link to its master: what the engine cannot do about what the master says, because it runs users.

The engine answers heartbeats, reports and watches the master by itself, whatever Python is doing.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import finalize

import gevent
from gevent.lock import RLock

from gregaria import _engine, _feeders
from gregaria._cluster import finding, options, reports
from locust import event as hooks
from locust import log, runners, stats
from locust.exception import StopTest
from locust.runners import STATE_INIT, STATE_RUNNING, STATE_SPAWNING, Message

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from locust.runners import WorkerRunner

_COMES_ROUND = 0.5
"""Seconds: how often Python shows that it is not busy."""

_MOST_LINES = 70
"""New lines of the log in one interval; who has more sends none any more."""

_LAST_WORDS = 1.0
"""Seconds: how long the end of the process may wait for what is still to be sent."""

_OURS = "gregaria:"
"""How the kinds of messages begin that only our own nodes send each other."""

logger = logging.getLogger("locust.runners")


@dataclass
class _Taken:
    """A report on its way through the listeners."""

    data: bytes = b""
    """As it was counted: no listener can have changed it."""
    hidden: reports.Hidden = reports.NOTHING


class Link:
    """From the first call for the master to the last report."""

    def __init__(self, runner: WorkerRunner) -> None:
        self.runner = runner
        self.environment = runner.environment
        self.engine = _engine.ClusterWorker(
            runner.stats.table,
            runner.master_host,
            runner.master_port,
            runner.client_id,
            options.VERSION,
            **options.transport(runner.environment.parsed_options),
        )
        finalize(runner, self.engine.close, 0.0)
        atexit.register(self.engine.close, _LAST_WORDS)
        self._handlers: dict[str, Callable[..., None]] = {
            "acknowledged": self._acknowledged,
            "heartbeat": self._heartbeat,
            "malformed": self._malformed,
            "message": self._message,
            "notice": self._notice,
            "report": self.report,
            "silence": self._silence,
            "unanswered": self._unanswered,
        }
        self._why_not = ""
        self.had_errors = False
        """Whether there was an error that the master had not been told when the process was asked to end."""
        self._accepted = 0.0
        """When the master sent the latest spawn message, by its own clock."""
        self._reporting = RLock()
        self._taken = _Taken()
        self._has_quit = False
        self._has_reported = False
        """Until then listeners of `init` may come that have a part in the first report."""
        self._tell_engine_of_users()
        events = self.environment.events
        self._listener = events.report_to_master.add_listener(self._on_report_to_master)
        events.quitting.add_listener(self._on_quitting)
        events.user_error.add_listener(self._on_user_error)
        hooks._followers.add(self)
        self.come_round()

    def _tell_engine_of_users(self) -> None:
        engine, users = self.engine, self.runner.user_greenlets
        engine.set_users([(user_class.__name__, 0) for user_class in self.runner.user_classes])
        users.count_classes(engine.count_user)

    # Waiting for the master.

    def connect(self) -> None:
        """Return when the master has acknowledged this worker. `ConnectionError` when it is called in vain for long."""
        self._spawn(self._listen)
        self._spawn(self._listen_to_ours)
        self._spawn(self._keep_coming_round)
        try:
            self.runner.connection_event.wait()
        except KeyboardInterrupt:
            sys.exit(1)  # Nobody complains about Ctrl-C here.
        if not self.runner.connected:
            raise ConnectionError(self._why_not)
        self._spawn(self._send_logs)

    def _spawn(self, function: Callable[[], None]) -> None:
        def run() -> None:
            try:
                function()
            except KeyboardInterrupt as error:
                # Ctrl-C is meant for the main greenlet, whichever runs when it comes.
                gevent.get_hub().handle_system_error(KeyboardInterrupt, error)

        greenlet = self.runner.greenlet.spawn(run)
        greenlet.link_exception(runners.locust_exception_handler(self.environment))

    def _unanswered(self, calls: int) -> None:
        runner = self.runner
        runner.retry = calls
        # In the first half minute a master that comes up later is nothing to speak of.
        say = logger.debug if calls * runners.CONNECT_TIMEOUT < 30 else logger.info
        address = f"{runner.master_host}:{runner.master_port}{runner.web_base_path}"
        say(f"Failed to connect to master {address}, retry {calls}/{runners.CONNECT_RETRY_COUNT}.")
        if calls == 1:
            self._spawn(self._look_for_host)
        if calls > runners.CONNECT_RETRY_COUNT:
            runner.connection_event.set()

    def _look_for_host(self) -> None:
        if trouble := finding.trouble(self.runner.master_host, self.runner.master_port):
            logger.warning("%s", trouble)

    def _acknowledged(self, index: int | None, rejoined: bool) -> None:
        runner = self.runner
        if index is not None:
            runner.worker_index = index
        runner.connected = True
        runner.connection_event.set()
        # Whoever waits for the runner has it, and fires `init`, before the next message is looked at.
        gevent.sleep(0)
        if rejoined:
            logger.info("The master did not know this worker any more: it has joined again")
            self._end_test()
            self.report_the_rest()
            runner.worker_state = STATE_INIT

    # What the engine hands over.

    def _listen(self) -> None:
        try:
            while (event := self.engine.next()) is not None:
                self._handled(*event)
        finally:
            # Whoever has quit the runner has ended this greenlet, and with it the worker.
            self.engine.fall_silent()

    def _listen_to_ours(self) -> None:
        while (event := self.engine.next_of_ours()) is not None:
            # `malformed`, with the reason, where its data cannot be read.
            if event[0] != "message":
                self._handled(*event)
                continue
            _, kind, data, node_id = event
            try:
                _feeders.hear(self.runner, node_id or "", kind, data)
            except _feeders.Misshapen as why:
                self._malformed(f"`{kind}`: {why}")
            except Exception:
                logger.error("A message from the master was dropped (%s):\n%s", kind, traceback.format_exc())

    def _handled(self, event: str, *arguments: Any) -> None:
        try:
            self._handlers[event](*arguments)
        except StopTest as error:
            runners._stop_because(self.environment, error)
        except Exception:
            # What a peer sends is not to end the worker.
            logger.error("A message from the master was dropped (%s):\n%s", event, traceback.format_exc())

    def _message(self, kind: str, data: Any, node_id: str | None) -> None:
        self.runner.handle_message(Message(kind, data, node_id))

    def _heartbeat(self, at: float, node_id: str | None) -> None:
        self.environment.events.heartbeat_received.fire(client_id=node_id, timestamp=at)

    def _silence(self) -> None:
        logger.error(f"Didn't get heartbeat from master in over {runners.MASTER_HEARTBEAT_TIMEOUT}s")
        self.runner.quit()

    def _malformed(self, why: str) -> None:
        logger.error("A message from the master was dropped: %s", why)

    def _notice(self, text: str, is_final: bool) -> None:
        if is_final and not self.runner.connected:
            # Whoever waits for the runner is told.
            self._why_not = text
            self.runner.connection_event.set()
        else:
            logger.error("%s", text)

    # What the master says.

    def handle(self, message: Message) -> None:
        """Do what a message asks for."""
        match message.type:
            case "spawn" if self._has_quit:
                logger.debug("A spawn message came after the farewell")
            case "spawn":
                self._spawn_users(message.data)
            case "stop":
                self._stop()
            case "quit":
                self._quit()
            case "reconnect":
                logger.warning("Received reconnect message from master. Resetting RPC connection.")
                self.reset()
            case "update_user_class":
                self.environment.update_user_class(message.data)
            case "spawning_complete":
                self.environment.events.spawning_complete.fire(user_count=message.data["user_count"])
            case _:
                self._custom(message)

    def _spawn_users(self, job: dict[str, Any]) -> None:
        runner, environment = self.runner, self.environment
        if job["timestamp"] <= self._accepted:
            logger.info("Discard spawn message with older or equal timestamp than timestamp of previous spawn message")
            return
        counts = {str(name): int(count) for name, count in job["user_classes_count"].items()}
        environment.host = job["host"]
        environment.stop_timeout = job["stop_timeout"] or 0.0
        # A master of ours tells its own options apart from Locust's.
        options.adopt(environment, {**(job.get("gregaria") or {}).get("options", {}), **job["parsed_options"]})
        if runner.worker_state not in (STATE_RUNNING, STATE_SPAWNING):
            runner._begin_test()
        runner.worker_state = STATE_SPAWNING
        if runner.spawning_greenlet is not None:
            runner.spawning_greenlet.kill(block=True)
        # A function without arguments: what the log says of a greenlet that fails would show them all.
        runner.spawning_greenlet = runner.greenlet.spawn(lambda: runner.start_worker(counts))  # type: ignore[misc]
        runner.spawning_greenlet.link_exception(runners.locust_exception_handler(environment))
        self._accepted = job["timestamp"]

    def _stop(self) -> None:
        try:
            self._end_test()
            # Locust's worker leaves it to its next report, which may come when the next test has begun.
            self.report_the_rest()
            self.send("client_stopped", None)
            extra = int(os.getenv("LOCUST_WORKER_ADDITIONAL_WAIT_BEFORE_READY_AFTER_STOP", "0"))
            gevent.sleep(self.environment.stop_timeout + extra)
            self.send("client_ready", options.VERSION)
            self.runner.worker_state = STATE_INIT
        finally:
            self.engine.stopped()

    def _end_test(self) -> None:
        """Return when all users have ended."""
        self.runner.stop()

    def _quit(self) -> None:
        logger.info("Got quit message from master, shutting down...")
        self._end_test()
        self.report()
        self.runner.greenlet.kill(block=True)

    def _custom(self, message: Message) -> None:
        if message.type not in self.runner.custom_messages:
            logger.warning(f"Unknown message type received: {message.type}")
            return
        listener, is_concurrent = self.runner.custom_messages[message.type]
        logger.debug("Received %s message from master", message.type)
        if is_concurrent:
            gevent.spawn(_call, listener, self.environment, message)
        else:
            _call(listener, self.environment, message)

    # What the master is told.

    def send(self, kind: str, data: Any) -> None:
        """Send a message. Raises what says why `data` cannot be sent."""
        self.engine.send(kind, data)

    def reset(self) -> None:
        """Connect anew."""
        logger.info("Reset connection to master")
        self.engine.reopen()

    def report(self) -> None:
        """Report what was counted since the last report."""
        if not self._has_reported:
            gevent.sleep(0)  # Who waited for the master goes on first, and fires `init`.
            self._has_reported = True
            self.come_round()
        if not self._has_listeners():
            self.engine.report()
            return
        # A listener may wait, and another report become due meanwhile; or quit, which reports within this report.
        with self._reporting:
            around, self._taken = self._taken, _Taken()
            try:
                self._report_with_listeners(self._taken)
            finally:
                self._taken = around

    def _report_with_listeners(self, taken: _Taken) -> None:
        data: dict[str, Any] = {}
        try:
            self.environment.events.report_to_master.fire(client_id=self.runner.client_id, data=data)
        except BaseException:
            # This greenlet is killed while a listener waits: what was counted has left the table already.
            if taken.data:
                self._send_as_counted(taken)
            raise
        try:
            self._send_report(data, taken.hidden)
        except (TypeError, ValueError, OverflowError) as error:
            logger.error("What listeners of `report_to_master` added cannot be sent, and is left out: %s", error)
            log.unhandled_greenlet_exception = True
            self._send_as_counted(taken)

    def _send_as_counted(self, taken: _Taken) -> None:
        data = _engine.unpack_data(taken.data)
        self._send_report(data, reports.hide(data, taken.hidden.rounded))

    def _send_report(self, data: dict[str, Any], hidden: reports.Hidden) -> None:
        reports.restore(data, hidden)
        self.send("stats", data)

    def report_the_rest(self) -> None:
        """Report, if there is anything left to report."""
        total = self.runner.stats.total
        if total.num_requests or total.num_failures or self.runner.errors:
            self.report()

    def close(self) -> None:
        """Send what is left, and end."""
        self.report_the_rest()
        self.engine.close(_LAST_WORDS)

    def _on_report_to_master(self, client_id: str, data: dict[str, Any]) -> None:
        # Nobody counts between the two: this greenlet does not wait.
        buckets = self._own_buckets() if stats.bucket_response_time is not stats._locusts_bucket else {}
        self._taken.data = self.engine.take_report()
        reported = _engine.unpack_data(self._taken.data)
        self._taken.hidden = reports.hide(reported, buckets)
        data.update(reported)

    def _own_buckets(self) -> dict[tuple[str, str], dict[int, int]]:
        """Response times rounded as the locustfile wants them."""
        measured = self.runner.stats
        entries = [*measured.entries.values(), measured.total]
        return {(entry.name, entry.method): entry.response_times for entry in entries}

    def _has_listeners(self) -> bool:
        rounds = stats.bucket_response_time is not stats._locusts_bucket
        return rounds or self.environment.events.report_to_master._handlers != [self._listener]

    def _on_user_error(self, user_instance: object, exception: BaseException, tb: TracebackType, **_: object) -> None:
        self.send("exception", {"msg": str(exception), "traceback": "".join(traceback.format_tb(tb))})

    def _on_quitting(self, **_: object) -> None:
        self.had_errors = bool(self.runner.errors)
        self.report_the_rest()
        self._has_quit = True
        self.send("quit", None)

    def _send_logs(self) -> None:
        sent = 0
        while (interval := runners.WORKER_LOG_REPORT_INTERVAL) >= 0:
            count = log._count_of_lines()
            if count - sent > _MOST_LINES:
                logger.warning(
                    "The worker attempted to send more than 70 log lines in one interval. Further log sending was "
                    "disabled for this worker."
                )
                self._send_lines()
                return
            if count > sent:
                self._send_lines()
            sent = count
            gevent.sleep(interval)

    def _send_lines(self) -> None:
        self.runner.logs = lines = log.get_logs()
        self.runner.send_message("logs", {"worker_id": self.runner.client_id, "logs": lines})

    # What Python tells the engine.

    def _keep_coming_round(self) -> None:
        while True:
            self.come_round()
            if unsent := self.engine.take_unsent():
                logger.error("%d messages to the master were dropped: it takes none, and too many wait already", unsent)
            gevent.sleep(_COMES_ROUND)

    def look_for_listeners(self) -> None:
        """Somebody has begun or ceased to listen."""
        self.come_round()

    def come_round(self) -> None:
        """Show that Python is not busy; and what locustfiles may have changed meanwhile."""
        self.engine.come_round(
            answer=runners.CONNECT_TIMEOUT,
            heartbeat=runners.HEARTBEAT_INTERVAL,
            report=runners.WORKER_REPORT_INTERVAL,
            usage=runners.CPU_MONITOR_INTERVAL,
            silence=runners.MASTER_HEARTBEAT_TIMEOUT,
            calls=runners.CONNECT_RETRY_COUNT,
            reports_to_python=not self._has_reported or self._has_listeners(),
            heartbeats_to_python=bool(self.environment.events.heartbeat_received._handlers),
        )


def _call(listener: Callable[..., Any], environment: object, message: Message) -> None:
    try:
        _engine.settle(listener(environment=environment, msg=message))
    except Exception:
        logging.error(f"Uncaught exception in handler for {message.type}\n{traceback.format_exc()}")
