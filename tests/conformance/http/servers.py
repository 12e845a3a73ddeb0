"""What the target does not do: another origin, digest authentication, a proxy, and any bytes as an answer.

One server does it all, on a port of its own, and remembers what it was asked:

- `/digest/{qop}/{algorithm}`: asks for the password `secret` of `me`; `none` as qop is the old form without one;
- `/raw/{hex}`: answers with these bytes and closes;
- `/late/{hex}`: the same, and stays silent then;
- a whole URL as the request's target: answers for that host, as a proxy; CONNECT: a tunnel to anywhere;
- `/log`: what it was asked since `/forget`. Whatever else is asked is shown as it came, as JSON.
"""

from __future__ import annotations

import hashlib
import json
import re
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DEADLINE = 30
NONCE = "0123456789abcdef0123456789abcdef"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.log: list[Any] = []
        self.over = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is no news here."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    timeout = DEADLINE
    disable_nagle_algorithm = True  # or an answer in two pieces waits for the first one's acknowledgement

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/log":
            return self._json(200, self.server.log)
        if self.path == "/forget":
            self.server.log.clear()
            return self._json(200, None)
        seen = [self.command, self.path, [list(pair) for pair in self.headers.items()], self._body()]
        self.server.log.append(seen)
        kind, _, rest = self.path.removeprefix("/").partition("/")
        match kind:
            case "digest":
                self._digest(*rest.split("?")[0].split("/"), body=seen[3])
            case "raw" | "late":
                self._raw(bytes.fromhex(rest), late=kind == "late")
            case _:
                self._json(200, {"method": seen[0], "target": seen[1], "headers": seen[2], "body": seen[3]})

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = do_GET

    def do_CONNECT(self) -> None:
        self.server.log.append([self.command, self.path, [list(pair) for pair in self.headers.items()], ""])
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=DEADLINE) as there:
            self.send_response_only(200, "Connection established")
            self.end_headers()
            self._pump(there)
        self.close_connection = True

    def _pump(self, there: socket.socket) -> None:
        ends = {self.connection: there, there: self.connection}
        while True:
            for source in select.select(list(ends), [], [], DEADLINE)[0]:
                data = source.recv(65536)
                if not data:
                    return
                ends[source].sendall(data)

    def _body(self) -> str:
        if self.headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
        return body.decode(errors="replace")

    def _json(self, status: int, value: Any, **headers: str) -> None:
        body = json.dumps(value).encode()
        self.send_response_only(status)
        for name, text in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _raw(self, answer: bytes, late: bool) -> None:
        self.wfile.write(answer)
        self.wfile.flush()
        if late:
            self.server.over.wait(DEADLINE)
        self.close_connection = True

    def _digest(self, qop: str, algorithm: str, body: str) -> None:
        given = self.headers.get("authorization", "")
        if given.startswith("Digest ") and self._is_right(given, qop, algorithm):
            return self._json(200, {"authenticated": True, "body": body})
        asked = f'Digest realm="all of it", nonce="{NONCE}", opaque="op", algorithm={algorithm}'
        if qop != "none":
            asked += f', qop="{qop}"'
        self._json(401, {"authenticated": False}, WWW_Authenticate=asked, Set_Cookie="asked=1; Path=/")

    def _is_right(self, given: str, qop: str, algorithm: str) -> bool:
        fields = {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^, ]+))', given)}

        def digest(text: str) -> str:
            named = {"MD5": "md5", "MD5-SESS": "md5", "SHA": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}
            return hashlib.new(named[algorithm], text.encode()).hexdigest()

        secret = digest("me:all of it:secret")
        if algorithm == "MD5-SESS":
            secret = digest(f"{secret}:{NONCE}:{fields['cnonce']}")
        asked = digest(f"{self.command}:{self.path}")
        middle = NONCE if qop == "none" else f"{NONCE}:{fields['nc']}:{fields['cnonce']}:{fields['qop']}"
        return fields["response"] == digest(f"{secret}:{middle}:{asked}")


@contextmanager
def running() -> Iterator[str]:
    """The server, and its address."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
