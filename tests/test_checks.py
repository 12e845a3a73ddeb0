"""Verdicts from outside: checks, their exit codes and files, the words at the end, and the knee of a real ramp."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conftest import Target, eventually

REPORTED = """
import os
from locust import *
class U(User):
    @task
    def t(self):
        for i in range(200):
            error = ValueError("broken") if i % 50 == 7 else None
            self.environment.events.request.fire(
                request_type="GET", name="/slow" if i % 2 else "/quick", response_time=100 if i % 2 else 10,
                response_length=1, exception=error)
        self.environment.runner.quit()
@events.quitting.add_listener
def decide(environment, **_):
    if os.environ.get("OWN_CODE"): environment.process_exit_code = int(os.environ["OWN_CODE"])
@events.init.add_listener
def keep_to(environment, **_):
    if os.environ.get("OWN_CHECKS"): environment.checks = os.environ["OWN_CHECKS"].split("|")
"""
"""Two entries with a hundred requests of known times each; 4 of the 200 fail, all of them slow ones."""

ASKING = """
from locust import *
class U(FastHttpUser):
    wait_time = constant(0.02)
    @task
    def t(self): self.client.get("/json")
"""


@dataclass
class Verdict:
    """What a run said."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def checks(self) -> list[tuple[str, str, str, str, str]]:
        """The rows of the table: verdict, entry, condition, measured, remark."""
        rows = [[cell.strip() for cell in line.split(" | ")] for line in self.stderr.splitlines()]
        return [(*row, "")[:5] for row in rows if row[0] in ("ok", "FAIL")]

    @property
    def words(self) -> str:
        return " ".join(self.stderr.partition("\nIn words\n")[2].split())


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Verdict]:
    """Run a locustfile in a folder of its own."""

    def run(text: str, *options: str, **environment: str) -> Verdict:
        (tmp_path / "locustfile.py").write_text(text)
        command = [sys.executable, "-m", "locust", "--headless", "--only-summary", *options]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "GITHUB_STEP_SUMMARY": "", **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Verdict(done.returncode, done.stdout, done.stderr.replace("|\n", "| \n"))

    return run


def test_every_condition_is_judged_by_the_tables_figures(judged):
    run = judged(
        REPORTED,
        "--check=p50 <= 100ms, max < 100.5ms, requests == 200, failures < 5, fail_ratio < 2.5%, min >= 10ms, rps > 1",
        "--check=GET /quick: p99 < 11ms, avg == 10ms, failures == 0",
        "--check=/slow: fail_ratio < 0.03",
        "--check=POST /slow: p50 < 1s",
        "--exit-code-on-error=0",
    )
    assert run.exit_code == 3
    failed = [row[1:] for row in run.checks if row[0] == "FAIL"]
    assert failed == [
        ("/slow", "fail_ratio < 0.03", "4%", ""),
        ("POST /slow", "p50 < 1s", "\u2013", "never requested"),
    ]
    assert len(run.checks) == 12
    assert "2 of 12 checks failed" in run.stderr
    assert "2 of 12 checks failed: /slow: fail_ratio < 0.03 (was 4%), and 1 more." in run.words


@pytest.mark.parametrize(
    ("options", "environment", "exit_code"),
    [
        (["--check=p50 < 1s"], {}, 1),
        (["--check=p50 < 1s", "--exit-code-on-error=0"], {}, 0),
        (["--check=p50 < 1ms"], {}, 3),
        (["--check=p50 < 1ms", "--exit-code-on-error=7"], {}, 3),
        (["--check=p50 < 1ms"], {"OWN_CODE": "9"}, 9),
        (["--check=p50 < 1ms"], {"OWN_CODE": "0"}, 0),
        (["--exit-code-on-error=0"], {"OWN_CHECKS": "p50 < 1s|max < 1ms"}, 3),
        (["--exit-code-on-error=0"], {"GREGARIA_CHECK": "max < 1ms"}, 3),
    ],
)
def test_exit_codes(judged, options, environment, exit_code):
    run = judged(REPORTED, *options, **environment)
    assert run.exit_code == exit_code
    assert f"Shutting down (exit code {exit_code})" in run.stderr


def test_checks_stand_in_configuration_files(judged, tmp_path):
    (tmp_path / "locust.conf").write_text('check = ["p50 < 1s, rps > 0", "max < 1ms"]\nexit-code-on-error = 0\n')
    run = judged(REPORTED)
    assert [row[0] for row in run.checks] == ["ok", "ok", "FAIL"]
    assert run.exit_code == 3


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        (["--check=p95 <"], {}, "is expected here\n  p95 <\n       ^"),
        (["--check=p95 < 1s", "--check=speed > 1"], {}, "`speed` is no metric"),
        ([], {"OWN_CHECKS": "p95 < 1s; x"}, "  p95 < 1s; x\n          ^"),
        (["--check=p95 < 1s", "--abort-on-check"], {}, "it needs one over a window"),
        (["--abort-on-check"], {}, "it needs one over a window"),
    ],
)
def test_a_check_that_cannot_be_understood_ends_the_command_at_its_start(judged, options, environment, said):
    run = judged(REPORTED, *options, **environment)
    assert run.exit_code == 2
    assert said in run.stderr
    assert "Aggregated" not in run.stderr


def test_junit_and_the_summary_of_a_pipeline(judged, tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    checks = ["--check=p50 < 1s, max < 1ms", "--check=GET /x & y: p50 < 1s"]
    run = judged(REPORTED, *checks, "--junit=deep/checks.xml", GITHUB_STEP_SUMMARY=str(summary))
    assert run.exit_code == 3
    suite = ElementTree.parse(tmp_path / "deep" / "checks.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    cases = [(case.get("classname"), case.get("name"), case.find("failure") is not None) for case in suite]
    assert cases == [
        ("Aggregated", "p50 < 1s", False),
        ("Aggregated", "max < 1ms", True),
        ("GET /x & y", "p50 < 1s", True),
    ]
    assert summary.read_text().startswith("before\n### ❌ Load test: 2 of 3 checks failed\n")


def test_a_file_that_cannot_be_written_is_said_and_fails_the_run(judged, tmp_path):
    (tmp_path / "folder").mkdir()
    run = judged(REPORTED, "--check=p50 < 1s", "--junit=folder", "--exit-code-on-error=0")
    assert run.exit_code == 1
    assert "`--junit`: cannot write `folder`" in run.stderr


def test_words_come_after_the_tables_and_not_on_stdout(judged):
    run = judged(REPORTED, "--json")
    assert "4 of 200 requests failed (2%)" in run.words
    assert run.stderr.index("Error report") < run.stderr.index("In words")
    assert "words" not in run.stdout
    assert json.loads(run.stdout)


def test_a_run_that_breaks_a_window_ends_at_once(judged, target: Target):
    run = judged(ASKING, "-u5", "-r5", "-t60s", "-H", target.url, "--check=rps > 100000 over 2s", "--abort-on-check")
    assert run.exit_code == 3
    assert re.search(r"Check broken: Aggregated: rps > 100000 over 2s \(was [\d.]+/s\)", run.stderr)
    assert "--run-time limit reached" not in run.stderr
    assert target.counts()["requests"] > 0


def test_a_window_that_holds_ends_nothing(judged, target: Target):
    run = judged(ASKING, "-u5", "-r5", "-t4s", "-H", target.url, "--check=requests > 0 over 2s", "--abort-on-check")
    assert run.exit_code == 0
    assert "--run-time limit reached" in run.stderr
    (row,) = run.checks
    assert row[0] == "ok"
    assert row[4].startswith("worst of the windows")


RAMP = """
import json, urllib.request
from locust import *
headers = {}
@events.test_start.add_listener
def log_in(environment, **_):
    body = json.dumps({"user": "a", "password": "secret"}).encode()
    with urllib.request.urlopen(urllib.request.Request(environment.host + "/login", body)) as response:
        headers["Authorization"] = "Bearer " + json.load(response)["access"]
class U(FastHttpUser):
    wait_time = constant(0.1)
    @task
    def t(self): self.client.get("/api/orders", headers=headers)
"""


@pytest.mark.parametrize("capacity", [2, 0])
def test_the_knee_of_a_ramp_is_found_where_there_is_one(judged, tmp_path, capacity):
    """`benches/knee.py` does this with more of everything, and says how near it is."""
    ready = tmp_path / "ready"
    start = "import sys; from gregaria.__main__ import gregaria; sys.exit(gregaria())"
    command = [sys.executable, "-c", start, "target", "--port=0", f"--capacity={capacity}", "--ready-file", str(ready)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as target:
        try:
            port = eventually(lambda: ready.exists() and ready.read_text().strip())
            run = judged(RAMP, "-u36", "-r2.4", "-t18s", "-H", f"http://127.0.0.1:{port}")
        finally:
            target.terminate()
    if "load generator was the limit" in run.words:
        pytest.skip("this machine was too busy to tell where the target's limit is")
    found = re.search(r"The knee was at (\d+) users and ([\d.]+)/s", run.words)
    if capacity == 0:
        assert found is None
        assert "Throughput grew with the users up to the end" in run.words
    else:
        assert found is not None, run.words
        # Two slots of 13 ms in the mean; a user's cycle is 113 ms. Twice the tolerance of the long runs of the bench.
        assert float(found[2]) == pytest.approx(154, rel=0.3)
        assert float(found[1]) == pytest.approx(17.4, rel=0.3)
