"""The target all peers share: nginx with one worker and a small JSON answer, over HTTP and TLS.

It is also the neutral witness: how many requests a peer has made is read here, from nginx's own counter, and not from
the peer. The counter is read on a listener of its own, and the reads are taken out of the count.
"""

from __future__ import annotations

import http.client
import os
import re
import resource
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from process import Ended, Program, process_cpu

CONFIG = """
{user}
daemon off;
worker_processes 1;
{affinity}
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections {connections}; multi_accept on; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1d;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/json;
    sendfile on;
    server {{
        listen 127.0.0.1:{http} backlog=16384;
        listen 127.0.0.1:{https} ssl backlog=16384;
        listen 127.0.0.1:{http2} ssl http2 backlog=16384;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        location = /megabyte {{ alias {folder}/megabyte; }}
        location = /login {{
            add_header Set-Cookie "session=0123456789abcdef0123456789abcdef; Path=/";
            add_header Set-Cookie "theme=dark; Path=/";
            return 204;
        }}
        location / {{ return 200 '{{"id": 42, "name": "locust", "tags": ["swarm", "desert"], "ok": true}}'; }}
    }}
    server {{
        listen 127.0.0.1:{status};
        location / {{ stub_status; }}
    }}
}}
"""


@dataclass(frozen=True)
class Witnessed:
    """What nginx has seen, without what the witness itself did: requests ever, connections now.

    `connections` are those past their TLS handshake: in the midst of one, nginx counts a connection as active and as
    nothing else. `open` are all.
    """

    requests: int
    connections: int
    open: int


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on. All are held until the last is found, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


def make_certificate(folder: Path) -> None:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(["openssl", "req", "-x509", *curve, *names, *files], check=True, capture_output=True)


class Target:
    """nginx while it runs. With `core`, its worker is pinned to that core."""

    def __init__(self, folder: Path, core: int | None = None) -> None:
        folder.mkdir()
        make_certificate(folder)
        (folder / "megabyte").write_bytes(b"locusts " * (1 << 17))
        http_port, https_port, http2_port, self.status_port = free_ports(4)
        self.urls = {
            "http": f"http://127.0.0.1:{http_port}",
            "https": f"https://127.0.0.1:{https_port}",
            "http2": f"https://127.0.0.1:{http2_port}",
        }
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        config = CONFIG.format(
            user="user root;" if os.geteuid() == 0 else "",
            affinity="" if core is None else f"worker_cpu_affinity {1 << core:b};",
            folder=folder,
            files=files,
            connections=min(25_000, files - 100),
            http=http_port,
            https=https_port,
            http2=http2_port,
            status=self.status_port,
        )
        (folder / "nginx.conf").write_text(config)
        self.program = Program(["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")], folder)
        self.reads = 0
        self.connection = self.connect()
        self.workers = self.program.members()

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.program.kill()

    def connect(self) -> http.client.HTTPConnection:
        """The witness's one connection, kept open so that it does not count as a peer's."""
        deadline = time.monotonic() + 10
        while True:
            self.program.check()
            connection = http.client.HTTPConnection("127.0.0.1", self.status_port, timeout=30)
            try:
                connection.connect()
                return connection
            except OSError:
                if time.monotonic() > deadline:
                    raise Ended(f"nginx does not listen: {self.program.last_words()}") from None
                time.sleep(0.02)

    def witness(self) -> Witnessed:
        """Read nginx's counters."""
        self.connection.request("GET", "/")
        text = self.connection.getresponse().read().decode()
        self.reads += 1
        active, _accepted, _handled, requests, *stages = map(int, re.findall(r"\d+", text))
        return Witnessed(requests=requests - self.reads, connections=sum(stages) - 1, open=active - 1)

    def cpu(self) -> float:
        return sum(map(process_cpu, self.workers))

    def wait_until_left(self) -> None:
        """Wait until the last peer's connections are gone, so that the next starts on a quiet target."""
        deadline = time.monotonic() + 30
        while self.witness().open > 0:
            if time.monotonic() > deadline:
                raise Ended("nginx still has connections of the peer before")
            time.sleep(0.02)
