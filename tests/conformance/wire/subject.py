"""One socket of ours, told over stdin what to do, a JSON array a line; answers a line each."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import gevent
from gevent.fileobject import FileObject
from gevent.queue import Empty, Queue

from gregaria._engine import MessageSocket


class Subject:
    def __init__(self) -> None:
        self.received: Queue[tuple[bytes | None, bytes]] = Queue()
        self.echoed = 0
        self.echoes = False

    def router(self, host: str, port: int, key: str | None = None, most_bytes: int | None = None) -> int:
        self.socket = MessageSocket(host, port, key=key, most_bytes=most_bytes)
        gevent.spawn(self._receive)
        return self.socket.port

    def dealer(self, host: str, port: int, identity: str, key: str | None = None) -> None:
        self.socket = MessageSocket(host, port, identity, key=key)
        gevent.spawn(self._receive)

    def _receive(self) -> None:
        while (received := self.socket.recv()) is not None:
            sender, message = received
            if self.echoes:
                self.echoed += 1
                self.socket.send(message, sender)
            else:
                self.received.put((sender, message))

    def echo(self) -> None:
        self.echoes = True

    def send(self, text: str, size: int = 0, to: str | None = None) -> bool:
        return self.socket.send(text.encode().ljust(size, b"."), to.encode() if to else None)

    def flood(self, count: int, size: int, to: str | None = None) -> tuple[int, float]:
        began = time.monotonic()
        queued = sum(self.send("flood", size, to) for _ in range(count))
        return queued, time.monotonic() - began

    def recv(self, timeout: float = 10.0) -> tuple[str | None, str, int] | None:
        try:
            sender, message = self.received.get(timeout=timeout)
        except Empty:
            return None
        name = None if sender is None else sender.decode(errors="replace")
        return name, message[:40].rstrip(b".").decode(errors="replace"), len(message)

    def refused(self) -> dict[str, int]:
        names = ("strangers", "keys", "violations", "clashes", "dropped")
        return dict(zip(names, self.socket.refused(), strict=True))

    def notices(self) -> list[str]:
        return self.socket.notices()

    def reopen(self) -> None:
        self.socket.reopen()

    def memory(self) -> float:
        """MB that are resident now."""
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6

    def cpu(self) -> float:
        """Seconds used so far."""
        return time.process_time()

    def close(self) -> None:
        self.socket.close()


def main() -> None:
    subject = Subject()
    for line in FileObject(sys.stdin.buffer):
        name, *arguments = json.loads(line)
        answer: Any
        try:
            answer = getattr(subject, name)(*arguments)
        except Exception as e:
            answer = {"error": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
