"""A master that does nothing of its own accord but to acknowledge workers, serve a locustfile and answer heartbeats.

It prints its port, and then each message that comes; each line of its input is a message for the worker that was heard
last, or `"hush"`, from which on it answers nothing.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from gevent.fileobject import FileObject

import locust  # noqa: F401  # it patches what the rest uses
from locust.rpc import Message, zmqrpc

LOCUSTFILES = {
    "locustfiles": [{"filename": "sent.py", "contents": "import beside\nfrom locust import task, User\n"}],
    "gregaria": {
        "files": [
            ["sent.py", b"import beside\nfrom locust import User\nclass Sent(User):\n    pass\nprint(beside.WORD)\n"],
            ["beside.py", b"WORD = 'from beside'\n"],
        ],
        "locustfiles": ["sent.py"],
    },
}


def main() -> None:
    server = zmqrpc.Server("127.0.0.1", 0)
    print(server.port, flush=True)
    Told(server).start()
    while True:
        worker, message = server.recv_from_client()
        Told.worker = worker
        print(json.dumps([worker, message.type, message.data], default=repr), flush=True)
        answer = ANSWERS.get(message.type)
        if answer is not None and not Told.is_hushed:
            server.send_to_client(Message(*answer, worker))


ANSWERS: dict[str, tuple[str, Any]] = {
    "client_ready": ("ack", {"index": 3, "gregaria": {"instance": "x"}}),
    "heartbeat": ("heartbeat", None),
    "locustfile": ("locustfile", LOCUSTFILES),
}


class Told:
    """What the input says."""

    worker = ""
    is_hushed = False

    def __init__(self, server: zmqrpc.Server) -> None:
        self.server = server

    def start(self) -> None:
        import gevent

        gevent.spawn(self._read)

    def _read(self) -> None:
        for line in FileObject(sys.stdin.fileno(), "r"):
            told = json.loads(line)
            if told == "hush":
                Told.is_hushed = True
            else:
                self.server.send_to_client(Message(*told, Told.worker))


if __name__ == "__main__":
    main()
