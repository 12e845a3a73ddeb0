"""`--iterations N`: N tasks begin, over all users, and all of them end; then the run does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HEADER = """
import json, time, gevent
from locust import *

begun, ended, stopped = [], [], []

def one(user, seconds=0.01):
    begun.append(type(user).__name__)
    gevent.sleep(seconds)
    ended.append(type(user).__name__)

@events.quit.add_listener
def show(**_):
    print("RAN " + json.dumps([len(begun), len(ended), len(stopped)]))

class Base(User):
    abstract = True
    def on_stop(self): stopped.append(self)
"""

PLAIN = """
class U(Base):
    @task
    def t(self): one(self)
    @task
    def other(self): one(self, 0.03)
"""

OVERRIDDEN = """
class U(Base):
    @task
    class S(TaskSet):
        def execute_task(self, task): super().execute_task(task)
        @task
        def t(self): one(self)
"""

NESTED = """
class U(Base):
    @task
    class Outer(TaskSet):
        @task
        class Inner(SequentialTaskSet):
            @task
            def first(self): one(self)
            @task
            def second(self): one(self)
            @task
            def leave(self):
                one(self)
                self.interrupt()
        @task
        def own(self):
            one(self)
            self.interrupt()
"""

WAITING = """
class U(Base):
    wait_time = constant(600)
    @task
    def t(self): one(self)
"""

RAISING = """
class U(Base):
    @task
    def t(self):
        one(self)
        raise ValueError("one that fails is one, too")
    @task
    def again(self):
        one(self)
        raise RescheduleTaskImmediately()
"""

COROUTINE = """
import asyncio
class U(Base):
    @task
    async def t(self):
        begun.append("U")
        await asyncio.sleep(0.01)
        ended.append("U")
"""

SHAPED = """
class U(Base):
    @task
    def t(self): one(self, 0.05)

class Shape(LoadTestShape):
    def tick(self): return (3, 100)
"""


def run(folder: Path, text: str, *options: str, users: int = 5) -> tuple[subprocess.CompletedProcess[str], list[int]]:
    (folder / "locustfile.py").write_text(HEADER + text)
    command = [sys.executable, "-m", "locust", "--headless", "-u", str(users), "-r", "100", "--only-summary", *options]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    told = [line for line in ran.stdout.splitlines() if line.startswith("RAN ")]
    assert told, ran.stderr
    return ran, json.loads(told[0].removeprefix("RAN "))


@pytest.mark.parametrize(
    ("text", "users", "limit"),
    [
        (PLAIN, 1, 1),
        (PLAIN, 5, 23),
        (PLAIN, 5, 3),
        (OVERRIDDEN, 3, 10),
        (NESTED, 4, 25),
        (WAITING, 4, 4),
        (RAISING, 3, 17),
        (COROUTINE, 3, 17),
        (SHAPED, 1, 20),
    ],
    ids=["one", "several", "fewer than users", "overridden", "nested", "waiting", "raising", "coroutine", "shape"],
)
def test_as_many_tasks_begin_as_were_asked_for_and_all_of_them_end(
    text: str, users: int, limit: int, tmp_path: Path
) -> None:
    ran, (begun, ended, stopped) = run(tmp_path, text, "--iterations", str(limit), users=users)
    assert (begun, ended) == (limit, limit)
    assert stopped, "users leave through their on_stop"
    assert "--iterations limit reached" in ran.stderr
    assert ran.returncode == (1 if text is RAISING else 0)


def test_the_run_time_ends_who_does_not_finish(tmp_path: Path) -> None:
    text = "class U(Base):\n    @task\n    def t(self): one(self, 600)\n"
    ran, (begun, ended, _) = run(tmp_path, text, "-i", "3", "-t", "1")
    assert (begun, ended) == (3, 0)
    assert "--run-time limit reached" in ran.stderr


def test_a_run_that_its_time_ends_first_has_fewer(tmp_path: Path) -> None:
    ran, (begun, _, _) = run(tmp_path, PLAIN, "--iterations", "1000000", "-t", "1")
    assert 0 < begun < 1_000_000
    assert "--iterations limit reached" not in ran.stderr


def test_ctrl_c_ends_who_does_not_finish(tmp_path: Path) -> None:
    text = "class U(Base):\n    @task\n    def t(self):\n        print('begun', flush=True)\n        one(self, 600)\n"
    (tmp_path / "locustfile.py").write_text(HEADER + text)
    command = [sys.executable, "-m", "locust", "--headless", "-u", "1", "--only-summary", "-i", "1"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # As in a terminal, also where the tests run in a shell's background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            assert process.stdout.readline() == "begun\n"
            while "limit reached" not in process.stderr.readline():
                pass
            process.send_signal(signal.SIGINT)
            stdout, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert "RAN [1, 0, 1]" in stdout


def test_the_target_counts_them_too(target: Any, tmp_path: Path) -> None:
    text = "class U(HttpUser):\n    @task\n    def t(self): self.client.get('/json')\n"
    (tmp_path / "locustfile.py").write_text("from locust import *\n" + text)
    command = [sys.executable, "-m", "locust", "--headless", "-H", target.url, "-u", "8", "-r", "100", "-i", "1001"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert target.counts()["by"] == {"GET /json": 1001}


def test_test_functions_are_counted(tmp_path: Path) -> None:
    text = "from pathlib import Path\ndef test_a():\n    with Path('ran').open('a') as file: file.write('x')\n"
    (tmp_path / "test_a.py").write_text(text)
    command = [sys.executable, "-m", "locust", "--headless", "-f", "test_a.py", "-u", "2", "-r", "100", "-i", "7"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert (tmp_path / "ran").read_text() == "x" * 7
