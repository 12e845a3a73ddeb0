"""Nothing is lost: what the command counts is what the target counts, to the last request.

Requests that were under way when their users were stopped are in nobody's table; the summary says how many they were,
and with them the sums agree.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import Target, eventually

USER = """
    from locust import HttpUser, task{extra_import}

    class U(HttpUser):
        {attributes}
        @task
        def t(self):
            {task}
"""


class Command:
    """`locust` on a locustfile of the test's, against the target."""

    def __init__(self, folder: Path, target: Target, locustfile: str, *options: str) -> None:
        (folder / "locustfile.py").write_text("\n".join(line[4:] for line in locustfile.splitlines()))
        command = [sys.executable, "-m", "locust", "--headless", "--host", target.url, "--only-summary", "--csv", "out"]
        self.process = subprocess.Popen([*command, *options], cwd=folder, stderr=subprocess.PIPE, text=True)
        self.folder = folder
        self.target = target

    def end(self) -> None:
        _, self.stderr = self.process.communicate(timeout=60)

    @property
    def counted(self) -> tuple[int, int]:
        """Requests and failures of the summary's last line."""
        row = re.findall(r"^ +Aggregated +(\d+) +(\d+)\(", self.stderr, re.MULTILINE)[0]
        return int(row[0]), int(row[1])

    @property
    def abandoned(self) -> int:
        found = re.search(r"Not counted: (\d+) request", self.stderr)
        return int(found[1]) if found else 0


def file(task: str, attributes: str = "", extra_import: str = "") -> str:
    return USER.format(task=task, attributes=attributes, extra_import=extra_import)


def assert_equal(run: Command, target: Target) -> dict[str, Any]:
    counts = eventually(lambda: (c := target.counts())["requests_open"] == 0 and c)
    assert run.counted[0] + run.abandoned == counts["requests"], run.stderr
    return counts


BUSY = file('self.client.get("/delay?ms=3")')


def test_after_the_run_time(tmp_path: Path, target: Target) -> None:
    run = Command(tmp_path, target, BUSY, "-u", "40", "-r", "100", "-t", "2s")
    run.end()
    assert_equal(run, target)
    assert run.process.returncode == 0


def test_with_time_to_finish_nothing_is_abandoned(tmp_path: Path, target: Target) -> None:
    run = Command(tmp_path, target, BUSY, "-u", "40", "-r", "100", "-t", "2s", "--stop-timeout", "10s")
    run.end()
    counts = assert_equal(run, target)
    assert run.abandoned == counts["requests_aborted"] == 0


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_after_a_signal(tmp_path: Path, target: Target, sent: signal.Signals) -> None:
    run = Command(tmp_path, target, BUSY, "-u", "40", "-r", "100")
    eventually(lambda: target.counts()["requests"] > 2000, 30)
    run.process.send_signal(sent)
    run.end()
    assert_equal(run, target)
    assert run.process.returncode == 0


def test_with_a_failing_server(tmp_path: Path, target: Target) -> None:
    task = 'self.client.get("/fail-every/3"); self.client.get("/close"); self.client.get("/reset-mid-body")'
    run = Command(tmp_path, target, file(task), "-u", "20", "-r", "100", "-t", "2s", "--stop-timeout", "10s")
    run.end()
    counts = assert_equal(run, target)
    good = counts["statuses"]["200"]
    assert run.counted[1] == counts["requests"] - good
    assert run.process.returncode == 1


def test_with_connections_that_the_server_closes_between_requests(tmp_path: Path, target: Target) -> None:
    options = ["-u", "20", "-r", "100", "-t", "2s", "--stop-timeout", "10s"]
    run = Command(tmp_path, target, file('self.client.get("/close-after")'), *options)
    run.end()
    requests, failures = run.counted
    # A request that the server's system took and the server never read cannot be told from one that it read and
    # dropped: it is not sent again, and fails as it does on Locust. What was answered is what the server read.
    assert requests - failures == target.counts()["requests"], run.stderr
    assert failures < requests / 20
    assert run.stderr.count("RemoteDisconnected") == (failures > 0)


def test_with_users_that_are_killed_in_mid_request(tmp_path: Path, target: Target) -> None:
    task = 'with gevent.Timeout(0.05, False): self.client.get("/bimodal?fast=5&slow=200&share=0.3")'
    locustfile = file(task).replace("    from locust", "    import gevent\n    from locust", 1)
    run = Command(tmp_path, target, locustfile, "-u", "40", "-r", "100", "-t", "2s")
    run.end()
    counts = assert_equal(run, target)
    assert counts["requests_aborted"] > 50, "the time-outs hit nothing"


def test_the_last_row_of_the_csv_is_the_summary(tmp_path: Path, target: Target) -> None:
    run = Command(tmp_path, target, BUSY, "-u", "10", "-r", "100", "-t", "2s")
    run.end()
    last = (tmp_path / "out_stats.csv").read_text().splitlines()[-1].split(",")
    assert (int(last[2]), int(last[3])) == run.counted
