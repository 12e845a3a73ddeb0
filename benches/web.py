"""How soon the web page is answered while a locustfile keeps Python busy: `python benches/web.py [PROGRAM …]`.

A hundred users compute without a pause, so that Python has no moment left. Meanwhile `/stats/requests` is asked for
twenty times a second over one connection, and where there is a stream, its `stats` are timed, which are due every
second. How late a sleep of ten milliseconds ends says meanwhile how busy the machine is with other things: nothing can
be answered sooner than that. Each PROGRAM is a `locust` command; by default ours, as this Python has it. Give Locust's
own beside it for the comparison:

    python benches/web.py locust /path/to/other/bin/locust

Exit code 0: everything was measured.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

LOCUSTFILE = """
import time
from locust import User, constant, events, task

class Computes(User):
    wait_time = constant(0)

    @task
    def compute(self):
        began = time.perf_counter()
        end = began + 0.02
        while time.perf_counter() < end:
            pass
        self.environment.events.request.fire(
            request_type="CPU",
            name=f"/entry/{id(self) % 50}",
            response_time=20.0,
            response_length=0,
            exception=None,
            context={},
        )
        time.sleep(0)
"""

USERS = 100
EVERY = 0.05
PATIENCE = 30.0


def measure(program: list[str], seconds: float) -> dict[str, list[float]]:
    """Milliseconds from request to answer, and how far from a second the stream's figures were apart."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "locustfile.py").write_text(LOCUSTFILE)
        port = free_port()
        users = ["--autostart", "-u", str(USERS), "-r", str(USERS), "--skip-log-setup"]
        command = [*program, "-f", "locustfile.py", "--web-host", "127.0.0.1", "--web-port", str(port), *users]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                wait_until_all_compute(port)
                return timed(port, seconds)
            finally:
                process.send_signal(signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_all_compute(port: int) -> None:
    end = time.monotonic() + 4 * PATIENCE
    while time.monotonic() < end:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            connection.request("GET", "/stats/requests")
            answer = json.loads(connection.getresponse().read())
            connection.close()
            if answer["user_count"] == USERS and answer["stats"][-1]["num_requests"] > USERS:
                return
        time.sleep(0.2)
    raise SystemExit("the users did not start")


def timed(port: int, seconds: float) -> dict[str, list[float]]:
    end = time.monotonic() + seconds
    gaps: list[float] = []
    late: list[float] = []
    threads = [
        threading.Thread(target=follow, args=(port, end, gaps)),
        threading.Thread(target=sleep, args=(end, late)),
    ]
    for thread in threads:
        thread.start()
    answered: list[float] = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    while time.monotonic() < end:
        began = time.perf_counter()
        connection.request("GET", "/stats/requests")
        connection.getresponse().read()
        took = time.perf_counter() - began
        answered.append(took * 1000)
        time.sleep(max(0.0, EVERY - took))
    for thread in threads:
        thread.join()
    return {"/stats/requests": answered, "stream, off its second": gaps, "a sleep, late": late}


def sleep(end: float, late: list[float]) -> None:
    while time.monotonic() < end:
        began = time.perf_counter()
        time.sleep(0.01)
        late.append((time.perf_counter() - began - 0.01) * 1000)


def follow(port: int, end: float, gaps: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/stream")
    response = connection.getresponse()
    if response.status != 200:
        return
    last = None
    while time.monotonic() < end:
        if response.readline().startswith(b"event: stats"):
            now = time.perf_counter()
            if last is not None:
                gaps.append(abs(now - last - 1) * 1000)
            last = now


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each is measured (default: 60)")
    arguments = parser.parse_args()
    own = [sys.executable, "-c", "import sys; from gregaria.__main__ import locust; sys.exit(locust())"]
    programs = [[program] for program in arguments.programs] or [own]
    print(f"{USERS} users that compute on {os.cpu_count()} cores; {arguments.seconds:.0f} s each; milliseconds\n")
    print(f"{'':30} {'':24} {'count':>6} {'50 %':>9} {'99 %':>9} {'longest':>9}")
    for program in programs:
        name = "gregaria, this Python's" if program is own else program[0]
        for what, values in measure(program, arguments.seconds).items():
            if values:
                figures = [quantile(values, 0.5), quantile(values, 0.99), max(values)]
                print(f"{name:30} {what:24} {len(values):6} " + " ".join(f"{figure:9.2f}" for figure in figures))


if __name__ == "__main__":
    main()
