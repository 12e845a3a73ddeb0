"""Small real proxies: HTTP with CONNECT, and SOCKS5, each with a password if it is to have one.

They count what they did.
"""

from __future__ import annotations

import base64
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar
from urllib.parse import urlsplit

IPV4, NAME, IPV6 = 1, 3, 4


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy that listens; `log` has a line for each thing it was asked for."""

    daemon_threads = True
    allow_reuse_address = True
    scheme: ClassVar[str]

    def __init__(self, handler: type[socketserver.BaseRequestHandler], user: str | None, password: str | None) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.user, self.password = user, password
        self.log: list[str] = []
        self.accepted = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, scheme: str, credentials: str = "") -> str:
        return f"{scheme}://{credentials}127.0.0.1:{self.port}"

    def process_request(self, request, client_address) -> None:
        self.accepted += 1
        super().process_request(request, client_address)


class _Handler(socketserver.BaseRequestHandler):
    server: Proxy

    def pump(self, other: socket.socket) -> None:
        """Carry bytes both ways until one side is done."""

        def carry(source: socket.socket, sink: socket.socket) -> None:
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass

        back = threading.Thread(target=carry, args=(other, self.request), daemon=True)
        back.start()
        carry(self.request, other)
        back.join()
        other.close()


class _Http(_Handler):
    def handle(self) -> None:
        upstream: dict[tuple[str, int], socket.socket] = {}
        try:
            with self.request.makefile("rb") as reader:
                self.converse(reader, upstream)
        except OSError:
            pass  # the client is gone
        finally:
            for other in upstream.values():
                other.close()

    def converse(self, reader, upstream) -> None:
        while head := self.head(reader):
            method, target, _ = head[0].split(" ", 2)
            headers = [line.partition(": ")[::2] for line in head[1:]]
            named = {name.lower(): value for name, value in headers}
            if not self.may(named.get("proxy-authorization")):
                self.server.log.append(f"407 {method} {target}")
                self.request.sendall(
                    b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n'
                    b"Content-Length: 0\r\n\r\n"
                )
                continue
            self.server.log.append(f"{method} {target}")
            if method == "CONNECT":
                host, _, port = target.rpartition(":")
                try:
                    other = socket.create_connection((host.strip("[]"), int(port)), 10)
                except OSError:
                    self.request.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                    continue
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                return self.pump(other)
            body = reader.read(int(named.get("content-length", 0)))
            self.forward(method, target, headers, body, upstream)

    def head(self, reader) -> list[str]:
        lines = []
        while (line := reader.readline().decode("latin-1").rstrip("\r\n")) or not lines:
            if not line:
                return []
            lines.append(line)
        return lines

    def may(self, given: str | None) -> bool:
        if self.server.user is None:
            return True
        wanted = base64.b64encode(f"{self.server.user}:{self.server.password}".encode()).decode()
        return given == f"Basic {wanted}"

    def forward(self, method, target, headers, body, upstream) -> None:
        """Ask the server for a URL in the absolute form; the answer goes back as it is, to the end of its length."""
        url = urlsplit(target)
        address = (url.hostname or "", url.port or 80)
        if address not in upstream:
            upstream[address] = socket.create_connection(address, 10)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        kept = [f"{name}: {value}\r\n" for name, value in headers if not name.lower().startswith("proxy-")]
        upstream[address].sendall(f"{method} {path} HTTP/1.1\r\n{''.join(kept)}\r\n".encode("latin-1") + body)
        with upstream[address].makefile("rb") as reader:
            answer = self.head(reader)
            named = {name.lower(): value for name, _, value in (line.partition(": ") for line in answer[1:])}
            self.request.sendall(("\r\n".join(answer) + "\r\n\r\n").encode("latin-1"))
            if method != "HEAD":
                self.request.sendall(reader.read(int(named.get("content-length", 0))))


class _Socks(_Handler):
    """RFC 1928, and 1929 for the password."""

    def handle(self) -> None:
        _, count = self.exactly(2)
        methods = self.exactly(count)
        wanted = 0 if self.server.user is None else 2
        if wanted not in methods:
            self.server.log.append("no password")
            self.request.sendall(b"\x05\xff")
            return
        self.request.sendall(bytes((5, wanted)))
        if wanted == 2 and not self.knows_password():
            return
        _, command, _, kind = self.exactly(4)
        host = self.host(kind)
        port = int.from_bytes(self.exactly(2), "big")
        self.server.log.append(f"{'name' if kind == NAME else 'address'} {host}:{port}")
        try:
            other = socket.create_connection((host, port), 10)
        except OSError:
            self.request.sendall(b"\x05\x05\x00\x01" + bytes(6))
            return
        self.request.sendall(b"\x05\x00\x00\x01" + bytes(6))
        assert command == 1, "only CONNECT"
        self.pump(other)

    def knows_password(self) -> bool:
        _, length = self.exactly(2)
        user = self.exactly(length).decode()
        password = self.exactly(self.exactly(1)[0]).decode()
        right = (user, password) == (self.server.user, self.server.password)
        self.request.sendall(b"\x01\x00" if right else b"\x01\x01")
        if not right:
            self.server.log.append("wrong password")
        return right

    def host(self, kind: int) -> str:
        if kind == NAME:
            return self.exactly(self.exactly(1)[0]).decode()
        if kind == IPV4:
            return socket.inet_ntoa(self.exactly(4))
        return socket.inet_ntop(socket.AF_INET6, self.exactly(16))

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.request.recv(count - len(data))
            if not piece:
                raise ConnectionError("the client has hung up")
            data += piece
        return data


@contextmanager
def http_proxy(user: str | None = None, password: str | None = None) -> Iterator[Proxy]:
    yield from _served(Proxy(_Http, user, password))


@contextmanager
def socks_proxy(user: str | None = None, password: str | None = None) -> Iterator[Proxy]:
    yield from _served(Proxy(_Socks, user, password))


def _served(proxy: Proxy) -> Iterator[Proxy]:
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join(10)
