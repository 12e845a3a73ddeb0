"""A worker that has nothing in common with any other: ZMTP by hand on a TCP socket, and the least that a master demands.

As workers in other languages do it: a version of -1, no memory in heartbeats, whole reports without a request's seconds.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Any

import msgpack

from .tap import COMMAND, Frames
from .wire import PATIENCE, waited_for


class Boomer:
    """Runs "users" that are a number, and counts requests that nobody makes."""

    def __init__(self, port: int, name: str) -> None:
        self.name = name
        self.users: dict[str, int] = {}
        self.state = "ready"
        self.unreported = 0
        self.reported = 0
        self.heard: list[list[Any]] = []
        self.is_over = False
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._socket.settimeout(0.05)
        self._frames = Frames()
        self._shake_hands()
        self.send("client_ready", -1)
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def _shake_hands(self) -> None:
        # Signature, version 3.0, NULL, no server, filler; then READY with what it is and who.
        self._socket.sendall(b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32))
        ready = b"\x05READY" + _property(b"Socket-Type", b"DEALER") + _property(b"Identity", self.name.encode())
        self._socket.sendall(bytes([COMMAND, len(ready)]) + ready)
        while not self._frames.commands:
            self._listen()

    def send(self, kind: str, data: Any = None) -> None:
        body = msgpack.packb([kind, data, self.name])
        head = struct.pack(">BB", 0, len(body)) if len(body) < 256 else struct.pack(">BQ", 2, len(body))
        self._socket.sendall(head + body)

    def _live(self) -> None:
        beat = report = 0.0
        with suppress(OSError):
            while not self.is_over:
                now = time.monotonic()
                if now > beat + 0.5:
                    beat = now
                    self.send("heartbeat", {"state": self.state, "current_cpu_usage": 1.0})
                if now > report + 0.3:
                    report = now
                    self._report()
                self._listen()
        self._socket.close()

    def _listen(self) -> None:
        try:
            chunk = self._socket.recv(65536)
        except TimeoutError:
            return
        self.is_over = self.is_over or not chunk
        for body in self._frames.take(chunk):
            message = msgpack.unpackb(body, strict_map_key=False)
            self.heard.append(message)
            self._obey(*message[:2])

    def _obey(self, kind: str, data: Any) -> None:
        match kind:
            case "spawn":
                self.send("spawning")
                self.users, self.state = data["user_classes_count"], "running"
                self._complete()
            case "stop":
                self.users, self.state = {}, "ready"
                self.send("client_stopped")
                self.send("client_ready", -1)
            case "quit":
                self._report()
                self.send("quit")
                self.is_over = True

    def _complete(self) -> None:
        self.send("spawning_complete", {"user_classes_count": self.users, "user_count": sum(self.users.values())})

    def _report(self) -> None:
        requests, self.unreported = self.unreported, 0
        rows = [_row("/boom", "GET", requests)] if requests else []
        total = _row("Aggregated", "", requests)
        self.send("stats", {"stats": rows, "stats_total": total, "errors": {}, "user_classes_count": self.users})
        self.reported += requests

    def hears(self, kind: str, count: int = 1) -> list[Any]:
        def found() -> list[Any] | None:
            time.sleep(0.01)
            of = [each for each in list(self.heard) if each[0] == kind]
            return of[count - 1] if len(of) >= count else None

        message: list[Any] = waited_for(found, f"{kind}; it heard {[each[0] for each in self.heard]}")
        return message

    def close(self) -> None:
        self.is_over = True
        self._thread.join(PATIENCE)


def _property(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + struct.pack(">I", len(value)) + value


def _row(name: str, method: str, requests: int) -> dict[str, Any]:
    return {
        "name": name,
        "method": method,
        "last_request_timestamp": 1767225602.5,
        "start_time": 1767225600.0,
        "num_requests": requests,
        "num_none_requests": 0,
        "num_failures": 0,
        "total_response_time": 10 * requests,
        "max_response_time": 10 if requests else 0,
        "min_response_time": 10 if requests else 0,
        "total_content_length": 0,
        "response_times": {10: requests} if requests else {},
        "num_reqs_per_sec": {},
        "num_fail_per_sec": {},
    }
