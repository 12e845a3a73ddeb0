"""Processes under measurement, and the page of one of them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

PATIENCE = 90.0
# How long the page is waited for; counted as that long, then.
UNANSWERED = 30.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """A program that is ended when its block is left."""

    def __init__(self, command: list[str], folder: str, name: str) -> None:
        self.log = Path(folder) / f"{name}.log"
        with self.log.open("w") as log:
            self._process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        self.pid = self._process.pid

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        for number, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 20)):
            if self._process.poll() is None:
                self._process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(patience)

    def alive(self) -> bool:
        return self._process.poll() is None

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def last(self) -> dict[str, Any]:
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 2000))
            ends = log.read().split(b"\n")
        return dict(json.loads(ends[-2])) if len(ends) > 1 and ends[-2].startswith(b"{") else {}

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU so far by thread's name, those that have ended left out; of all under the empty name."""
        seconds = {"": _cpu(f"/proc/{self.pid}/stat")[1]}
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with suppress(OSError):
                name, used = _cpu(f"/proc/{self.pid}/task/{task}/stat")
                seconds[name] = seconds.get(name, 0.0) + used
        return seconds

    def memory(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _cpu(path: str) -> tuple[str, float]:
    text = Path(path).read_text()
    numbers = text.rsplit(")", 1)[1].split()
    return text.split("(", 1)[1].rsplit(")", 1)[0], (int(numbers[11]) + int(numbers[12])) / _TICKS


class Page:
    """The master's page, by its API."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, path: str, body: dict[str, str] | None = None, method: str | None = None) -> bytes:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=UNANSWERED)
        form = urlencode(body) if body else None
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        try:
            self._connection.request(method or ("POST" if form else "GET"), path, form, headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            raise
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status}")
        return content

    def stats(self) -> dict[str, Any]:
        return dict(json.loads(self.ask("/stats/requests")))


def until(what: str, happens: Callable[[], object], process: Process) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.alive():
        if happens():
            return
        time.sleep(0.1)
    raise SystemExit(f"waited in vain for {what}; {process.log.name} ends:\n{process.log.read_text()[-2000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")
