"""`gregaria target` as a command: how it starts, what it says, how it ends. What it serves is tested in Rust."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "import sys; from gregaria.__main__ import gregaria; sys.exit(gregaria())"]


def gregaria(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=30)


@contextmanager
def target(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running target and its URL."""
    process = subprocess.Popen([*COMMAND, "target", "--port", "0", *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().removeprefix("listening on ").strip()
    finally:
        process.kill()
        process.wait(timeout=30)
        process.stdout.close()


def get(url: str, context: ssl.SSLContext | None = None) -> object:
    with urllib.request.urlopen(url, timeout=30, context=context) as response:
        return json.load(response)


def test_it_serves_and_counts() -> None:
    with target("--fast") as (_, url):
        for _ in range(3):
            get(f"{url}/json")
        counts = get(f"{url}/witness/counts")
    assert isinstance(counts, dict)
    assert counts["by"] == {"GET /json": 3}
    assert counts["statuses"] == {"200": 3}


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_even_while_a_client_waits(ending: signal.Signals) -> None:
    with target() as (process, url):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as client:
            client.sendall(b"GET /delay?ms=60000 HTTP/1.1\r\n\r\n")
            get(f"{url}/json")
            process.send_signal(ending)
            assert process.wait(timeout=10) == 0
            assert client.recv(1) == b""


def test_https_is_trusted_with_the_certificate_it_writes(tmp_path: Path) -> None:
    certificate, ready = tmp_path / "authority.pem", tmp_path / "ready"
    options = ["--tls", "--tls-port", "0", "--tls-cert-out", str(certificate), "--ready-file", str(ready)]
    with target(*options) as (process, url):
        assert process.stdout is not None
        secure = process.stdout.readline().removeprefix("listening on ").strip()
        context = ssl.create_default_context(cafile=str(certificate))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        echo = get(f"{secure}/echo", context)
        assert ready.read_text().split() == [url.rsplit(":", 1)[1], secure.rsplit(":", 1)[1]]
    assert isinstance(echo, dict)
    assert echo["tls"] is True


@pytest.mark.parametrize(
    "line",
    ["target --port eighty", "target --nonsense", "target --tls-port 1", "target x", "nonsense"],
)
def test_bad_options_are_one_sentence_and_exit_code_2(line: str) -> None:
    run = gregaria(*line.split())
    assert run.returncode == 2
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1
    assert "Traceback" not in run.stderr


def test_a_busy_port_is_one_sentence_and_exit_code_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        run = gregaria("target", "--port", str(busy.getsockname()[1]))
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 1
    assert "cannot listen on" in run.stderr


def test_help_tells_the_routes() -> None:
    run = gregaria("target", "--help")
    assert run.returncode == 0
    assert "--capacity" in run.stdout
    assert "/witness/counts" in run.stdout
