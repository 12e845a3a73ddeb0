"""A master of ours, with workers of Locust's: real processes, and the target as the witness."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from conftest import Target, eventually

ORACLE = os.environ.get("GREGARIA_ORACLE")

pytestmark = pytest.mark.skipif(not ORACLE, reason="GREGARIA_ORACLE names no Python with Locust")

SHOP = """
from locust import FastHttpUser, constant, events, task


class Visitor(FastHttpUser):
    weight = 3
    wait_time = constant(0.05)

    @task
    def look(self):
        self.client.get("/look")


class Buyer(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def buy(self):
        self.client.post("/buy")
"""


@dataclass
class Process:
    """A node, and what it says."""

    process: subprocess.Popen[str]
    log: Path
    ended: list[int] = field(default_factory=list)

    def said(self) -> str:
        return self.log.read_text()

    def says(self, pattern: str, deadline: float = 60) -> re.Match[str]:
        found = eventually(lambda: re.search(pattern, self.said()) or (self.process.poll() is not None and 1), deadline)
        found = re.search(pattern, self.said())
        assert found, f"it ended without saying {pattern!r}:\n{self.said()}"
        return found

    def exit_code(self, deadline: float = 60) -> int:
        return self.process.wait(deadline)


class Nodes:
    """Starts nodes of one cluster in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[Process] = []

    def master(self, *options: str, **environment: str) -> Process:
        command = [sys.executable, "-m", "locust", "--master", "--master-bind-host", "127.0.0.1"]
        master = self._start([*command, "--master-bind-port", "0", *options], environment)
        self.port = int(master.says(r"Listening for workers on port (\d+)")[1])
        return master

    def worker(self, *options: str, file: str = "shop.py") -> Process:
        """One of Locust's own."""
        assert ORACLE is not None
        command = [ORACLE, "-m", "locust", "--worker", "-f", file, "--master-port", str(self.port), *options]
        return self._start(command, {"PYTHONPATH": ""})

    def _start(self, command: list[str], environment: dict[str, str]) -> Process:
        log = self.folder / f"{len(self.running)}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
            )
        self.running.append(Process(process, log))
        return self.running[-1]

    def end(self) -> None:
        for node in self.running:
            if node.process.poll() is None:
                node.process.send_signal(signal.SIGCONT)
                node.process.kill()
            node.process.wait(10)


@pytest.fixture
def nodes(tmp_path: Path, target: Target) -> Iterator[Nodes]:
    target.respond("/look", body="look")
    target.respond("/buy", body="buy")
    (tmp_path / "shop.py").write_text(SHOP)
    nodes = Nodes(tmp_path)
    yield nodes
    nodes.end()


def test_a_run_with_locusts_workers_counts_what_the_target_counted(nodes: Nodes, target: Target) -> None:
    master = nodes.master(
        *("-f", "shop.py", "--host", target.url, "--headless", "--expect-workers", "2"),
        *("-u", "8", "-r", "4", "-t", "4s", "-s", "2", "--csv", "out", "--only-summary"),
    )
    workers = [nodes.worker() for _ in range(2)]
    assert master.exit_code() == 0, master.said()
    assert [worker.exit_code() for worker in workers] == [0, 0]
    arrived = target.counts()
    rows = [line.split(",") for line in (nodes.folder / "out_stats.csv").read_text().splitlines()[1:]]
    counted = {(row[0], row[1]): int(row[2]) for row in rows}
    assert counted["", "Aggregated"] == arrived["requests"] > 50
    assert counted["GET", "/look"] + counted["POST", "/buy"] == arrived["requests"]
    said = master.said()
    for words in (
        "(index 0) reported as ready. 1 workers connected.",
        "(index 1) reported as ready. 2 workers connected.",
        "Sending spawn jobs of 8 users at 4.00 spawn rate to 2 ready workers",
        'All users spawned: {"Buyer": 2, "Visitor": 6} (8 total users)',
        "The last worker quit, stopping test.",
        "Shutting down (exit code 0)",
    ):
        assert words in said, said


def test_users_of_a_killed_worker_are_given_to_the_others(nodes: Nodes, target: Target) -> None:
    (nodes.folder / "shop.py").write_text(
        SHOP
        + """
import gevent, locust.runners

locust.runners.HEARTBEAT_INTERVAL = 0.5


@events.init.add_listener
def watch(environment, runner, **_):
    def told():
        last = None
        while True:
            now = runner.user_count, sorted(node.state for node in runner.clients.values())
            if now != last:
                print("FLEET", *now, flush=True)
            last = now
            gevent.sleep(0.02)

    if hasattr(runner, "clients"):
        gevent.spawn(told)
"""
    )
    master = nodes.master(
        *("-f", "shop.py", "--host", target.url, "--headless", "--expect-workers", "2", "--enable-rebalancing"),
        *("-u", "6", "-r", "6", "--only-summary"),
    )
    first, second = nodes.worker(), nodes.worker()
    master.says(r"FLEET 6 \['running', 'running'\]")
    first.process.kill()
    master.says(r"failed to send heartbeat, setting state to missing")
    master.says(r"FLEET 6 \['missing', 'running'\]")
    third = nodes.worker()
    master.says(r"FLEET 6 \['missing', 'running', 'running'\]")
    second.process.send_signal(signal.SIGTERM)
    master.says(r"FLEET 6 \['missing', 'running'\]\n(?s:.)*FLEET 6 \['missing', 'running'\]")
    master.process.send_signal(signal.SIGINT)
    assert master.exit_code() == 0, master.said()
    assert third.exit_code() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_ended_while_workers_are_awaited_dies_of_that_and_sends_them_away(
    nodes: Nodes, number: signal.Signals
) -> None:
    master = nodes.master("-f", "shop.py", "--headless", "--expect-workers", "2", "-L", "DEBUG")
    worker = nodes.worker()
    # A second later: Locust's worker goes on for ever that is sent away before it has quite begun.
    master.says("Waiting for workers to be ready, 1 of 2 connected")
    master.process.send_signal(number)
    assert master.exit_code() == -number, master.said()
    assert worker.exit_code() == 0


def test_workers_are_not_awaited_for_ever(nodes: Nodes) -> None:
    master = nodes.master("-f", "shop.py", "--headless", "--expect-workers", "2", "--expect-workers-max-wait", "5")
    worker = nodes.worker()
    master.says("reported as ready")
    assert master.exit_code() == 1
    assert "Gave up waiting for workers to connect" in master.said()
    assert worker.exit_code() == 0


def test_a_port_that_is_taken_is_one_sentence(nodes: Nodes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "locust", "-f", "shop.py", "--master", "--headless"]
        command += ["--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
        ended = subprocess.run(command, cwd=nodes.folder, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1
    assert f"The Locust master port (127.0.0.1:{port}) was busy" in ended.stderr
    assert "Traceback" not in ended.stderr


MESSAGES = """
from locust import User, constant, events, task
from locust.runners import MasterRunner, WorkerRunner


class Idle(User):
    wait_time = constant(1)
    colour = "red"

    @task
    def rest(self):
        pass

    def on_start(self):
        self.environment.runner.send_message("started", {"colour": self.colour, 7: [1.5, None, b"x"]})


@events.init.add_listener
def register(environment, runner, **_):
    if isinstance(runner, MasterRunner):
        def started(environment, msg, **_):
            print("STARTED", msg.type, msg.data, msg.node_id in environment.runner.clients, flush=True)
            environment.runner.send_message("thanks", {"to": msg.node_id}, client_id=msg.node_id)

        def failing(environment, msg, **_):
            raise ValueError("no such thing")

        runner.register_message("started", started)
        runner.register_message("failing", failing)
        def later(environment, msg, **_):
            print("LATER", msg.data, flush=True)

        runner.register_message("later", later, concurrent=True)
    else:
        def thanks(environment, msg, **_):
            for kind in ("failing", "unheard", "later"):
                environment.runner.send_message(kind, msg.data["to"] == environment.runner.client_id)

        runner.register_message("thanks", thanks)


@events.worker_connect.add_listener
def connected(client_id, **_):
    print("CONNECTED", client_id, flush=True)


@events.worker_report.add_listener
def reported(client_id, data, **_):
    print("REPORTED", sorted(data), data["user_classes_count"], flush=True)


@events.heartbeat_sent.add_listener
def beat(client_id, timestamp, **_):
    print("BEAT", flush=True)


@events.test_start.add_listener
def begin(environment, **_):
    if isinstance(environment.runner, MasterRunner):
        environment.update_user_class({"user_class_name": "Idle", "colour": "green"})
"""


def test_messages_of_a_locustfile_reach_the_other_side(nodes: Nodes) -> None:
    (nodes.folder / "shop.py").write_text(MESSAGES)
    master = nodes.master("-f", "shop.py", "--headless", "-u", "1", "--only-summary")
    worker = nodes.worker()
    master.says(r"STARTED started \{'colour': 'green', 7: \[1.5, None, b'x'\]\} True")
    master.says("Uncaught exception in handler for failing\nTraceback(?s:.)*ValueError: no such thing")
    master.says(r"Unknown message type received from worker \S+ \(index 0\): unheard")
    master.says("LATER True")
    master.says(r"CONNECTED \S+\n")
    master.says(r"REPORTED \['errors', 'stats', 'stats_total', 'user_classes_count', 'user_count'\] \{'Idle': 1\}")
    master.says("BEAT")
    master.process.send_signal(signal.SIGTERM)
    assert master.exit_code() == 0
    assert worker.exit_code() == 0


def test_the_locustfile_is_sent_to_who_asks_unless_that_is_switched_off(nodes: Nodes, target: Target) -> None:
    options = ("-f", "shop.py", "--host", target.url, "--headless", "-u", "2", "-r", "2", "-t", "1s", "--only-summary")
    master = nodes.master(*options)
    worker = nodes.worker(file="-")
    assert (master.exit_code(), worker.exit_code()) == (0, 0), master.said() + worker.said()
    assert '{"Buyer": 1, "Visitor": 1} (2 total users)' in master.said()

    master = nodes.master(*options, "--no-locustfile-transfer", "--expect-workers-max-wait", "5")
    worker = nodes.worker(file="-")
    assert worker.exit_code() == 1
    assert "the master was started with --no-locustfile-transfer" in worker.said()
    master.process.send_signal(signal.SIGTERM)
    master.exit_code()


def test_the_page_starts_changes_and_stops_a_fleet(nodes: Nodes, target: Target) -> None:
    master = nodes.master("-f", "shop.py", "--host", target.url, "--web-host", "127.0.0.1", "--web-port", "0")
    port = master.says(r"The web interface has port (\d+)")[1]
    workers = [nodes.worker() for _ in range(2)]

    def ask(path: str, **form: object) -> Any:
        data = urlencode(form).encode() if form else None
        with urlopen(Request(f"http://127.0.0.1:{port}{path}", data=data), timeout=20) as answer:
            return json.load(answer)

    eventually(lambda: ask("/worker-count") == {"worker_count": 2}, 20)
    assert ask("/swarm", user_count=4, spawn_rate=4)["success"]
    eventually(lambda: ask("/stats/requests")["user_count"] == 4)
    eventually(lambda: ask("/stats/requests")["state"] == "running")
    assert ask("/swarm", user_count=2, spawn_rate=4)["success"]
    eventually(lambda: ask("/stats/requests")["user_count"] == 2)
    eventually(lambda: [worker["user_count"] for worker in ask("/stats/requests")["workers"]] == [1, 1])
    assert ask("/stop")["success"]
    eventually(lambda: ask("/stats/requests")["user_count"] == 0)
    eventually(lambda: ask("/stats/requests")["state"] == "stopped")
    eventually(lambda: ask("/worker-count") == {"worker_count": 2}, 20)
    assert ask("/swarm", user_count=2, spawn_rate=2)["success"]
    eventually(lambda: ask("/stats/requests")["user_count"] == 2)
    master.process.send_signal(signal.SIGTERM)
    assert master.exit_code() == 0, master.said()
    assert [worker.exit_code() for worker in workers] == [0, 0]
