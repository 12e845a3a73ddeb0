"""A worker's side of the wire, as a master that is told what to say sees it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conftest import Target
from conftest import eventually as within

MASTER = Path(__file__).with_name("scripted_master.py")

LOCUSTFILE = """
import os, sys, time
from locust import HttpUser, constant, events, runners, task

runners.HEARTBEAT_INTERVAL = 0.1
runners.WORKER_REPORT_INTERVAL = 0.3

class A(HttpUser):
    wait_time = constant(0.02)
    @task
    def get(self):
        if os.path.exists("busy"):
            while os.path.exists("busy"):
                pass
        self.client.get("/")

class B(HttpUser):
    wait_time = constant(0.02)
    @task
    def get(self):
        self.client.get("/missing", catch_response=False)
    def on_stop(self):
        print("on_stop", flush=True)

for name in ("init", "test_start", "spawning_complete", "test_stopping", "test_stop", "quitting", "quit"):
    def listener(name=name, **arguments):
        print(name, arguments.get("user_count", ""), flush=True)
    getattr(events, name).add_listener(listener)
"""


EXIT_CODES = """
@events.quitting.add_listener
def _(environment, **_):
    try:
        open("first", "x").close()
        environment.process_exit_code = 6
    except FileExistsError:
        environment.process_exit_code = 4
"""


def eventually(check: Callable[[], Any]) -> Any:
    """Processes start slowly where many others do."""
    return within(check, 40)


class Node:
    """A process, its lines of output, and its exit code at its end."""

    def __init__(self, *command: str, cwd: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=cwd,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.said: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((self.process.stdout, self.lines), (self.process.stderr, self.said))
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: Any, lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))

    def exit_code(self) -> int:
        try:
            code = self.process.wait(40)
        except subprocess.TimeoutExpired:
            raise AssertionError("it hung:\n" + "\n".join(self.lines + self.said)) from None
        for reader in self._readers:
            reader.join(5)
        return code

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(5)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def log(self) -> str:
        return "\n".join(self.said)


class Master(Node):
    def __init__(self, folder: Path) -> None:
        super().__init__(str(MASTER), cwd=folder)
        self.port = int(eventually(lambda: self.lines)[0])

    def heard(self, *kinds: str) -> list[Any]:
        """Kind and data of what came, without what comes again and again unless it is asked for."""
        messages = [json.loads(line) for line in self.lines[1:]]
        regular = () if kinds else ("heartbeat", "stats", "logs")
        return [(kind, data) for _, kind, data in messages if kind in kinds or (not kinds and kind not in regular)]

    def workers(self) -> set[str]:
        return {json.loads(line)[0] for line in self.lines[1:]}

    def tell(self, what: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def spawn(self, timestamp: float, host: str, stop_timeout: float = 0.0, **counts: int) -> None:
        job = {"timestamp": timestamp, "user_classes_count": counts, "host": host, "stop_timeout": stop_timeout}
        self.tell(["spawn", {**job, "parsed_options": {"region": "eu", "users": 7}}])


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    node = Master(tmp_path)
    yield node
    node.end()


@contextmanager
def worker(folder: Path, port: int, *arguments: str, locustfile: str = LOCUSTFILE) -> Iterator[Node]:
    (folder / "locustfile.py").write_text(locustfile)
    node = Node("-m", "locust", "--worker", "--master-port", str(port), *arguments, cwd=folder)
    try:
        yield node
    finally:
        (folder / "busy").unlink(missing_ok=True)
        node.end()


def heartbeats(master: Master) -> list[str]:
    return [data["state"] for _, data in master.heard("heartbeat")]


def users(master: Master) -> Any:
    return master.heard("stats")[-1][1]["user_classes_count"] if master.heard("stats") else None


def assert_all_is_reported(master: Master, target: Target, users: int) -> None:
    """All but what was under way when users were stopped, for which nobody waited: one request of each at most."""
    reported = sum(data["stats_total"]["num_requests"] for _, data in master.heard("stats"))
    assert 0 <= target.counts()["requests"] - reported <= users


def test_a_run_from_the_call_for_the_master_to_the_last_report(master: Master, target: Target, tmp_path: Path) -> None:
    with worker(tmp_path, master.port) as node:
        eventually(lambda: "ready" in heartbeats(master))
        master.tell(["spawn", {"timestamp": 1}])
        master.spawn(5, target.url, A=2, B=1)
        eventually(lambda: master.heard("spawning_complete"))
        master.spawn(4, target.url, A=9, B=9)
        master.tell(["unheard_of", {"x": 1}])
        master.tell(["spawning_complete", {"user_count": 3}])
        eventually(lambda: "running" in heartbeats(master) and users(master) == {"A": 2, "B": 1})
        master.spawn(6, target.url, A=1, B=1)
        eventually(lambda: len(master.heard("spawning_complete")) == 2)
        master.tell(["stop", None])
        eventually(lambda: len(master.heard("client_ready")) == 2 and heartbeats(master)[-1] == "ready")
        master.tell(["quit", None])
        assert node.exit_code() == 0
        eventually(lambda: master.heard("quit"))
    kinds = [kind for kind, _ in master.heard()]
    assert kinds == [
        "client_ready",
        *["spawning", "spawning", "spawning_complete", "spawning", "spawning", "spawning_complete"],
        *["client_stopped", "client_ready", "quit"],
    ]
    assert [data for _, data in master.heard("client_ready")] == ["2.47.0", "2.47.0"]
    completed = {"user_classes_count": {"A": 2, "B": 1}, "user_count": 3}
    assert master.heard("spawning_complete")[0][1] == completed
    assert node.lines == [
        *["init ", "test_start ", "spawning_complete 3"],
        *["test_stopping ", "on_stop", "test_stop ", "quitting ", "quit "],
    ]
    assert "Discard spawn message with older or equal timestamp" in node.log()
    assert "Unknown message type received: unheard_of" in node.log()
    assert "A message from the master was dropped (message):" in node.log()
    assert_all_is_reported(master, target, users=3)


def test_what_cannot_be_read_is_one_sentence_and_ends_no_worker(master: Master, target: Target, tmp_path: Path) -> None:
    with worker(tmp_path, master.port) as node:
        eventually(lambda: heartbeats(master))
        master.spawn(1, target.url, A=1, B=0)
        eventually(lambda: master.heard("spawning_complete"))
        for data in (None, 7, {"feeder": "x"}, {"__datetime__": True, "as_str": "x"}):
            for kind in ("gregaria:rows", "gregaria:spare", "gregaria:unheard_of"):
                master.tell([kind, data])
        eventually(lambda: node.log().count("A message from the master was dropped: `gregaria:rows`") == 4)
        eventually(lambda: node.log().count("A message from the master was dropped: `gregaria:spare`") == 3)
        master.tell(["quit", None])
        assert node.exit_code() == 0
    assert "Traceback" not in node.log()


def test_a_busy_python_costs_no_heartbeat(master: Master, target: Target, tmp_path: Path) -> None:
    with worker(tmp_path, master.port) as node:
        eventually(lambda: heartbeats(master))
        (tmp_path / "busy").touch()
        master.spawn(1, target.url, A=1, B=0)
        eventually(lambda: [data for _, data in master.heard("heartbeat") if data["gregaria"]["busy"] > 1])
        master.spawn(2, target.url, A=2, B=0)
        eventually(lambda: len(master.heard("spawning")) == 2)
        assert len(master.heard("spawning_complete")) == 1
        (tmp_path / "busy").unlink()
        eventually(lambda: len(master.heard("spawning_complete")) == 2)
        assert heartbeats(master)[-1] == "running"
        assert node.process.poll() is None


def test_a_master_that_falls_silent_is_called_and_then_left(master: Master, tmp_path: Path) -> None:
    locustfile = LOCUSTFILE + "runners.MASTER_HEARTBEAT_TIMEOUT = 2\n"
    with worker(tmp_path, master.port, locustfile=locustfile) as node:
        eventually(lambda: len(heartbeats(master)) > 5)
        master.tell("hush")
        assert node.exit_code() == 0
    assert "Didn't get heartbeat from master in over 2s" in node.log()
    assert len(master.heard("client_ready")) > 1


def test_a_master_that_was_silent_finds_all_as_it_was(master: Master, target: Target, tmp_path: Path) -> None:
    locustfile = LOCUSTFILE + "runners.MASTER_HEARTBEAT_TIMEOUT = 20\n"
    with worker(tmp_path, master.port, locustfile=locustfile) as node:
        eventually(lambda: heartbeats(master))
        master.spawn(1, target.url, A=2, B=0)
        eventually(lambda: "running" in heartbeats(master))
        master.tell("hush")
        eventually(lambda: len(master.heard("client_ready")) == 2)
        master.tell(["ack", {"index": 3, "gregaria": {"instance": "x"}}])
        master.tell(["unheard_of", None])
        eventually(lambda: "unheard_of" in node.log())
        assert "test_stopping " not in node.lines and heartbeats(master)[-1] == "running"
        node.process.send_signal(signal.SIGTERM)
        assert node.exit_code() == 0
        eventually(lambda: master.heard("quit"))
    assert_all_is_reported(master, target, users=2)


def test_a_report_that_was_lost_under_way_is_sent_again(master: Master, target: Target, tmp_path: Path) -> None:
    def numbers() -> list[int]:
        return [data["gregaria"]["sequence"] for _, data in master.heard("stats")]

    with worker(tmp_path, master.port):
        master.spawn(1, target.url, A=1, B=0)
        eventually(lambda: 3 in numbers())
        master.tell(["heartbeat", {"gregaria": {"sequence": 3, "missing": [2, 3]}}])
        eventually(lambda: numbers().count(2) == numbers().count(3) == 2)
        master.tell(["heartbeat", {"gregaria": {"sequence": 3, "missing": []}}])
        master.tell(["heartbeat", {"gregaria": {"sequence": 3, "missing": [2]}}])
        last = numbers()[-1]
        eventually(lambda: numbers()[-1] > last + 1)
        assert numbers().count(2) == 2


def test_a_master_that_does_not_know_it_finds_it_ready(master: Master, target: Target, tmp_path: Path) -> None:
    with worker(tmp_path, master.port) as node:
        eventually(lambda: heartbeats(master))
        master.spawn(1, target.url, A=2, B=0)
        eventually(lambda: "running" in heartbeats(master))
        master.tell(["gregaria:announce", None])
        eventually(lambda: len(master.heard("client_ready")) == 2 and heartbeats(master)[-1] == "ready")
        eventually(lambda: users(master) == {"A": 0, "B": 0})
        assert node.lines[-2:] == ["test_stopping ", "test_stop "]
        assert_all_is_reported(master, target, users=2)
        master.spawn(2, target.url, A=1, B=0)
        eventually(lambda: users(master) == {"A": 1, "B": 0})


def test_who_waits_to_be_ready_again_is_not_called_back(master: Master, target: Target, tmp_path: Path) -> None:
    with worker(tmp_path, master.port) as node:
        eventually(lambda: heartbeats(master))
        master.spawn(1, target.url, stop_timeout=2.0, A=1, B=0)
        eventually(lambda: "running" in heartbeats(master))
        master.tell(["stop", None])
        eventually(lambda: master.heard("client_stopped"))
        # A master forgets who has stopped, until he is ready.
        master.tell(["gregaria:announce", None])
        eventually(lambda: len(master.heard("client_ready")) == 2)
        master.tell(["quit", None])
        assert node.exit_code() == 0
    assert len(master.heard("client_ready")) == 2
    assert "did not know this worker" not in node.log()


def test_what_listeners_add_to_a_report_and_what_cannot_be_sent(master: Master, target: Target, tmp_path: Path) -> None:
    locustfile = LOCUSTFILE + (
        "@events.report_to_master.add_listener\n"
        "def add(client_id, data):\n"
        "    assert data == {}\n"
        "    data['mine'] = {1} if os.path.exists('odd') else client_id\n"
    )
    with worker(tmp_path, master.port, locustfile=locustfile) as node:
        eventually(lambda: [data for _, data in master.heard("stats") if "mine" in data])
        master.spawn(1, target.url, A=1, B=0)
        (tmp_path / "odd").touch()
        eventually(lambda: "cannot be sent" in node.log())
        master.tell(["quit", None])
        assert node.exit_code() == 2
        eventually(lambda: master.heard("quit"))
    assert {data["mine"] for _, data in master.heard("stats") if "mine" in data} == master.workers()
    assert_all_is_reported(master, target, users=1)


def test_who_is_terminated_reports_what_it_has(master: Master, target: Target, tmp_path: Path) -> None:
    locustfile = LOCUSTFILE + "runners.WORKER_REPORT_INTERVAL = 100\n"
    with worker(tmp_path, master.port, "--exit-code-on-error", "7", locustfile=locustfile) as node:
        eventually(lambda: heartbeats(master))
        master.spawn(1, target.url, A=1, B=1)
        eventually(lambda: target.counts()["requests"] > 20)
        node.process.send_signal(signal.SIGTERM)
        assert node.exit_code() == 7
        eventually(lambda: master.heard("quit"))
    assert_all_is_reported(master, target, users=2)


def test_who_has_said_farewell_is_not_called_back(master: Master, target: Target, tmp_path: Path) -> None:
    slow = """
import gevent
from locust import User
class Slow(User):
    @task
    def linger(self):
        gevent.sleep(1.5)
"""
    with worker(tmp_path, master.port, locustfile=LOCUSTFILE + slow) as node:
        eventually(lambda: heartbeats(master))
        master.spawn(1, target.url, stop_timeout=5.0, A=0, B=0, Slow=1)
        eventually(lambda: "running" in heartbeats(master))
        node.process.send_signal(signal.SIGTERM)
        eventually(lambda: master.heard("quit"))
        master.tell(["gregaria:announce", None])
        master.spawn(2, target.url, A=3, B=0, Slow=0)
        assert node.exit_code() == 0
    assert len(master.heard("client_ready")) == 1
    assert target.counts()["requests"] == 0


def test_a_master_that_is_not_there(tmp_path: Path) -> None:
    hurry = "from locust import User, runners\nrunners.CONNECT_TIMEOUT = 0.05\nclass A(User):\n    pass\n"
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        with worker(tmp_path, port, locustfile=hurry + "runners.CONNECT_RETRY_COUNT = 3\n") as node:
            assert node.exit_code() == 255
        assert "Failed to connect to the Locust master: " in node.log()
        with worker(tmp_path, port, "-L", "DEBUG", locustfile=hurry) as node:
            eventually(lambda: "retry 1/60" in node.log())
            node.process.send_signal(signal.SIGINT)
            assert node.exit_code() == 1
        assert "Traceback" not in node.log()


def test_the_master_s_locustfile_and_what_stands_beside_it(master: Master, tmp_path: Path) -> None:
    with worker(tmp_path, master.port, "-f", "-") as node:
        eventually(lambda: heartbeats(master))
        master.tell(["quit", None])
        assert node.exit_code() == 0
    assert node.lines == ["from beside"]
    assert master.heard("locustfile")[0][1] == {"version": "2.47.0", "gregaria": {}}


def test_children_end_with_their_parent(master: Master, tmp_path: Path) -> None:
    with worker(tmp_path, master.port, "--processes", "2", "-L", "DEBUG") as node:
        eventually(lambda: len(master.workers()) == 2)
        pids = [int(line.rsplit("#", 1)[1]) for line in node.said if "Started child worker with pid #" in line]
        assert len(pids) == 2 and all(map(_lives, pids))
        node.process.kill()
        eventually(lambda: not any(map(_lives, pids)))


def test_children_s_exit_codes(master: Master, tmp_path: Path) -> None:
    with worker(tmp_path, master.port, "--processes", "2", locustfile=LOCUSTFILE + EXIT_CODES) as node:
        eventually(lambda: len(master.workers()) == 2)
        # It goes to whoever spoke last, which is the one and the other.
        eventually(lambda: master.tell(["quit", None]) or node.process.poll() is not None)
        assert node.exit_code() == 6


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_number_of_processes_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE)
    for arguments, complaint in (
        (["--processes", "-2"], "Invalid --processes count -2"),
        (["--processes", "-1", "--master"], "--master cannot be combined with --processes"),
    ):
        node = Node("-m", "locust", *arguments, cwd=tmp_path)
        code = node.exit_code()
        node.end()
        assert code == 1 and complaint in node.log()
