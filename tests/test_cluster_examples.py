"""The example locustfiles over two processes: what a new user does first, and the target counts what is reported."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LOCUSTFILES = Path(__file__).parent.parent / "locustfiles"

DEALT_OUT = """
from locust import HttpUser, constant, events, task
from locust.runners import MasterRunner, WorkerRunner

names = []

def take(environment, msg, **kwargs):
    names.extend(msg.data)
    environment.runner.send_message("taken", f"took {len(msg.data)}")

@events.init.add_listener
def on_init(environment, **kwargs):
    if not isinstance(environment.runner, MasterRunner):
        environment.runner.register_message("names", take)
    if not isinstance(environment.runner, WorkerRunner):
        environment.runner.register_message("taken", lambda msg, **kwargs: print(msg.data))

@events.test_start.add_listener
def deal_out(environment, **kwargs):
    runner = environment.runner
    if not isinstance(runner, WorkerRunner):
        for place, worker in enumerate(runner.clients):
            of_worker = [f"user {number}" for number in range(10)][place :: runner.worker_count]
            runner.send_message("names", of_worker, worker)

class Customer(HttpUser):
    wait_time = constant(0.2)

    def __init__(self, environment):
        super().__init__(environment)
        self.name = names.pop()

    @task
    def look(self):
        self.client.get("/json", name=self.name)
"""


def run(locustfile: Path, target: Any, folder: Path, *options: str) -> tuple[subprocess.CompletedProcess[str], int]:
    """A master and two workers of its own; what it said, and how many requests it reported."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    where = ("--processes", "2", "--master-bind-host", "127.0.0.1", "--master-bind-port", port)
    command = [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "-H", target.url, *where]
    more = ("-u", "8", "-r", "20", "-s", "5", "--only-summary", "--json-file", "out")
    ran = subprocess.run(
        [*command, *more, *options],
        cwd=folder,
        env={**os.environ, "TEST_SECONDS": "3"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    entries = json.loads((folder / "out.json").read_text())
    return ran, sum(entry["num_requests"] for entry in entries)


@pytest.mark.parametrize(
    "name", ["checkout", "failures", "async_user", "messages", "shape_step", "test_shop", "fast_http", "own_wait"]
)
def test_an_example_over_two_processes(name: str, target: Any, tmp_path: Path) -> None:
    time = () if name == "shape_step" else ("-t", "2")
    # A copy: pytest would read this project's settings beside the original.
    example = Path(shutil.copy(LOCUSTFILES / f"{name}.py", tmp_path))
    ran, reported = run(example, target, tmp_path, *time)
    assert ran.returncode == (1 if name == "failures" else 0), ran.stderr
    assert reported == sum(target.counts()["by"].values()) > 0
    assert "Traceback" not in ran.stderr and ran.stderr.count("reported as ready") == 2, ran.stderr


def test_what_a_master_deals_out_its_workers_use(target: Any, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text(DEALT_OUT)
    ran, _ = run(tmp_path / "locustfile.py", target, tmp_path, "-u", "10", "-t", "2")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("took 5") == 2
    entries = {entry["name"] for entry in json.loads((tmp_path / "out.json").read_text())}
    assert entries == {f"user {number}" for number in range(10)}


def test_every_order_is_placed_once(target: Any, tmp_path: Path) -> None:
    ran, _ = run(LOCUSTFILES / "feeders" / "every_order_once.py", target, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert target.counts()["by"] == {"POST /login": 8, "POST /api/cart": 200, "POST /api/checkout": 200}
