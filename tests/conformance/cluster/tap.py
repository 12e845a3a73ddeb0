"""What two nodes say to each other, overheard: a TCP relay that understands ZMTP and keeps the messages."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from .wire import Message, decoded

GREETING = 64
MORE, LONG, COMMAND = 1, 2, 4


class Frames:
    """Cuts one direction of a connection into the messages in it."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._greeted = False
        self.commands = 0

    def take(self, chunk: bytes) -> list[bytes]:
        """The bodies of the messages that are complete now."""
        self._bytes += chunk
        found: list[bytes] = []
        if not self._greeted:
            if len(self._bytes) < GREETING:
                return found
            del self._bytes[:GREETING]
            self._greeted = True
        while (frame := self._frame()) is not None:
            flags, body = frame
            if flags & COMMAND:
                self.commands += 1
            else:
                found.append(body)
        return found

    def _frame(self) -> tuple[int, bytes] | None:
        if not self._bytes:
            return None
        flags = self._bytes[0]
        head = 9 if flags & LONG else 2
        if len(self._bytes) < head:
            return None
        (length,) = struct.unpack(">Q" if flags & LONG else ">B", self._bytes[1:head])
        if len(self._bytes) < head + length:
            return None
        body = bytes(self._bytes[head : head + length])
        del self._bytes[: head + length]
        return flags, body


@dataclass
class Tap:
    """Stands between one worker and its master."""

    master: int
    """The master's port."""
    port: int = 0
    to_master: list[Message] = field(default_factory=list)
    to_worker: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    @property
    def worker(self) -> str:
        """Its id."""
        return next((each.node_id for each in self.to_master), "")

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.master))
                except OSError:
                    # The master has gone.
                    near.close()
                    continue
                for each in (near, far):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [near, far]
                for source, sink, heard in ((near, far, self.to_master), (far, near, self.to_worker)):
                    threading.Thread(target=self._relay, args=(source, sink, heard), daemon=True).start()

    @staticmethod
    def _relay(source: socket.socket, sink: socket.socket, heard: list[Message]) -> None:
        frames = Frames()
        with suppress(OSError):
            while chunk := source.recv(65536):
                heard += [decoded(body) for body in frames.take(chunk)]
                sink.sendall(chunk)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
