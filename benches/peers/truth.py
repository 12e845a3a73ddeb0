"""The truth run: does a tool report the server's response time, or its own queue?

Tasks burn 4 ms of CPU and ask a server that answers in 20 ms. A probe on a connection of its own asks the same
server all the while, so the report can say what the truth was, not what it should have been.
"""

from __future__ import annotations

import csv
import http.client
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from peers import LOCUSTFILES, Peer, locust_arguments
from process import Ended, Program
from target import free_ports

DELAY = "/delay?ms=20"
# The server must answer in time on a machine that the generator keeps busy. Without the right to do so, `nice` says so
# and starts it all the same.
NICENESS = -10
NICE = ["nice", "-n", str(NICENESS)]


@dataclass(frozen=True)
class TruthRun:
    """Milliseconds as the tool's CSV file reports them, and as the probe saw them meanwhile."""

    peer: str
    users: int
    requests: int
    median_ms: float
    percentile_95_ms: float
    probe_median_ms: float
    probe_95_ms: float
    lag: str
    """What the tool's own summary says about generator lag, if it says anything."""


@dataclass(frozen=True)
class DelayServer:
    name: str
    port: int


def ask(connection: http.client.HTTPConnection) -> float:
    """One request; returns its milliseconds."""
    started = time.perf_counter()
    connection.request("GET", DELAY)
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise Ended(f"the delay server answers {response.status}")
    return (time.perf_counter() - started) * 1000


def answers(program: Program, port: int) -> bool:
    """Whether the program serves `/delay` there, within five seconds."""
    deadline = time.monotonic() + 5
    while program.process.poll() is None and time.monotonic() < deadline:
        try:
            ask(http.client.HTTPConnection("127.0.0.1", port, timeout=2))
            return True
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        except Ended:
            return False
    return False


@contextmanager
def delay_server(ours: str, folder: Path) -> Iterator[DelayServer]:
    """`gregaria target` where it is installed beside our `locust`; the bench's own server elsewhere."""
    product = Path(ours).with_name("gregaria")
    (port,) = free_ports(1)
    candidates = [("bench delay server", [sys.executable, str(Path(__file__).with_name("delay.py")), str(port)])]
    if product.exists():
        candidates.insert(0, ("gregaria target", [str(product), "target", "--port", str(port)]))
    for name, command in candidates:
        with Program([*NICE, *command], folder) as program:
            if answers(program, port):
                yield DelayServer(name, port)
                return
    raise Ended("no delay server starts")


class Probe(threading.Thread):
    """Asks twenty times a second until told to stop."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.stopped = threading.Event()
        self.times_ms: list[float] = []

    def run(self) -> None:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, NICENESS)  # on Linux, of this thread alone
        while not self.stopped.wait(0.03):
            self.times_ms.append(ask(self.connection))

    def stop(self) -> list[float]:
        self.stopped.set()
        self.join()
        if len(self.times_ms) < 10:
            raise Ended("the probe got no answers from the delay server")
        return self.times_ms


def reported(csv_file: Path) -> dict[str, str]:
    """The row of `/delay` in Locust's statistics file."""
    if not csv_file.exists():
        raise Ended(f"wrote no {csv_file.name}")
    with csv_file.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["Name"] == "/delay":
                if int(row["Failure Count"]):
                    raise Ended(f"{row['Failure Count']} of {row['Request Count']} requests failed")
                return row
    raise Ended(f"{csv_file.name} has no row for /delay")


def run_truth(peer: Peer, server: DelayServer, users: int, seconds: float, folder: Path) -> TruthRun:
    url = f"http://127.0.0.1:{server.port}"
    arguments = locust_arguments(LOCUSTFILES / "truth.py", url, users)
    prefix = folder / f"{peer.key}-{users}"
    command = [peer.executable, *arguments, "-t", f"{seconds:.0f}s", "--csv", str(prefix)]
    probe = Probe(server.port)
    with Program(command, folder) as program:
        probe.start()
        program.wait(seconds + 60)
        seen = probe.stop()
        said = program.text()
    row = reported(prefix.with_name(prefix.name + "_stats.csv"))
    return TruthRun(
        peer=peer.key,
        users=users,
        requests=int(row["Request Count"]),
        median_ms=float(row["50%"]),
        percentile_95_ms=float(row["95%"]),
        probe_median_ms=statistics.median(seen),
        probe_95_ms=statistics.quantiles(seen, n=20)[-1],
        lag=next((line.strip() for line in said.splitlines() if "generator lag" in line.lower()), ""),
    )
