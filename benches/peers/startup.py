"""How soon a tool answers and is under way: `locust --version`, and CPU from the start to the first request."""

from __future__ import annotations

import socket
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from peers import Peer
from process import Ended, Program, clean_environment


@dataclass(frozen=True)
class Startup:
    """Medians."""

    peer: str
    version_seconds: float
    first_request_cpu_seconds: float
    first_request_seconds: float


def version_seconds(peer: Peer, folder: Path) -> float:
    started = time.perf_counter()
    command = [peer.executable, "--version"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env=clean_environment(folder), timeout=60)
    return time.perf_counter() - started


def first_request(peer: Peer, folder: Path) -> tuple[float, float]:
    """CPU and wall seconds until the first byte of the first request has arrived at a socket of ours."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        started = time.perf_counter()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Program(peer.command(url, 1), folder) as program:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(60)
                    connection.recv(1)
                    seconds = time.perf_counter() - started
                    return program.cpu(), seconds
            except TimeoutError:
                raise Ended(f"sent no request within 60 s: {program.last_words()}") from None


def run_startup(peer: Peer, times: int, folder: Path) -> Startup:
    version_seconds(peer, folder)  # the first fills the file cache and writes the bytecode
    versions = [version_seconds(peer, folder) for _ in range(times)]
    firsts = [first_request(peer, folder) for _ in range(times)]
    return Startup(
        peer=peer.key,
        version_seconds=statistics.median(versions),
        first_request_cpu_seconds=statistics.median(cpu for cpu, _ in firsts),
        first_request_seconds=statistics.median(seconds for _, seconds in firsts),
    )
