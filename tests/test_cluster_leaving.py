"""A worker that is told to end in the middle of a test. Real processes; the target is the witness."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Target, eventually
from test_cluster_master import Nodes, Process

SHOP = """
import sys
from locust import FastHttpUser, constant, runners, task

if "--worker" in sys.argv:
    # A test that wants to see them come in the time that a task takes.
    runners.HEARTBEAT_INTERVAL = 0.1


class Visitor(FastHttpUser):
    wait_time = constant(0)

    @task
    def look(self):
        self.client.get("/slow")
"""


class Fleet(Nodes):
    def own_worker(self) -> Process:
        command = [sys.executable, "-m", "locust", "--worker", "-f", "shop.py", "--master-port", str(self.port)]
        return self._start(command, {})


@pytest.fixture
def fleet(tmp_path: Path, target: Target) -> Iterator[Fleet]:
    target.respond("/slow", delay_ms=1_000)
    (tmp_path / "shop.py").write_text(SHOP)
    fleet = Fleet(tmp_path)
    yield fleet
    fleet.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stop_timeout", [0, 30])
def test_what_it_did_is_counted_and_it_does_not_come_back(
    fleet: Fleet, target: Target, number: signal.Signals, stop_timeout: int
) -> None:
    master = fleet.master(
        *("-f", "shop.py", "--host", target.url, "--headless", "--expect-workers", "2", "-u", "6", "-r", "6"),
        *("--stop-timeout", str(stop_timeout), "--json-file", "figures", "--only-summary", "--html", "run.html"),
    )
    leaving, staying = fleet.own_worker(), fleet.own_worker()
    master.says("All users spawned")
    eventually(lambda: target.counts()["requests_finished"] >= 6)
    leaving.process.send_signal(number)
    assert leaving.exit_code() == 0, leaving.said()
    # The others have its users, and it has none.
    master.says("Sending spawn jobs of 6 users .* to 1 ready workers")
    master.says("All users spawned(?s:.)*All users spawned")
    master.process.send_signal(signal.SIGTERM)
    assert master.exit_code() == 0, master.said()
    assert staying.exit_code() == 0, staying.said()
    assert "it has joined again" not in leaving.said()
    assert "failed to send heartbeat" not in master.said()
    assert "The figures are not whole" not in re.sub(r"\s+", " ", master.said())
    counted = json.loads((fleet.folder / "figures.json").read_text())
    uncounted = target.counts()["requests_finished"] - sum(entry["num_requests"] for entry in counted)
    # Without a stop timeout an answer may meet a user that has just been ended.
    assert 0 <= uncounted <= (0 if stop_timeout else 9)
