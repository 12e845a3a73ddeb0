"""The command, with users that send nothing: what it says, in which order, and its exit code."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from difflib import unified_diff
from pathlib import Path

import pytest

from traces import ORACLE

LOCUSTFILE = """
import os, sys
from locust import *
from locust.exception import *
HOW = os.environ.get("HOW", "")
class U(User):
    wait_time = constant(0.2)
    def __init__(self, environment):
        super().__init__(environment)
        if HOW == "constructor": raise ValueError("broken")
        if HOW == "stop test": raise StopTest("enough")
    def on_start(self):
        if HOW == "on_start": raise ValueError("broken")
    def on_stop(self): print("on_stop", flush=True)
    @task
    def t(self):
        if HOW == "task": raise ValueError("broken")
        if HOW == "sys.exit": sys.exit(7)
        if HOW == "failure":
            self.environment.events.request.fire(
                request_type="GET", name="/", response_time=3, response_length=1, exception=ValueError("broken"))
for name in ("init", "test_start", "spawning_complete", "test_stopping", "test_stop", "quitting", "quit"):
    getattr(events, name).add_listener(lambda name=name, **kwargs: print("event", name, sorted(kwargs), flush=True))
def broken(**kwargs): raise RuntimeError("broken")
if HOW.startswith("event "): getattr(events, HOW[6:]).add_listener(broken)
if HOW == "own code":
    @events.quitting.add_listener
    def decide(environment, **kwargs): environment.process_exit_code = 9
if HOW.startswith("shape"):
    class Shape(LoadTestShape):
        ticks = [(2, 10), (2, 10), (1, 5)]
        def tick(self):
            if HOW == "shape broken": raise ValueError("broken")
            return self.ticks.pop(0) if self.ticks else None
"""


def run(python: str, folder: Path, *arguments: str, how: str = "", interrupt: float | None = None) -> list[str]:
    """Our lines of the run's output that should be the same everywhere, and the exit code."""
    environment = {**os.environ, "HOW": how}
    if python != sys.executable:
        environment.pop("PYTHONPATH", None)
    process = subprocess.Popen(
        [python, "-m", "locust", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, err = process.communicate(timeout=interrupt or 60)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    said = [re.sub(r"^\[[^]]*\] [^/]*/", "", line) for line in err.splitlines() if line.startswith("[")]
    said = [re.sub(r" at 0x.*|Starting Locust .*", "", line) for line in said]
    return [*out.splitlines(), *said, f"exit code {process.returncode}"]


def same(folder: Path, *arguments: str, how: str = "", interrupt: float | None = None) -> list[str]:
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    ours = run(sys.executable, folder, *arguments, how=how, interrupt=interrupt)
    if ORACLE:
        theirs = run(ORACLE, folder, *arguments, how=how, interrupt=interrupt)
        difference = "\n".join(unified_diff(theirs, ours, "Locust", "here", lineterm=""))
        assert not difference, difference
    return ours


@pytest.mark.parametrize(
    ("how", "exit_code"),
    [
        ("", 0),
        ("constructor", 2),
        ("stop test", 0),
        ("on_start", 1),
        ("sys.exit", 7),
        ("own code", 9),
        ("event init", 1),
        ("event test_start", 2),
        ("event spawning_complete", 2),
        ("event quitting", 2),
        ("event quit", 0),
    ],
)
def test_how_a_run_ends(tmp_path, how, exit_code):
    lines = same(tmp_path, "--headless", "-t", "1s", "-u", "2", "-r", "5", "--only-summary", how=how)
    assert lines[-1] == f"exit code {exit_code}"


@pytest.mark.parametrize(("how", "exit_code"), [("shape", 0), ("shape broken", 2)])
def test_how_a_shape_ends(tmp_path, how, exit_code):
    lines = same(tmp_path, "--headless", "--only-summary", how=how)
    assert lines[-1] == f"exit code {exit_code}"


@pytest.mark.parametrize("how", ["task", "failure"])
def test_failures_and_exceptions_decide_the_exit_code(tmp_path, how):
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE)
    arguments = ["--headless", "-t", "1s", "--only-summary", "--exit-code-on-error", "3"]
    assert run(sys.executable, tmp_path, *arguments, how=how)[-1] == "exit code 3"


def test_ctrl_c_fires_quitting_before_the_users_stop(tmp_path):
    lines = same(tmp_path, "--headless", "-u", "2", "-r", "5", "--only-summary", interrupt=2)
    assert [line.split()[1] for line in lines if line.startswith("event")] == [
        *("init", "test_start", "spawning_complete"),
        *("quitting", "test_stopping", "test_stop", "quit"),
    ]
    assert lines[-1] == "exit code 0"


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["--headless", "U", "Nobody"], 1),
        (["--list"], 0),
        (["--show-task-ratio"], 0),
        (["--show-task-ratio-json"], 0),
        (["-f", "missing.py", "--headless"], 1),
        (["-f", ".", "--list"], 0),
    ],
)
def test_runs_that_do_not_begin(tmp_path, arguments, exit_code):
    assert same(tmp_path, *arguments)[-1] == f"exit code {exit_code}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def f(:", "SyntaxError: invalid syntax"),
        ("import nothing_there", "ModuleNotFoundError: No module named 'nothing_there'"),
        ("import locust", "No User class found!"),
    ],
)
def test_a_locustfile_that_cannot_be_used_is_shown_without_our_frames(tmp_path, text, sentence):
    (tmp_path / "broken.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", "broken.py", "--headless"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "load_locustfile" not in done.stderr and "main.py" not in done.stderr
