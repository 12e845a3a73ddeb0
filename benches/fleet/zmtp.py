"""ZMTP 3.0 with the mechanism NULL, as much of it as a DEALER that talks to one ROUTER needs.

Written here, and not taken from a library, so that thousands of sockets cost one process little, bytes can be shared
between them, and the master under measurement meets a peer that has no code in common with it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
_LONG = 2
_COMMAND = 4


def _frame(flags: int, body: bytes) -> bytes:
    return head(len(body), flags) + body


def head(length: int, flags: int = 0) -> bytes:
    """What stands before the body of the last frame of a message."""
    if length < 256:
        return struct.pack("!BB", flags, length)
    return struct.pack("!BQ", flags | _LONG, length)


def _ready(identity: bytes) -> bytes:
    """The command that ends the handshake."""
    properties = [(b"Socket-Type", b"DEALER"), (b"Identity", identity)]
    body = b"\x05READY" + b"".join(
        struct.pack("!B", len(name)) + name + struct.pack("!I", len(value)) + value for name, value in properties
    )
    return _frame(_COMMAND, body)


class Reader:
    """Bytes as they arrive to messages. What the peer wants to hear before anything else is in `answers`."""

    def __init__(self, identity: bytes) -> None:
        self._identity = identity
        self._buffer = bytearray()
        self._greeted = False
        self.ready = False
        self.answers: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._buffer += data
        if not self._greeted:
            if len(self._buffer) < len(GREETING):
                return
            del self._buffer[: len(GREETING)]
            self._greeted = True
            self.answers.append(_ready(self._identity))
        while (frame := self._next()) is not None:
            flags, body = frame
            if not flags & _COMMAND:
                yield body
            elif body.startswith(b"\x05READY"):
                self.ready = True
            elif body.startswith(b"\x04PING"):
                self.answers.append(_frame(_COMMAND, b"\x04PONG" + body[7:]))

    def _next(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        flags = buffer[0]
        if not flags & _LONG:
            start, length = 2, buffer[1]
        elif len(buffer) < 9:
            return None
        else:
            start, length = 9, int.from_bytes(buffer[1:9], "big")
        if len(buffer) < start + length:
            return None
        body = bytes(buffer[start : start + length])
        del buffer[: start + length]
        return flags, body
