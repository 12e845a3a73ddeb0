"""Sockets of libzmq, set up as Locust's, told over stdin what to do, a JSON array a line; answers a line each.

Runs in Locust's environment, with the pyzmq that Locust brings.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import zmq


class Peer:
    def __init__(self) -> None:
        self.context = zmq.Context()
        self.context.set(zmq.MAX_SOCKETS, 4000)
        self.sockets: dict[str, zmq.Socket[bytes]] = {}

    def _socket(self, kind: int, identity: str | None = None) -> zmq.Socket[bytes]:
        socket = self.context.socket(kind)
        socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
        socket.setsockopt(zmq.TCP_KEEPALIVE_IDLE, 30)
        socket.setsockopt(zmq.IPV6, 1)
        socket.setsockopt(zmq.LINGER, 0)
        if identity is not None:
            socket.setsockopt(zmq.IDENTITY, identity.encode())
        return socket

    def router(self, name: str, host: str, port: int) -> int:
        socket = self.sockets[name] = self._socket(zmq.ROUTER)
        if port:
            socket.bind(f"tcp://{host}:{port}")
            return port
        return socket.bind_to_random_port(f"tcp://{host}")

    def dealer(self, name: str, host: str, port: int) -> None:
        socket = self.sockets[name] = self._socket(zmq.DEALER, name)
        socket.connect(f"tcp://{host}:{port}")

    def send(self, name: str, text: str, size: int = 0, to: str | None = None) -> None:
        frames = [text.encode().ljust(size, b".")]
        self.sockets[name].send_multipart([to.encode(), *frames] if to is not None else frames, zmq.NOBLOCK)

    def recv(self, name: str, timeout: float = 10.0) -> tuple[str | None, str, int] | None:
        if not self.sockets[name].poll(int(timeout * 1000)):
            return None
        *sender, message = self.sockets[name].recv_multipart()
        return (sender[0].decode() if sender else None), message[:40].rstrip(b".").decode(), len(message)

    def close(self, name: str) -> None:
        self.sockets.pop(name).close()

    def many(self, count: int, host: str, port: int, size: int = 100, within: float = 60.0) -> int:
        """So many workers connect and say something. How many got it back?"""
        poller, missing = zmq.Poller(), {}
        for index in range(count):
            socket = self._socket(zmq.DEALER, f"many_{index}")
            socket.connect(f"tcp://{host}:{port}")
            socket.send(f"echo {index}".encode().ljust(size, b"."))
            missing[socket] = index
            poller.register(socket, zmq.POLLIN)
        deadline, right = time.monotonic() + within, 0
        while missing and time.monotonic() < deadline:
            for socket, _ in poller.poll(100):
                right += socket.recv().startswith(f"echo {missing.pop(socket)}".encode())
                poller.unregister(socket)
                self.sockets[f"many {len(self.sockets)}"] = socket
        return right


def main() -> None:
    peer = Peer()
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        answer: Any
        try:
            answer = getattr(peer, name)(*arguments)
        except Exception as e:
            answer = {"error": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
