"""Small HTTP servers for what `gregaria target` has no option for: where they listen, and what they lead to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Server:
    """Answers every request with the Host header it got, or leads it elsewhere; counts connections and requests."""

    def __init__(self, listener: socket.socket, location: str | None = None) -> None:
        self._listener = listener
        self._location = location
        self.connections = 0
        self.heads: list[list[str]] = []

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with connection, connection.makefile("rb") as lines:
            try:
                while head := self._head(lines):
                    connection.sendall(self._response(head))
            except OSError:
                pass

    @staticmethod
    def _head(lines: Iterator[bytes]) -> list[str]:
        head = []
        for line in lines:
            if line == b"\r\n":
                break
            head.append(line.decode().rstrip())
        return head

    def _response(self, head: list[str]) -> bytes:
        self.heads.append(head)
        path = head[0].split()[1]
        if self._location is not None and path == "/away":
            return f"HTTP/1.1 302 Found\r\nLocation: {self._location}\r\nContent-Length: 0\r\n\r\n".encode()
        host = next(line[6:] for line in head if line.lower().startswith("host: "))
        close = "Connection: close\r\n" if path == "/close" else ""
        return f"HTTP/1.1 200 OK\r\n{close}Content-Length: {len(host)}\r\n\r\n{host}".encode()

    def close(self) -> None:
        # Wakes the thread that waits for a connection, which closing alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def server(address: str | Path = "127.0.0.1", location: str | None = None) -> Iterator[Server]:
    """A server at an address, or at a Unix socket; `/away` leads to `location`, `/close` closes the connection."""
    if isinstance(address, Path):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(address))
        listener.listen()
    else:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, 0), family=family)
    serving = Server(listener, location)
    thread = threading.Thread(target=serving.serve, daemon=True)
    thread.start()
    try:
        yield serving
    finally:
        serving.close()
        thread.join(10)
