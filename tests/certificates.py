"""Certificates for tests, made with the `openssl` command, and servers that show them."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


class Authority:
    """A certificate authority in a folder of its own, and what it has signed."""

    def __init__(self, folder: Path, *names: str) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("there is no `openssl` command to make certificates with")
        self.folder = folder
        self.pem = folder / "ca.pem"
        self.key = folder / "ca.key"
        own = ["-addext", f"subjectAltName={','.join(names)}"] if names else []
        key = self._new_key(self.key.name)
        self.run("req", "-x509", *key, "-subj", "/CN=authority", "-days", "30", *own, "-out", self.pem)

    def run(self, *command: str | Path) -> None:
        subprocess.run(["openssl", *command], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def _new_key(self, name: str) -> list[str | Path]:
        key = self.folder / name
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]

    def sign(self, name: str, *names: str) -> tuple[Path, Path]:
        """A certificate called `name` for `names` (`DNS:…`, `IP:…`), and its key."""
        pem, key, request = (self.folder / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        self.run("req", "-new", *self._new_key(key.name), "-subj", f"/CN={name}", "-out", request)
        more = self.folder / f"{name}.ext"
        more.write_text(f"subjectAltName={','.join(names)}\n" if names else "extendedKeyUsage=clientAuth\n")
        signer = ["-CA", self.pem, "-CAkey", self.key, "-CAcreateserial"]
        self.run("x509", "-req", "-in", request, *signer, "-days", "30", "-extfile", more, "-out", pem)
        return pem, key

    def encrypt(self, key: Path, password: str) -> Path:
        """`key` with a password."""
        encrypted = key.with_suffix(".encrypted")
        self.run("pkcs8", "-topk8", "-in", key, "-passout", f"pass:{password}", "-out", encrypted)
        return encrypted

    def hashed_folder(self) -> Path:
        """A folder of authorities as OpenSSL wants it, with this one in it."""
        folder = self.folder / "hashed"
        folder.mkdir(exist_ok=True)
        command = ["openssl", "x509", "-hash", "-noout", "-in", self.pem]
        name = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
        shutil.copy(self.pem, folder / f"{name}.0")
        return folder


class Witness:
    """A TLS server that answers every request, and remembers what each connection was like."""

    def __init__(self, context: ssl.SSLContext, address: str = "127.0.0.1") -> None:
        self._context = context
        self.connections: list[dict[str, Any]] = []
        context.sni_callback = self._note_name
        self._names: dict[int, str | None] = {}
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, 0), family=family)
        self.port: int = self._listener.getsockname()[1]

    def _note_name(self, connection: Any, name: str | None, _context: ssl.SSLContext) -> None:
        self._names[connection.fileno()] = name

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(10)
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with self._context.wrap_socket(connection, server_side=True) as stream:
                peer = stream.getpeercert()
                subject = dict(pair for (pair,) in peer["subject"])["commonName"] if peer else None
                spoken = {"version": stream.version(), "cipher": stream.cipher()[0], "resumed": stream.session_reused}
                self.connections.append({"name": self._names.pop(stream.fileno(), None), "client": subject, **spoken})
                while head := self._head(stream):
                    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    if b"connection: close" in head.lower():
                        break
        except OSError:
            pass

    def _head(self, stream: ssl.SSLSocket) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = stream.recv(65536)
            if not piece:
                return b""
            head += piece
        return head

    def close(self) -> None:
        # Wakes the thread that waits for a connection, which closing alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def witness(pair: tuple[Path, Path], client_authority: Path | None = None, **options: Any) -> Iterator[Witness]:
    """A server with the certificate and key of `pair`. `client_authority`: clients need one that it signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    if client_authority is not None:
        context.load_verify_locations(client_authority)
        context.verify_mode = ssl.CERT_REQUIRED
        # Otherwise a client learns only with the response that its certificate is not wanted.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    address = options.pop("address", "127.0.0.1")
    for name, value in options.items():
        setattr(context, name, value)
    server = Witness(context, address)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(10)
