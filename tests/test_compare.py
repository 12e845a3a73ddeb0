"""`gregaria compare` on the files of real runs, ours and in Locust's form."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOCUSTFILE = """
import os, random, time
from locust import *
generator = random.Random(int(os.environ["SEED"]))
class U(User):
    wait_time = constant_throughput(100)
    @task
    def t(self):
        for name, median in (("/orders", 12.0), ("/cart", 8.0)):
            slower = float(os.environ["SLOWER"]) if name == "/orders" else 1.0
            for i in range(4):
                self.environment.events.request.fire(
                    request_type="GET", name=name, response_time=slower * median * generator.lognormvariate(0, 0.3),
                    response_length=1, exception=ValueError("broken") if generator.random() < 0.01 else None)
"""
"""Requests that take what is drawn for them: some 800 a second of each name."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    runs = {}
    for name, seed, slower in (("base", 1, 1.0), ("equal", 2, 1.0), ("slower", 3, 1.1)):
        command = [sys.executable, "-m", "locust", "--headless", "-u2", "-r2", "-t8s", "--json-file", name]
        environment = {**os.environ, "SEED": str(seed), "SLOWER": str(slower)}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=60, check=False)
        assert done.returncode == 1, done.stderr  # requests failed, as they should
        runs[name] = folder / f"{name}.json"
    return runs


def compare(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gregaria", "compare", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_slices_add_up_to_what_stands_beside_them(files):
    for entry in json.loads(files["base"].read_text()):
        assert list(entry)[-1] == "slices"
        slices = entry["slices"]
        assert sum(slices["requests"]) == entry["num_requests"]
        assert sum(slices["failures"]) == entry["num_failures"]
        assert sum(sum(times[1::2]) for times in slices["times"]) == sum(entry["response_times"].values())
        assert len(slices["ends_s"]) == len(slices["times"]) >= 7


def test_equal_runs_are_not_said_to_differ(files):
    done = compare(files["base"], files["equal"])
    assert done.returncode == 0, done.stdout
    assert "No change is claimed." in done.stdout


def test_a_tenth_slower_is_found_in_the_entry_that_is(files, tmp_path):
    page = tmp_path / "page.html"
    done = compare(files["base"], files["slower"], "--format", "json", "--html", page)
    assert done.returncode == 3, done.stdout
    told = json.loads(done.stdout)
    worse = {entry["name"] for entry in told["entries"] for c in entry["changes"] if c["conclusion"] == "worse"}
    assert worse == {"/orders"}
    (orders,) = (entry for entry in told["entries"] if entry["name"] == "/orders")
    low, high = orders["changes"][0]["interval"]
    assert low < 0.1 < high
    assert "GET /orders" in page.read_text()


def test_files_of_locust_itself_are_compared_with_less_certainty(files, tmp_path):
    plain = {}
    for name, path in files.items():
        entries = json.loads(path.read_text())
        for entry in entries:
            del entry["slices"]
        plain[name] = tmp_path / f"{name}.json"
        plain[name].write_text(json.dumps(entries))
    done = compare(plain["base"], plain["slower"])
    assert done.returncode == 3
    assert "certainty is limited" in done.stdout
    assert compare(plain["base"], plain["equal"]).returncode == 0


def test_what_cannot_be_compared_is_one_sentence(files, tmp_path):
    (tmp_path / "other.json").write_text('{"a": 1}')
    done = compare(files["base"], tmp_path / "other.json")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "it is no list of entries" in done.stderr
    assert compare(files["base"], tmp_path / "none.json").returncode == 2
    assert compare("--help").returncode == 0
