"""A worker that is told to end in the middle of a test. Real processes; the target is the witness."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
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
    def own_worker(self, *options: str, before: Sequence[str] = ()) -> Process:
        command = [*before, sys.executable, "-m", "locust", "--worker", "--master-port", str(self.port)]
        return self._start([*command, *(options or ("-f", "shop.py"))], {})


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


def test_who_forked_workers_hands_sigterm_on_to_them(fleet: Fleet, target: Target) -> None:
    master = fleet.master(
        *("-f", "shop.py", "--host", target.url, "--headless", "--expect-workers", "3", "-u", "6", "-r", "6"),
        *("--stop-timeout", "30", "--json-file", "figures", "--only-summary"),
    )
    parent, staying = fleet.own_worker("-f", "shop.py", "--processes", "2"), fleet.own_worker()
    master.says("All users spawned")
    eventually(lambda: target.counts()["requests_finished"] >= 6)
    parent.process.send_signal(signal.SIGTERM)
    assert parent.exit_code() == 0, parent.said()
    master.says("Sending spawn jobs of 6 users .* to 1 ready workers")
    master.says("All users spawned(?s:.)*All users spawned")
    master.process.send_signal(signal.SIGTERM)
    assert (master.exit_code(), staying.exit_code()) == (0, 0), master.said()
    assert "failed to send heartbeat" not in master.said()
    counted = json.loads((fleet.folder / "figures.json").read_text())
    assert sum(entry["num_requests"] for entry in counted) == target.counts()["requests_finished"]


FIRST = ("unshare", "--pid", "--fork", "--kill-child")
"""As a container begins its first process, which ignores what it does not handle."""


@pytest.mark.skipif(
    subprocess.run([*FIRST, "true"], capture_output=True).returncode != 0, reason="no namespaces may be made here"
)
@pytest.mark.parametrize("options", [("-f", "-"), ("-f", "shop.py"), ("-f", "shop.py", "--processes", "2")])
def test_a_containers_first_process_that_waits_for_its_master_ends_when_told(
    fleet: Fleet, options: tuple[str, ...]
) -> None:
    fleet.port = 9  # where nobody listens
    outer = fleet.own_worker(*options, "-L", "DEBUG", before=FIRST)
    outer.says("Waiting to connect to master|Failed to connect to master")
    [first] = psutil.Process(outer.process.pid).children()
    first.send_signal(signal.SIGTERM)
    outer.exit_code(20)
    assert not first.is_running()
