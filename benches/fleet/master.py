"""What a master costs and how it answers, under thousands of simulated workers: `master.py [PROGRAM …]`.

Each PROGRAM is a `locust` command. It is started as master, `workers.py` connects to it, a test is started over its
page's API, and for some time it is measured what share of a core the master uses, its memory, how long
`/stats/requests` takes, asked for ten times a second, and how long workers wait for the answer to a heartbeat. At the
end the test is stopped and the master's count of requests compared with what was sent: a master that loses reports is
not carrying its workers.

    python benches/fleet/master.py .venv/bin/locust /path/to/other/bin/locust --workers 100 300

Needs msgpack in the Python that runs it; Locust's environment has it. Exit code 0: everything was measured.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from running import Page, Process, free_port, quantile, until

HERE = Path(__file__).parent
LOCUSTFILE = """
from locust import User, constant, task

class Buyer(User):
    wait_time = constant(1)

    @task
    def nothing(self):
        pass

class Visitor(Buyer):
    weight = 3
"""
USERS_EACH = 10
EVERY = 0.1


@dataclass
class Result:
    """One master under one number of workers. Times in ms, memory in MB."""

    program: str
    workers: int
    entries: int
    seconds: float
    joined_after_s: float = 0.0
    cpu_percent: float = 0.0
    threads_percent: dict[str, float] = field(default_factory=dict)
    memory: list[float] = field(default_factory=list)
    api: list[float] = field(default_factory=list)
    sleep_late: list[float] = field(default_factory=list)
    answer_p50: list[float] = field(default_factory=list)
    answer_p99: list[float] = field(default_factory=list)
    unanswered: int = 0
    sent: int = 0
    counted: int = 0
    waiting_bytes: int = 0
    workers_percent: float = 0.0

    def carried(self) -> bool:
        """Whether the master kept up: nobody given up, and all that was sent is counted."""
        return not self.unanswered and self.sent == self.counted


def measure(program: str, arguments: argparse.Namespace, workers: int) -> Result:
    result = Result(program, workers, arguments.entries, arguments.seconds)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        (Path(folder) / "locustfile.py").write_text(LOCUSTFILE)
        bind, web = free_port(), free_port()
        ports = ["--master-bind-host", "127.0.0.1", "--master-bind-port", str(bind), "--web-port", str(web)]
        command = [program, "-f", "locustfile.py", "--master", *ports, "--web-host", "127.0.0.1"]
        master = stack.enter_context(Process(command, folder, "master"))
        page = Page(web)
        until("the page to answer", lambda: answers(page), master)
        simulated = [sys.executable, str(HERE / "workers.py"), "--port", str(bind), "--workers", str(workers)]
        began = time.monotonic()
        simulated += ["--entries", str(arguments.entries), "--form", arguments.form]
        fleet = stack.enter_context(Process(simulated, folder, "workers"))
        until("all workers to be acknowledged", lambda: fleet.last().get("acked") == workers, fleet)
        result.joined_after_s = round(time.monotonic() - began, 1)
        users = workers * USERS_EACH
        page.ask("/swarm", {"user_count": str(users), "spawn_rate": str(users)})
        until("all workers to have users", lambda: fleet.last().get("running") == workers, fleet)
        time.sleep(arguments.warm_up)
        watch(result, arguments, page, master, fleet)
        finish(result, page, fleet)
    return result


def answers(page: Page) -> bool:
    with suppress(OSError, http.client.HTTPException):
        page.ask("/stats/requests")
        return True
    return False


def watch(result: Result, arguments: argparse.Namespace, page: Page, master: Process, fleet: Process) -> None:
    end = time.monotonic() + arguments.seconds
    late = threading.Thread(target=sleep, args=(end, result.sleep_late))
    late.start()
    before, began, lines, fleet_before = master.cpu(), time.monotonic(), len(fleet.lines()), fleet.cpu()
    next_look = began
    while time.monotonic() < end:
        asked = time.perf_counter()
        with suppress(OSError, http.client.HTTPException):
            page.ask("/stats/requests")
        took = time.perf_counter() - asked
        result.api.append(took * 1000)
        if time.monotonic() >= next_look:
            next_look += max(1.0, arguments.seconds / 120)
            result.memory.append(round(master.memory(), 1))
        time.sleep(max(0.0, EVERY - took))
    after, lasted, fleet_after = master.cpu(), time.monotonic() - began, fleet.cpu()
    late.join()
    used = {name: 100 * (seconds - before.get(name, 0.0)) / lasted for name, seconds in after.items()}
    result.cpu_percent = round(used.pop(""), 1)
    result.threads_percent = {name: round(share, 1) for name, share in used.items() if share >= 0.05}
    result.workers_percent = round(100 * (fleet_after[""] - fleet_before[""]) / lasted, 1)
    for line in fleet.lines()[lines:]:
        if line["answer_ms"]:
            result.answer_p50.append(line["answer_ms"][0])
            result.answer_p99.append(line["answer_ms"][1])
        result.unanswered = max(result.unanswered, line["unanswered"])
        result.waiting_bytes = line["waiting_bytes"]


def finish(result: Result, page: Page, fleet: Process) -> None:
    """Stops the test; when nothing is under way any more, what arrived is compared with what was sent."""
    with suppress(OSError, http.client.HTTPException):
        page.ask("/stop", method="POST")
    with suppress(SystemExit):
        until("all workers to have stopped", lambda: not fleet.last().get("running", 1), fleet)
        until("all reports to be taken", lambda: not fleet.last().get("waiting_bytes", 1), fleet)
    result.sent = fleet.last()["requests"]
    end = time.monotonic() + 30
    while time.monotonic() < end and result.counted != result.sent:
        with suppress(OSError, http.client.HTTPException):
            result.counted = page.stats()["stats"][-1]["num_requests"]
        time.sleep(0.5)


def sleep(end: float, late: list[float]) -> None:
    while time.monotonic() < end:
        began = time.perf_counter()
        time.sleep(0.01)
        late.append((time.perf_counter() - began - 0.01) * 1000)


HEADING = (
    f"{'master':34} {'workers':>7} {'CPU':>6} {'memory, MB':>12} {'page 50 %':>10} {'99 %':>8} {'longest':>8} "
    f"{'beat 50 %':>10} {'99 %':>9} {'given up':>8} {'counted':>8} {'sleep 99 %':>10}"
)


def row(result: Result) -> str:
    memory = f"{result.memory[0]:.0f} to {result.memory[-1]:.0f}"
    page = [quantile(result.api, 0.5), quantile(result.api, 0.99), max(result.api)]
    counted = 100 * result.counted / result.sent if result.sent else 0.0
    return (
        f"{result.program[-34:]:34} {result.workers:7} {result.cpu_percent:5.1f}% {memory:>12} "
        f"{page[0]:10.1f} {page[1]:8.1f} {page[2]:8.1f} "
        f"{quantile(result.answer_p50, 0.5):10.1f} {max(result.answer_p99, default=float('nan')):9.1f} "
        f"{result.unanswered:8} {counted:7.2f}% {quantile(result.sleep_late, 0.99):10.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+", metavar="PROGRAM")
    parser.add_argument("--workers", type=int, nargs="+", default=[1500])
    parser.add_argument("--entries", type=int, default=500, help="of each report (default: 500)")
    parser.add_argument("--form", choices=["locust", "gregaria"], default="locust", help="whose workers are simulated")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long is measured (default: 60)")
    parser.add_argument("--warm-up", type=float, default=10.0, help="seconds from the users' start (default: 10)")
    parser.add_argument("--json", metavar="FILE", help="where to write all that was measured")
    arguments = parser.parse_args()
    print(
        f"{arguments.entries} entries each 3 s, {arguments.seconds:.0f} s each; {os.cpu_count()} cores; times in ms\n"
    )
    print(HEADING, flush=True)
    results = []
    for program in arguments.programs:
        for workers in arguments.workers:
            results.append(measure(program, arguments, workers))
            print(row(results[-1]), flush=True)
            if arguments.json:
                Path(arguments.json).write_text(json.dumps([asdict(result) for result in results], indent=1))


if __name__ == "__main__":
    main()
