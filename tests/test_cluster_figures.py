"""What a master says of its fleet: figures, charts, workers, losses. Real processes; the target is the witness."""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Target, eventually
from test_cluster_master import ORACLE, Nodes, Process

pytestmark = pytest.mark.skipif(not ORACLE, reason="GREGARIA_ORACLE names no Python with Locust")

SHOP = """
from locust import FastHttpUser, constant, events, task


class Visitor(FastHttpUser):
    wait_time = constant(0.02)

    @task(8)
    def look(self):
        self.client.get("/look")

    @task(1)
    def missing(self):
        self.client.get("/missing")

    @task(1)
    def broken(self):
        raise ValueError("boom")
"""

COUNTING = """
from locust import User, constant, events, task


class Counting(User):
    wait_time = constant(0.05)

    def one(self, name, response_time):
        request = {"request_type": "X", "name": name, "response_length": 1, "exception": None, "context": {}}
        self.environment.events.request.fire(response_time=response_time, **request)

"""

LISTENING = """

@events.report_to_master.add_listener
def early(client_id, data, **_):
    assert data == {}, data
    data["early"] = 1


@events.init.add_listener
def later(environment, **_):
    @environment.events.report_to_master.add_listener
    def late(client_id, data, **_):
        keys = {key for entry in [*data["stats"], data["stats_total"]] for key in entry}
        data["said"] = [sorted(data), len(keys)]

    @environment.events.worker_report.add_listener
    def heard(client_id, data, **_):
        keys = {key for entry in [*data["stats"], data["stats_total"]] for key in entry}
        print("HEARD", data["said"], sorted(data), len(keys), flush=True)
"""


SPAWNED = "All users spawned|Spawning is complete"
"""The second on a machine that is busy with other things."""


class Fleet(Nodes):
    """With workers of both kinds, and a page to ask."""

    def start_master(self, *options: str) -> Process:
        master = self.master("-f", "shop.py", *options)
        if "--headless" not in options:
            said = master.says(r"The web interface has port (\d+)")
            self.page = f"http://127.0.0.1:{said[1]}"
        return master

    def own_worker(self, *options: str) -> Process:
        command = [sys.executable, "-m", "locust", "--worker", "-f", "shop.py", "--master-port", str(self.port)]
        return self._start([*command, *options], {})

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(self.page + path, timeout=10) as answer:
            body = answer.read().decode()
        return json.loads(body) if path != "/metrics" else body

    def event(self, name: str) -> Any:
        """What the page's stream says first of this."""
        with urllib.request.urlopen(self.page + "/stream", timeout=10) as stream:
            for line in stream:
                if line == f"event: {name}\n".encode():
                    return json.loads(stream.readline().removeprefix(b"data: "))
        raise AssertionError(f"the stream ended without `{name}`")


@pytest.fixture
def fleet(tmp_path: Path, target: Target) -> Iterator[Fleet]:
    target.respond("/look", body="look")
    target.respond("/missing", status=404)
    (tmp_path / "shop.py").write_text(SHOP)
    fleet = Fleet(tmp_path)
    yield fleet
    fleet.end()


def of_report(path: Path) -> dict[str, Any]:
    """What only our reports have."""
    found = re.search(r"window\.gregaria\s*=\s*(\{.*?\});?\s*</script>", path.read_text(), re.S)
    assert found
    known: dict[str, Any] = json.loads(found[1])
    return known


def test_a_mixed_fleet_is_shown_worker_by_worker(fleet: Fleet, target: Target) -> None:
    master = fleet.start_master(
        *("--host", target.url, "--web-port", "0", "--autostart", "--autoquit", "1", "--expect-workers", "2"),
        *("-u", "8", "-r", "8", "-t", "9s", "--html", "report.html", "--csv", "out"),
    )
    workers = [fleet.worker(), fleet.own_worker()]
    master.says(SPAWNED)

    def both() -> list[dict[str, Any]] | None:
        shown: list[dict[str, Any]] = fleet.event("workers")["workers"]
        return shown if len(shown) == 2 and all(each["requests"] > 50 for each in shown) else None

    shown = eventually(both, 15)
    own = next(each for each in shown if each["is_ours"])
    theirs = next(each for each in shown if not each["is_ours"])
    assert (theirs["lag_ms"], theirs["clock"], theirs["user_count"], own["user_count"]) == (None, None, 4, 4)
    assert own["lag_ms"]["max"] > 0
    assert abs(own["clock"]["offset_s"]) <= own["clock"]["error_s"] + 0.001 < 1
    polled = fleet.ask("/stats/requests")
    assert polled["worker_count"] == 2
    assert [sorted(each) for each in polled["workers"]] == [
        ["cpu_usage", "id", "memory_usage", "state", "user_count"]
    ] * 2
    metrics = fleet.ask("/metrics")
    for each in shown:
        assert f'gregaria_worker_up{{worker="{each["id"]}"}} 1' in metrics
    assert f'gregaria_worker_lag_seconds_count{{worker="{own["id"]}"}}' in metrics
    assert f'gregaria_worker_lag_seconds_count{{worker="{theirs["id"]}"}}' not in metrics
    assert set(fleet.ask("/logs")["workers"]) <= {own["id"], theirs["id"]}

    assert master.exit_code(40) == 1, master.said()
    for worker in workers:
        worker.exit_code()
    rows = (fleet.folder / "out_stats.csv").read_text().splitlines()
    counted = int(rows[-1].split(",")[2])
    # Each of the eight users may have been ended in a request.
    assert 0 <= target.counts()["requests"] - counted <= 8
    report = of_report(fleet.folder / "report.html")
    assert {each["id"]: each["state"] for each in report["workers"]}.keys() == {own["id"], theirs["id"]}
    assert sum(each["requests"] for each in report["workers"]) == counted
    exceptions = (fleet.folder / "out_exceptions.csv").read_text()
    assert own["id"] in exceptions and theirs["id"] in exceptions and "boom" in exceptions
    # Each second has what was requested in it: no comb of empty seconds and full ones.
    requests = report["timeline"]["total"]["requests"]
    assert sum(requests) == counted
    middle = requests[2:-2]
    assert len(middle) >= 4 and middle.count(0) <= 1, requests


@pytest.mark.parametrize("requests", [1, 300])
def test_what_a_killed_worker_had_not_reported_is_said(fleet: Fleet, target: Target, requests: int) -> None:
    master = fleet.start_master(
        *("--host", target.url, "--headless", "--expect-workers", "2", "-u", "8", "-r", "8", "-t", "12s"),
        *("--html", "report.html"),
    )
    killed, survivor = fleet.own_worker(), fleet.worker()
    eventually(lambda: target.counts()["requests"] >= requests, 20)
    killed.process.kill()
    # How many is known when it has said so, which it does every second.
    known = r"Worker (?P<of>\S+) had counted at least (?P<count>\d+) requests? that it has not reported: they are"
    unknown = r"What worker (\S+) requested (?:in the [0-9.]+ s since its last report )?is"
    said = master.says(f"(?:{known}|{unknown}) in no figure", 20)
    assert master.exit_code(40) == 1
    assert survivor.exit_code() == 0
    report = of_report(fleet.folder / "report.html")
    words = [word for word in report["words"] if word["rule"] == "incomplete"]
    assert len(words) == 1 and (said["of"] or said[3]) in words[0]["text"]
    counted = sum(each["requests"] for each in report["workers"])
    assert counted + int(said["count"] or 0) <= target.counts()["requests"]


@pytest.mark.parametrize("listens", [False, True])
def test_percentiles_of_a_fleet_of_ours_are_exact_and_listeners_see_locusts_keys(
    fleet: Fleet, target: Target, listens: bool
) -> None:
    # 1234 ms would be 1200 ms in Locust's rounded form.
    (fleet.folder / "shop.py").write_text(
        COUNTING + "    @task\n    def count(self):\n        self.one('x', 1234)\n" + (LISTENING if listens else "")
    )
    master = fleet.start_master(
        *("--headless", "--expect-workers", "2", "-u", "4", "-r", "4", "-t", "5s", "--csv", "out"),
    )
    for _ in range(2):
        fleet.own_worker()
    assert master.exit_code(40) == 0, master.said()
    header, row, *_ = (line.split(",") for line in (fleet.folder / "out_stats.csv").read_text().splitlines())
    shown = dict(zip(header, row, strict=True))
    assert (shown["50%"], shown["99%"], shown["Median Response Time"]) == ("1234", "1234", "1234"), shown
    if listens:
        keys = ["early", "errors", "stats", "stats_total", "user_classes_count", "user_count"]
        heard = set(re.findall(r"HEARD .*", master.said()))
        expected = f"HEARD [{keys!r}, 14] {sorted([*keys, 'said'])!r} 14"
        assert heard == {expected}, heard


def test_response_times_that_a_listener_moves_are_believed(fleet: Fleet) -> None:
    (fleet.folder / "shop.py").write_text(
        COUNTING + "    @task\n"
        "    def count(self):\n"
        "        for name in ('kept', 'moved', 'moved in place'):\n"
        "            for took in (100, 1234):\n"
        "                self.one(name, took)\n"
        "@events.init.add_listener\n"
        "def init(environment, **_):\n"
        "    @environment.events.report_to_master.add_listener\n"
        "    def move(client_id, data, **_):\n"
        "        for entry in data['stats']:\n"
        "            count = sum(entry['response_times'].values())\n"
        "            if entry['name'] == 'moved':\n"
        "                entry['response_times'] = {100: count}\n"
        "            if entry['name'] == 'moved in place':\n"
        "                entry['response_times'].clear()\n"
        "                entry['response_times'][100] = count\n"
    )
    master = fleet.start_master("--headless", "--expect-workers", "1", "-u", "2", "-t", "4s", "--csv", "out")
    fleet.own_worker()
    assert master.exit_code(40) == 0, master.said()
    header, *rows = (line.split(",") for line in (fleet.folder / "out_stats.csv").read_text().splitlines())
    slowest = {row[header.index("Name")]: row[header.index("99%")] for row in rows}
    assert slowest == {"kept": "1234", "moved": "100", "moved in place": "100", "Aggregated": "1234"}


ADDING = """
import locust.stats

locust.stats.bucket_response_time = int


@events.init.add_listener
def init(environment, **_):
    @environment.events.report_to_master.add_listener
    def add(client_id, data, **_):
        for entry in [*data["stats"], data["stats_total"]]:
            entry["slo"] = ["gold"]

    @environment.events.worker_report.add_listener
    def heard(client_id, data, **_):
        for entry in data["stats"]:
            print("HEARD", entry["slo"], data["stats_total"]["slo"], sorted(entry["response_times"]), flush=True)
"""


def test_what_workers_round_and_add_reaches_listeners_and_no_figure_is_less_exact(fleet: Fleet) -> None:
    (fleet.folder / "shop.py").write_text(
        COUNTING + "    @task\n    def count(self):\n        self.one('x', 1234.9)\n" + ADDING
    )
    master = fleet.start_master("--headless", "--expect-workers", "1", "-u", "2", "-t", "4s", "--csv", "out")
    fleet.own_worker()
    assert master.exit_code(40) == 0, master.said()
    assert set(re.findall(r"HEARD .*", master.said())) == {"HEARD ['gold'] ['gold'] [1234]"}
    header, row, *_ = (line.split(",") for line in (fleet.folder / "out_stats.csv").read_text().splitlines())
    assert row[header.index("99%")] == "1235"


def test_what_a_listener_adds_and_cannot_be_sent_loses_no_report(fleet: Fleet) -> None:
    (fleet.folder / "shop.py").write_text(
        COUNTING + "    @task\n"
        "    def count(self):\n"
        "        self.one('x', 1234)\n"
        "@events.init.add_listener\n"
        "def init(environment, **_):\n"
        "    @environment.events.report_to_master.add_listener\n"
        "    def add(client_id, data, **_):\n"
        "        for entry in data['stats']:\n"
        "            entry['response_times'].clear()\n"
        "            entry['cause'] = {object()}\n"
        "MADE = []\n"
        "events.request.add_listener(lambda **_: MADE.append(1))\n"
        "events.quitting.add_listener(lambda **_: print('MADE', len(MADE), flush=True))\n"
    )
    master = fleet.start_master("--headless", "--expect-workers", "1", "-u", "2", "-t", "4s", "--csv", "out")
    worker = fleet.own_worker()
    assert master.exit_code(40) == 0, master.said()
    assert worker.exit_code() == 2, worker.said()
    assert "What listeners of `report_to_master` added cannot be sent, and is left out" in worker.said()
    header, row, *_ = (line.split(",") for line in (fleet.folder / "out_stats.csv").read_text().splitlines())
    shown = dict(zip(header, row, strict=True))
    assert f"MADE {shown['Request Count']}\n" in worker.said(), (shown, worker.said())
    assert shown["99%"] == "1234", shown


def test_checks_are_of_the_whole_fleet_and_end_its_test(fleet: Fleet, target: Target) -> None:
    master = fleet.start_master(
        *("--host", target.url, "--headless", "--expect-workers", "2", "-u", "8", "-r", "8", "-t", "60s"),
        *("--check", "fail_ratio < 1% over 2s", "--abort-on-check"),
    )
    workers = [fleet.worker(), fleet.own_worker()]
    master.says(r"Check broken: Aggregated: fail_ratio < 1% over 2s \(was .*\); shutting down", 30)
    assert master.exit_code(20) == 3, master.said()
    for worker in workers:
        worker.exit_code()
