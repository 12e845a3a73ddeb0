"""Readers that were written for Locust's files read ours, and find in them what they find in Locust's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..harness import Both, same

READERS = os.environ.get("GREGARIA_READERS", "")

LOCUSTFILE = """
import gevent
from locust import *

class U(HttpUser):
    def on_start(self):
        gevent.spawn_later(2.4, self.environment.runner.quit)
    @task
    def t(self):
        fire = self.environment.events.request.fire
        for number in range(50):
            fire(request_type="GET", name='/a, "b"', response_time=number + 0.5, response_length=7, exception=None)
            fire(request_type="GET", name="/ü", response_time=3.25, response_length=7, exception=ValueError("x,\\ny"))
        fire(request_type="WS", name="untimed", response_time=None, response_length=0, exception=None)
        raise ValueError("broken, twice") if self.environment.stats.num_requests < 150 else self.rest()
    def rest(self):
        gevent.sleep(60)
"""


@pytest.fixture(scope="module")
def found(sides, tmp_path_factory):
    if not READERS:
        pytest.skip("GREGARIA_READERS does not name a folder with the readers")
    both = Both(sides, tmp_path_factory.mktemp("readers"))
    pair = both(LOCUSTFILE, "--csv", "out", "--csv-full-history", "--only-summary")
    ours_alone = both.alone(LOCUSTFILE, "--csv", "out", "--hgrm", "out", "--only-summary")
    folders = [pair.theirs.folder, pair.ours.folder, ours_alone.folder]
    ran = subprocess.run(
        [sys.executable, Path(__file__).with_name("reading.py"), *folders],
        env={**os.environ, "PYTHONPATH": READERS},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_pandas_has_the_same_types_of_the_same_columns(found):
    theirs, ours, _ = found
    assert ours["types"].pop("phases")
    for kind, types in theirs["types"].items():
        same(kind, types, ours["types"][kind])
    for kind in ("stats", "failures", "exceptions"):
        assert ours["rows"][kind] == theirs["rows"][kind]


def test_csv2openmetrics_reads_ours_as_locusts(found):
    theirs, ours, _ = found
    assert ours["openmetrics"]
    same("metrics", theirs["openmetrics"], ours["openmetrics"])


def test_hdrhistogram_reads_the_log(found):
    ours = found[2]
    untimed = 2
    timed = ours["requests"] - untimed
    counts = ours["histograms"]
    assert counts.pop("median in µs") == 3251  # the last microsecond of its cell
    assert counts == {"": timed, "GET%20/a%2C%20%22b%22": timed // 2, "GET%20/ü": timed // 2}
