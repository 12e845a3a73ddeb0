"""The network between one worker and its master, which delays, holds back, cuts, and connects twice."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

HANDSHAKE = 64 + 2
"""Bytes of a greeting, and a little: as far as a second connection under the same name gets."""


class Proxy:
    """Listens for a worker and connects on to a master, that may be another process later on."""

    def __init__(self, master: int) -> None:
        self.master = master
        self.delay = 0.0
        """Seconds by which everything comes later."""
        self._flowing = threading.Event()
        self._flowing.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._began = b""
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """A partition: nothing comes through, and nobody is told."""
        self._flowing.clear()

    def heal(self) -> None:
        self.delay = 0.0
        self._flowing.set()

    def cut(self) -> None:
        """All connections end at once."""
        for each in self._open[:]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def connect_twice(self) -> None:
        """A second connection begins as the worker's did, and says no more."""
        with suppress(OSError):
            again = socket.create_connection(("127.0.0.1", self.master), 2)
            self._open.append(again)
            again.sendall(self._began)

    def close(self) -> None:
        self._flowing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        self._flowing.wait()
        try:
            far = socket.create_connection(("127.0.0.1", self.master), 2)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        for each in (near, far):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open += [near, far]
        self._began = b""
        threading.Thread(target=self._relay, args=(far, near, False), daemon=True).start()
        self._relay(near, far, True)

    def _relay(self, source: socket.socket, sink: socket.socket, is_worker: bool) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                if is_worker and len(self._began) < HANDSHAKE:
                    self._began += chunk[: HANDSHAKE - len(self._began)]
                if self.delay:
                    time.sleep(self.delay)
                self._flowing.wait()
                sink.sendall(chunk)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
