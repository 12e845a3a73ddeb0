"""What a master does when its workers come, go, and say something; in the order in which it happened."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import gevent

import locust
from gregaria import _engine, _feeders
from locust import event as hooks
from locust import log, runners
from locust.exception import StopTest
from locust.runners import STATE_RUNNING, STATE_SPAWNING, Message

from . import reports, sources
from .nodes import LiveNode

if TYPE_CHECKING:
    from locust.runners import MasterRunner

    Happened = _engine.ClusterEvent

logger = logging.getLogger("locust.runners")


class Attending:
    """Reads what the engine hands over. What must not wait for Python it has done already."""

    def __init__(self, runner: MasterRunner) -> None:
        self.runner = runner
        self.engine = runner.server.engine
        self.answers = sources.Answers(runner)
        self.away: set[str] = set()
        """Workers that have stopped their users, and have not said yet that they are ready again."""
        self._late: set[str] = set()
        """Workers that were missing when the test began, and may still be at the one before."""
        # Until `keep_listening` has looked: listeners of `init` are still to come.
        self.engine.hear(reports=True, heartbeats=True)
        self._handlers: dict[str, Callable[[Happened], None]] = {
            "client_ready": self._on_ready,
            "too_old": self._on_too_old,
            "client_stopped": self._on_stopped,
            "quit": self._on_quit,
            "missing": self._on_missing,
            "forgotten": self._on_forgotten,
            "healed": self._on_healed,
            "stranger": self._on_stranger,
            "hot": self._on_hot,
            "heartbeat": self._on_heartbeat,
            "stats": self._on_report,
            "discarded": self._on_discarded,
            "unmerged": self._on_unmerged,
            "logs": self._on_logs,
            "locustfile": self._on_locustfile,
            "custom": self._on_custom,
            "warning": lambda event: logger.warning("%s", event.text),
            "error": lambda event: logger.error("%s", event.text),
            "at_rest": lambda event: runner.check_stopped(),
        }

    def attend(self) -> None:
        """Until the master is closed."""
        while (event := self.engine.next()) is not None:
            try:
                self._handlers[event.kind](event)
            except _feeders.Misshapen as error:
                self._leave_out(event.text if event.kind == "custom" else event.kind, event.node, error)
            except StopTest as error:
                runners._stop_because(self.runner.environment, error)
            except KeyboardInterrupt:
                # Ctrl-C is for the main greenlet, and this one is needed up to the end.
                hub = gevent.get_hub()
                hub.loop.run_callback(hub.handle_error, None, KeyboardInterrupt, KeyboardInterrupt(), None)
            except Exception:
                logger.error("What a worker's `%s` asked for failed:\n%s", event.kind, traceback.format_exc())
                log.unhandled_greenlet_exception = True

    def attend_own(self) -> None:
        """Until the master is closed, read what nodes of gregaria tell each other: it waits behind no listener."""
        while (event := self.engine.next_own()) is not None:
            try:
                _feeders.hear(self.runner, event.node, event.text, _data(event))
            except _feeders.Misshapen as error:
                self._leave_out(event.text, event.node, error)
            except Exception:
                logger.error("A message from worker %s was dropped:\n%s", event.node, traceback.format_exc())

    def _leave_out(self, kind: str, node: str, why: Exception) -> None:
        if self.engine.may_say():
            logger.error("A `%s` message of worker %s was left out: %s", kind, node, why)

    def keep_listening(self) -> NoReturn:
        """Keep the engine from making events for listeners that there are not, and tell it its times."""
        hooks._followers.add(self)
        while True:
            gevent.sleep(runners.HEARTBEAT_INTERVAL)
            self.look_for_listeners()
            self.runner.server.tell_timing()

    def look_for_listeners(self) -> None:
        """Somebody has begun or ceased to listen."""
        events = self.runner.environment.events
        self.engine.hear(reports=bool(events.worker_report._handlers), heartbeats=bool(events.heartbeat_sent._handlers))

    def _on_ready(self, event: Happened) -> None:
        runner, node = self.runner, event.node
        _compare_versions(node, _data(event))
        runner.environment.events.worker_connect.fire(client_id=node)
        runner.clients[node] = LiveNode(node, self.engine)
        self.away.discard(node)
        self._late.discard(node)
        self.engine.wake()  # somebody may wait for workers
        runner._dealing.joins(node)
        said = f"{node} (index {event.index}) reported as ready"
        if event.was_known:
            logger.debug("%s (duplicate message). %d workers connected.", said, event.workers)
        else:
            logger.info("%s. %d workers connected.", said, event.workers)

    def _on_too_old(self, event: Happened) -> None:
        logger.error(f"An old (pre 2.0) worker tried to connect ({event.node}). That's not going to work.")

    def _on_stopped(self, event: Happened) -> None:
        self.away.add(event.node)
        self.runner._dealing.leaves(event.node)
        logger.info(f"{event.node} (index {event.index}) reported that it has stopped")

    def _on_quit(self, event: Happened) -> None:
        runner = self.runner
        runner._dealing.leaves(event.node)
        _feeders.lost(runner, event.node)
        logger.info(f"Worker {event.node!r} (index {event.index}) quit. {event.ready} workers ready.")
        if not event.workers:
            logger.info("The last worker quit, stopping test.")
            runner.stop()
            if runner._is_headless():
                runner.quit()

    def _on_missing(self, event: Happened) -> None:
        runner = self.runner
        logger.info(f"Worker {event.node} failed to send heartbeat, setting state to missing.")
        runner._dealing.plan_without(event.node)
        _feeders.lost(runner, event.node)
        if runner.rebalancing_enabled():
            runner._dealing.redistribute()
        if not event.workers:
            logger.info("The last worker went missing, stopping test.")
            runner.stop()

    def _on_forgotten(self, event: Happened) -> None:
        for node in event.nodes:
            self.runner.clients.pop(node, None)
        # Whose users they ran is not known to anybody any more: the others get them.
        if not self.runner._dealing.is_balanced:
            self.runner._dealing.redistribute()

    def _on_healed(self, event: Happened) -> None:
        runner = self.runner
        logger.info(f"Worker {event.node} self-healed with heartbeat, setting state to {event.text}.")
        _feeders.found(runner, event.node)
        runs_users = event.text in (STATE_RUNNING, STATE_SPAWNING)
        is_late = runs_users and event.node in self._late
        if not is_late:
            self._late.discard(event.node)
            runner._dealing.joins(event.node)
        if is_late or (runs_users and runner.state not in (STATE_RUNNING, STATE_SPAWNING)):
            # It missed that its test was stopped, and would run its users for ever. Who is late joins when it is ready.
            runner.send_message("stop", client_id=event.node)

    def begin_test(self) -> None:
        """A test begins: who still has users of the one before ends them first."""
        clients = self.runner.clients
        self._late = {node.id for node in clients.missing}
        for node in [*clients.running, *clients.spawning]:
            self.runner.send_message("stop", client_id=node.id)

    def _on_stranger(self, event: Happened) -> None:
        if event.text == "client_stopped":
            logger.warning(f"Received client_stopped message from an unknown worker: {event.node}.")
        else:
            logger.warning(f"Got {event.text} message from unknown worker {event.node}. Asking worker to quit.")

    def _on_hot(self, event: Happened) -> None:
        self.runner.worker_cpu_warning_emitted = True
        logger.warning(
            f"Worker {event.node} (index {event.index}) exceeded cpu threshold (will only log this once per worker)"
        )

    def _on_heartbeat(self, event: Happened) -> None:
        self.runner.environment.events.heartbeat_sent.fire(client_id=event.node, timestamp=event.at)

    def _on_report(self, event: Happened) -> None:
        data = _data(event)
        if isinstance(data, dict):
            reports.hide(data)
        self.runner.environment.events.worker_report.fire(client_id=event.node, data=data)

    def _on_discarded(self, event: Happened) -> None:
        logger.info("Discarded report from unrecognized worker %s", event.node)

    def _on_unmerged(self, event: Happened) -> None:
        # As Locust: there a listener of `worker_report` fails.
        logger.error("A report of worker %s was not counted: %s", event.node, event.text)
        log.unhandled_greenlet_exception = True

    def _on_logs(self, event: Happened) -> None:
        self.runner.environment.update_worker_logs(_data(event))

    def _on_locustfile(self, event: Happened) -> None:
        answer = self.answers.to(event.text, _map(event))
        logger.debug("Sending locustfile message to worker %s", event.node)
        self.engine.send_packed("locustfile", answer, event.node)

    def _on_custom(self, event: Happened) -> None:
        runner, kind = self.runner, event.text
        registered = runner.custom_messages.get(kind)
        if registered is None and not self.engine.may_say():
            return
        index = runner.get_worker_index(event.node)
        if registered is None:
            logger.warning(f"Unknown message type received from worker {event.node} (index {index}): {kind}")
            return
        logger.debug(f"Received {kind} message from worker {event.node} (index {index})")
        listener, is_concurrent = registered
        message = Message(kind, _data(event), event.node)
        if is_concurrent:
            gevent.spawn(_heard, listener, runner, message)
            return
        try:
            _heard(listener, runner, message)
        except Exception:
            logging.error(f"Uncaught exception in handler for {kind}\n{traceback.format_exc()}")


def _data(event: Happened) -> Any:
    """What a worker has sent. Anybody can send what no object of Python is: a list as a key, a moment that is none."""
    try:
        return event.data
    except Exception as error:
        raise _feeders.Misshapen(f"its data cannot be read ({type(error).__name__}: {error})") from None


def _map(event: Happened) -> dict[str, Any]:
    if not isinstance(data := _data(event), dict):
        raise _feeders.Misshapen("its data are no map")
    return data


def _heard(listener: Callable[..., Any], runner: MasterRunner, message: Message) -> None:
    _engine.settle(listener(environment=runner.environment, msg=message))


def _compare_versions(node: str, version: object) -> None:
    ours = locust.__version__.partition("+")[0]
    if version in (ours, -1):
        return
    if str(version)[:4] == ours[:4]:
        logger.debug(
            f"A worker ({node}) running a different patch version ({version!r}) connected, master version is {ours!r}"
        )
    else:
        logger.warning(f"A worker ({node}) running a different version ({version}) connected, master version is {ours}")
