"""What `--processes` brings, and what a busy Python costs: `processes.py PROGRAM [PROGRAM …]`.

Each PROGRAM is a `locust` command; the first one has to be ours, whose `gregaria target` beside it is the server.

1. Requests per second of one process and of `--processes 2`, by the server's own count, on users whose tasks compute
   for two milliseconds and then send a request: so Python is the limit, and the server needs some hundredths of a core.
   With two cores for everything the ratio stays below two: server, master and I/O threads want their part.
2. A worker's Python computes for a minute without a pause, under a master of the same program: how many of its seconds
   the master believes it missing, and how often it gave it up.

Exit code 0: everything was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path

from running import Page, Process, free_port, until

COMPUTES = """
import time
from locust import HttpUser, constant, task

class Computes(HttpUser):
    wait_time = constant(0)

    @task
    def compute(self):
        sum(range(ROUNDS))
        self.client.get("/json")
"""
BUSY = """
import time
from locust import User, constant, task

class Busy(User):
    wait_time = constant(1)

    @task
    def compute(self):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            pass
        self.environment.runner.quit()
"""
USERS = 16


def rates(program: str, target: str, processes: list[int], seconds: float) -> list[float]:
    """Requests per second that arrived, for each number of processes; 0 for one process without a master."""
    found = []
    for count in processes:
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            (Path(folder) / "locustfile.py").write_text(COMPUTES.replace("ROUNDS", str(rounds(0.002))))
            port = free_port()
            server = stack.enter_context(Process([target, "target", "--fast", "--port", str(port)], folder, "target"))
            counts = f"http://127.0.0.1:{port}/witness/counts"
            until("the server", lambda url=counts: arrived(url) is not None, server)
            command = [program, "-f", "locustfile.py", "--headless", "--only-summary", "-H", f"http://127.0.0.1:{port}"]
            command += ["-u", str(USERS), "-r", str(USERS), "-t", "10m"]
            if count:
                command += ["--processes", str(count), "--master-bind-port", str(free_port())]
            run = stack.enter_context(Process(command, folder, "run"))
            until("requests", lambda url=counts: (arrived(url) or 0) > 10 * USERS, run)
            time.sleep(3)
            before, began = arrived(counts) or 0, time.monotonic()
            time.sleep(seconds)
            found.append(((arrived(counts) or 0) - before) / (time.monotonic() - began))
    return found


def rounds(seconds: float) -> int:
    """How far to add for Python to need so long."""
    took = []
    for _ in range(20):
        began = time.perf_counter()
        sum(range(100_000))
        took.append(time.perf_counter() - began)
    return int(100_000 * seconds / min(took))


def arrived(url: str) -> int | None:
    with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        return int(json.loads(answer.read())["requests"])
    return None


def silence(program: str, seconds: float) -> dict[str, float]:
    """What a master sees of a worker that computes."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        (Path(folder) / "locustfile.py").write_text(BUSY.replace("SECONDS", str(seconds)))
        bind, web = free_port(), free_port()
        ports = ["--master-bind-host", "127.0.0.1", "--master-bind-port", str(bind)]
        page = Page(web)
        base = [program, "-f", "locustfile.py"]
        master = [*base, "--master", *ports, "--web-host", "127.0.0.1", "--web-port", str(web)]
        watched = stack.enter_context(Process(master, folder, "master"))
        until("the page", lambda: answers(page), watched)
        worker = [*base, "--worker", "--master-host", "127.0.0.1", "--master-port", str(bind)]
        busy = stack.enter_context(Process(worker, folder, "worker"))
        until("the worker", lambda: page.stats().get("workers"), busy)
        page.ask("/swarm", {"user_count": "1", "spawn_rate": "1"})
        time.sleep(2)
        states: list[str] = []
        end = time.monotonic() + seconds - 4
        while time.monotonic() < end:
            states += [str(one["state"]) for one in page.stats().get("workers", [])] or ["gone"]
            time.sleep(0.2)
        text = watched.log.read_text()
    lost = [state for state in states if state in ("missing", "gone")]
    return {"missing_percent": 100 * len(lost) / len(states), "failed": float(text.count("failed to send heartbeat"))}


def answers(page: Page) -> bool:
    with suppress(OSError):
        page.ask("/stats/requests")
        return True
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+", metavar="PROGRAM")
    parser.add_argument("--seconds", type=float, default=15.0, help="for each rate (default: 15)")
    parser.add_argument("--rounds", type=int, default=3, help="of the rates, whose median counts (default: 3)")
    parser.add_argument("--busy", type=float, default=60.0, help="seconds that Python computes (default: 60)")
    arguments = parser.parse_args()
    target = str(Path(arguments.programs[0]).with_name("gregaria"))
    print(f"{os.cpu_count()} cores; {USERS} users whose tasks compute 2 ms; requests per second\n")
    print(f"{'':34} {'one':>8} {'2 processes':>12} {'ratio':>6}", flush=True)
    for program in arguments.programs:
        found = [rates(program, target, [0, 2], arguments.seconds) for _ in range(arguments.rounds)]
        found.sort(key=lambda pair: pair[1] / pair[0])
        one, two = found[len(found) // 2]
        print(f"{program[-34:]:34} {one:8.0f} {two:12.0f} {two / one:6.2f}", flush=True)
    print(f"\na worker computes for {arguments.busy:.0f} s\n\n{'':34} {'missing':>8} {'given up':>9}", flush=True)
    for program in arguments.programs:
        seen = silence(program, arguments.busy)
        print(f"{program[-34:]:34} {seen['missing_percent']:7.0f}% {seen['failed']:9.0f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
