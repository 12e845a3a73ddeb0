"""A server that answers `/delay?ms=20` 20 ms after the request has arrived, as exactly as the kernel sleeps.

A thread per connection, because a sleeping thread is woken within some 0.1 ms where an event loop rounds to the
millisecond. Good for the few hundred requests per second of the truth run, and for nothing else.
"""

from __future__ import annotations

import re
import socketserver
import sys
import time

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n" + b'{"ok": true}'


class Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        pending = b""
        while data := self.request.recv(65536):
            arrived = time.perf_counter()
            pending += data
            if b"\r\n\r\n" not in pending:
                continue
            delay = re.search(rb"[?&]ms=(\d+)", pending)
            due = arrived + (int(delay[1]) / 1000 if delay else 0)
            time.sleep(max(0.0, due - time.perf_counter()))
            self.request.sendall(RESPONSE)
            pending = b""


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 1024
    allow_reuse_address = True


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Connection).serve_forever()
