"""Sockets for `Message`s: a master's and a worker's. The runners do without: theirs are the engine's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import gevent

from gregaria import _engine

from ..exception import RPCError, RPCReceiveError, RPCSendError
from .protocol import Message

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

# How long to wait before the second, third and fourth attempt to send, seconds.
DELAYS = (1, 3, 5)


class BaseSocket:
    """What both kinds of sockets do. `socket` is the engine's."""

    socket: _engine.MessageSocket

    def send(self, msg: Message) -> None:
        """Queue a message for the other side. Raises `RPCSendError` where it finds no place after 9 s."""

        def queue() -> None:
            if not self.socket.send(msg.serialize()):
                raise RPCSendError("ZMQ sent failure")

        _insistently(queue)

    def send_to_client(self, msg: Message) -> None:
        """Queue a message for the worker whose id it has. It is dropped where nobody of this name is there."""
        _insistently(lambda: self.socket.send(msg.serialize(), (msg.node_id or "").encode()))

    def recv(self) -> Message:
        """Wait for the next message.

        Raises `RPCReceiveError` for one that cannot be read, `RPCError` after the socket was closed.
        """
        return self.recv_from_client()[1]

    def recv_from_client(self) -> tuple[str, Message]:
        """Wait for the next message: the name of its sender, and what it says. Raises what `recv()` does."""
        received = self.socket.recv()
        if received is None:
            raise RPCError("ZMQ network broken")
        sender, data = received
        try:
            addr = (sender or b"").decode()
        except UnicodeDecodeError as e:
            raise RPCReceiveError("ZMQ interrupted or corrupted message") from e
        try:
            return addr, Message.unserialize(data)
        except Exception as e:
            raise RPCReceiveError("ZMQ interrupted or corrupted message", addr=addr) from e

    def close(self, linger: float | None = None) -> None:
        """Close the socket; what is queued may take `linger` milliseconds to leave, by default a second."""
        self.socket.close(1.0 if linger is None else linger / 1000)


class Server(BaseSocket):
    """A master's socket. Listens on `host` (`*` is everywhere) and `port` (0 is any).

    Raises `RPCError` where it cannot.
    """

    def __init__(self, host: str, port: int) -> None:
        try:
            self.socket = _engine.MessageSocket(host, port)
        except OSError as e:
            raise RPCError(f"Socket bind failure: {e}") from e
        self.port = self.socket.port


class Client(BaseSocket):
    """A worker's socket, which connects to a master, and connects again whenever it has to."""

    def __init__(self, host: str, port: int, identity: str) -> None:
        self.socket = _engine.MessageSocket(host, port, identity)


def _insistently(action: Callable[[], object]) -> None:
    for attempt, delay in enumerate(DELAYS, 1):
        try:
            action()
            return
        except Exception as e:
            logger.info(f"Exception found on retry {attempt}: -- retry after {delay}s")
            logger.exception(e)
            gevent.sleep(delay)
    try:
        action()
    except Exception:
        logger.info(f"Retry failed after {len(DELAYS)} times.")
        raise
