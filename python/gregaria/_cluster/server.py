"""Where workers connect to."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn

import gevent

from gregaria import _engine
from locust import runners

from . import options

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.runners import Message

_EVERYWHERE = ("*", "0.0.0.0", "::", "[::]")

_REFUSED = (
    "connections that introduced nobody",
    "connections without the right cluster key",
    "connections that sent what no worker sends",
    "connections under the name of a worker that was there",
    "messages to workers that did not read",
)

logger = logging.getLogger("locust.runners")


class Server:
    """Listens from its creation until `close()`. Where it cannot, it says so and ends the process with exit code 1."""

    def __init__(self, environment: Environment, host: str, port: int) -> None:
        self.host = host
        transport = options.transport(environment.parsed_options)
        try:
            self.engine = _engine.ClusterMaster(environment.stats.table, host, port, **transport)
        except OSError as error:
            _leave(host, port, error)
        except ValueError as error:
            logger.error("--cluster-key: %s", error)
            sys.exit(1)
        self.port = self.engine.port
        self.tell_timing()
        if port == 0:
            logger.info("Listening for workers on port %d", self.port)
        if transport["key"] is None and not _is_loopback(host):
            logger.warning(
                "Whoever reaches port %d of this machine can pose as a worker, and read the locustfile: --cluster-key "
                "lets only those in who know it, and --master-bind-host 127.0.0.1 only this machine",
                self.port,
            )

    def tell_timing(self) -> None:
        """Locustfiles assign to these constants."""
        self.engine.set_timing(
            float(runners.HEARTBEAT_INTERVAL),
            int(runners.HEARTBEAT_LIVENESS),
            int(runners.HEARTBEAT_DEAD_INTERNAL),
            float(runners.WORKER_REPORT_INTERVAL),
        )

    def wait_until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Wait for something that workers say; `False` where it is not so after these seconds."""
        engine = self.engine
        timeout = gevent.Timeout(seconds)
        try:
            with timeout:
                while True:
                    changes = engine.changes
                    if is_so():
                        return True
                    engine.wait_past(changes)
        except gevent.Timeout as expired:
            if expired is not timeout:
                raise
            return is_so()

    def send(self, kind: str, data: Any, nodes: Iterable[str]) -> None:
        """Send to each of these nodes; those who are not there do not get it."""
        self.engine.send(kind, data, list(nodes))

    def send_to_client(self, message: Message) -> None:
        """Send to the node that the message names."""
        self.engine.send(message.type, message.data, [str(message.node_id)])

    def close(self) -> None:
        """Send what is still to be sent, and listen no more. Says what was refused until now."""
        self.engine.close()
        refused = [
            f"{what}: {count:,}"
            for what, count in zip(_REFUSED, self.engine.refused_connections(), strict=True)
            if count
        ]
        if refused:
            logger.info("The master refused on port %d: %s", self.port, "; ".join(refused))


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host in ("::1", "[::1]")


def free_port(host: str, port: int) -> int:
    """The port that a master is going to listen on, where 0 is any; nothing listens there yet.

    Ends the process as `Server` does where another program has it. Of other obstacles `Server` tells.
    """
    name = None if host in _EVERYWHERE else host
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
                if not port:
                    return int(trial.getsockname()[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            _leave(host, port, error)
    return port


def _leave(host: str, port: int, error: OSError) -> NoReturn:
    if error.errno == errno.EADDRINUSE:
        where = str(port) if host == "*" else f"{host}:{port}"
        logger.error(
            f"The Locust master port ({where}) was busy. Close any applications using that port - perhaps an old "
            f"instance of Locust master is still running? ({os.strerror(errno.EADDRINUSE)})"
        )
    else:
        why = error.strerror or error
        logger.error(f"Cannot listen for workers on `{host}:{port}`: {why}; see --master-bind-host, --master-bind-port")
    sys.exit(1)
