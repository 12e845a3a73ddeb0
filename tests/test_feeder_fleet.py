"""Feeders and `--iterations` over real processes: a master, workers that are killed, come late, and leave."""

from __future__ import annotations

import csv
import os
import random
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import eventually

LOCUSTFILE = """
import os, time
from gregaria import Feeder
from locust import *
import gevent

{feeder}
mine = open(f"took-{{os.getpid()}}", "a", buffering=1)

class U(User):
    wait_time = constant({wait})
    @task
    def t(self):
        {task}
"""
LOCUSTS = """
import os
from locust import User, constant, task

mine = open(f"locusts-{{os.getpid()}}", "a", buffering=1)

class U(User):
    wait_time = constant({wait})
    @task
    def t(self):
        print("ran", file=mine)
"""
ORACLE = os.environ.get("GREGARIA_ORACLE")
NEXT = "print(next(rows), file=mine)"


class Fleet:
    """A master and its workers in a folder: what users took stands in a file for each worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.port = ""

    def start(
        self, *options: str, workers: int, feeder: str, task: str = NEXT, wait: str = "0", python: str = sys.executable
    ) -> None:
        """A master, run by this `python`, and so many workers of ours. Locust's own imports no feeder: it gets no more
        of the locustfile than its class."""
        (self.folder / "locustfile.py").write_text(LOCUSTFILE.format(feeder=feeder, task=task, wait=wait))
        (self.folder / "locusts.py").write_text(LOCUSTS.format(wait=wait))
        is_ours = python == sys.executable
        bind = ("--master-bind-host", "127.0.0.1", "--master-bind-port", "0" if is_ours else _free_port())
        expected = ("--headless", "--only-summary", "--expect-workers", str(workers))
        self.master = self.run("master", "--master", *bind, *expected, *options, python=python)
        self.port = eventually(self._port_of_master, 30) if is_ours else bind[-1]
        self.workers = [self.join() for _ in range(workers)]

    def _port_of_master(self) -> str:
        found = re.search(r"Listening for workers on port (\d+)", self.log("master"))
        if not found and self.master.poll() is not None:
            pytest.fail(self.log("master"))
        return found[1] if found else ""

    def join(self, python: str = sys.executable) -> subprocess.Popen[bytes]:
        place = ("--master-host", "127.0.0.1", "--master-port", self.port)
        return self.run(f"worker-{len(self.processes)}", "--worker", *place, python=python)

    def run(self, name: str, *options: str, python: str = sys.executable) -> subprocess.Popen[bytes]:
        is_ours = python == sys.executable
        environment = (
            os.environ if is_ours else {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        )
        command = [python, "-m", "locust", "-f", "locustfile.py" if is_ours else "locusts.py", *options]
        with (self.folder / f"{name}.log").open("w") as log:
            process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def has_taken(self, count: int) -> None:
        """Wait until users have so many rows."""
        eventually(lambda: len(self.taken()) > count or self.master.poll() is not None, 60)
        assert self.master.poll() is None, self.log("master")

    def says(self, text: str) -> None:
        """Wait until the master has said this."""
        eventually(lambda: text in self.log("master") or self.master.poll() is not None, 60)
        assert text in self.log("master")

    def taken(self) -> list[str]:
        return [row for path in self.folder.glob("took-*") for row in path.read_text().split("\n")[:-1]]

    def wait(self, seconds: float = 60) -> int:
        """The exit code of the master."""
        try:
            return self.master.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(self.log("master")) from None

    def doubts(self, name: str = "") -> list[int]:
        with (self.folder / "run_in_doubt.csv").open() as file:
            return [int(row["Row"]) for row in csv.DictReader(file) if not name or row["Feeder"] == name]

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path)
    yield fleet
    fleet.close()


def _free_port() -> str:
    """For Locust's own master, which does not say which one it has taken."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def write_csv(path: Path, count: int) -> None:
    path.write_text("id\n" + "".join(f"{number}\n" for number in range(1, count + 1)))


TAKE = 'print(next(rows)["id"], file=mine)'


def numbers(fleet: Fleet) -> list[int]:
    return sorted(int(row) for row in fleet.taken())


def test_every_row_is_handed_out_once_over_all_workers(fleet: Fleet) -> None:
    write_csv(fleet.folder / "rows.csv", 5000)
    fleet.start("-u", "20", "-r", "100", "--csv", "run", workers=3, feeder='rows = Feeder("rows.csv")', task=TAKE)
    assert fleet.wait() == 0, fleet.log("master")
    assert numbers(fleet) == list(range(1, 5001))
    assert "Feeder `rows.csv`: all rows were handed out, shutting down" in fleet.log("master")
    assert "Feeder `rows.csv`: 5,000 rows handed out" in fleet.log("master")
    assert "in doubt" not in fleet.log("master") and fleet.doubts() == []
    assert [worker.wait(30) for worker in fleet.workers] == [0, 0, 0]


def test_what_killed_workers_held_is_in_doubt_and_handed_to_nobody(fleet: Fleet) -> None:
    write_csv(fleet.folder / "rows.csv", 20_000)
    feeder = 'rows = Feeder("rows.csv")'
    fleet.start("-u", "40", "-r", "100", "--csv", "run", workers=4, feeder=feeder, task=TAKE, wait="0.002")
    for count, worker in ((2000, fleet.workers[0]), (5000, fleet.workers[2])):
        fleet.has_taken(count)
        worker.kill()
    late = fleet.join()
    assert fleet.wait(120) == 0, fleet.log("master")
    taken, doubted = fleet.taken(), fleet.doubts("rows.csv")
    assert len(taken) == len(set(taken)), "a row was handed out twice"
    assert set(map(int, taken)) | set(doubted) == set(range(1, 20_001)), "a row was forgotten"
    assert 0 < len(doubted) < 10_000
    assert fleet.log("master").count("in doubt: worker ") == 2, fleet.log("master")
    assert late.wait(30) == 0


def test_a_worker_that_stood_still_goes_on_with_what_it_held(fleet: Fleet) -> None:
    write_csv(fleet.folder / "rows.csv", 4000)
    feeder = 'rows = Feeder("rows.csv")'
    fleet.start("-u", "12", "-r", "100", "--csv", "run", workers=3, feeder=feeder, task=TAKE, wait="0.02")
    fleet.has_taken(500)
    fleet.workers[1].send_signal(signal.SIGSTOP)
    fleet.says("failed to send heartbeat, setting state to missing")
    fleet.workers[1].send_signal(signal.SIGCONT)
    fleet.says("self-healed with heartbeat")
    assert len(fleet.taken()) < 4000, "the rows were to last longer"
    assert fleet.wait(120) == 0, fleet.log("master")
    assert numbers(fleet) == list(range(1, 4001))
    assert "in doubt" not in fleet.log("master") and fleet.doubts() == []
    assert [worker.wait(30) for worker in fleet.workers] == [0, 0, 0]


def test_what_a_worker_holds_that_stands_still_to_the_end_is_in_doubt(fleet: Fleet) -> None:
    write_csv(fleet.folder / "rows.csv", 4000)
    feeder = """
rows = Feeder("rows.csv")
def breathe():
    while True:
        gevent.sleep(0.05)
        print("breath", flush=True)
gevent.spawn(breathe)
"""
    fleet.start("-u", "12", "-r", "100", "--csv", "run", workers=3, feeder=feeder, task=TAKE, wait="0.005")
    fleet.has_taken(1000)
    fleet.workers[1].send_signal(signal.SIGSTOP)
    assert fleet.wait(120) == 0, fleet.log("master")
    taken, doubted = set(numbers(fleet)), set(fleet.doubts("rows.csv"))
    assert doubted and taken | doubted == set(range(1, 4001)), "a row was forgotten"
    assert re.search(r"rows? in doubt: worker \S+ was lost before it told", fleet.log("master"))
    # It uses what it holds, or wants to give it back to a master that is gone: that was named, and nobody else has it.
    breaths = fleet.log("worker-2").count("breath")
    fleet.workers[1].send_signal(signal.SIGCONT)
    eventually(lambda: fleet.log("worker-2").count("breath") > breaths + 20, 30)
    assert sorted(taken | set(numbers(fleet))) == numbers(fleet), "a row was handed out twice"
    assert set(numbers(fleet)) - taken <= doubted


def test_what_a_dead_worker_asked_for_before_keeps_nobody_waiting(fleet: Fleet) -> None:
    feeder = """
def slowly():
    while not os.path.exists("go"):
        gevent.sleep(0.01)
    yield from range(200)
rows = Feeder(slowly, name="slow")
"""
    # What it asks for is on its way when the file says that it asks.
    task = "gevent.spawn_later(0.3, open, f'asks-{os.getpid()}', 'w'); print(next(rows), file=mine)"
    fleet.start("-u", "2", "-r", "100", "--csv", "run", workers=2, feeder=feeder, task=task)
    eventually(lambda: len(list(fleet.folder.glob("asks-*"))) == 2, 30)
    fleet.workers[0].kill()
    fleet.says("failed to send heartbeat, setting state to missing")
    (fleet.folder / "go").touch()
    assert fleet.wait(30) == 0, fleet.log("master")
    assert numbers(fleet) == list(range(200)) and fleet.doubts() == []


def test_a_worker_that_leaves_gives_back_what_it_held(fleet: Fleet) -> None:
    fleet.start("-u", "6", "-r", "100", workers=3, feeder="rows = Feeder(range(600), name='r')", wait="0.02", task=NEXT)
    fleet.has_taken(100)
    fleet.workers[0].terminate()
    assert fleet.wait() == 0, fleet.log("master")
    assert sorted(map(int, fleet.taken())) == list(range(600))
    assert "in doubt" not in fleet.log("master")


def test_only_the_master_needs_the_data(fleet: Fleet) -> None:
    feeder = """
def load():
    open(f"loaded-{os.getpid()}", "w").close()
    return [{"n": number, "at": b"x", "of": (1, 2)} for number in range(50)]
rows = Feeder(load, shuffle=True, when_empty="recycle")
"""
    task = "row = next(rows); assert row['at'] == b'x' and list(row['of']) == [1, 2]; print(row['n'], file=mine)"
    fleet.start("-u", "4", "-r", "100", "-i", "100", workers=2, feeder=feeder, task=task)
    assert fleet.wait() == 0, fleet.log("master")
    taken = [int(row) for row in fleet.taken()]
    # What one worker holds of a pass, the other may have begun the next one meanwhile.
    assert len(taken) == 100 and len(set(taken)) > 25 and set(taken) <= set(range(50))
    assert [path.name for path in fleet.folder.glob("loaded-*")] == [f"loaded-{fleet.master.pid}"]


def test_data_that_are_broken_end_the_run(fleet: Fleet) -> None:
    (fleet.folder / "rows.csv").write_text("a,b\n1,2\n3\n")
    fleet.start("-u", "4", "-r", "100", workers=2, feeder='rows = Feeder("rows.csv")')
    assert fleet.wait() == 2, fleet.log("master")
    assert "Feeder `rows.csv`: rows.csv, line 3: 1 fields, where there are 2 columns" in fleet.log("master")


def test_what_was_used_of_broken_data_is_not_in_doubt(fleet: Fleet) -> None:
    (fleet.folder / "rows.csv").write_text("a,b\n" + "1,2\n" * 16 + "3\n")
    # It hears that they are broken while it has rows, and uses these before it says again how far it is.
    task = "while True: print(next(rows), file=mine); gevent.sleep(0.005)"
    fleet.start("-u", "1", "-r", "100", "--csv", "run", workers=1, feeder='rows = Feeder("rows.csv")', task=task)
    assert fleet.wait() == 2, fleet.log("master")
    assert len(fleet.taken()) == 16 and fleet.doubts() == []
    assert "Feeder `rows.csv`: 16 rows handed out" in fleet.log("master")


def test_a_row_that_only_its_worker_finds_broken_ends_the_run(fleet: Fleet) -> None:
    (fleet.folder / "rows.jsonl").write_text("1\n" * 50 + "{\n" + "1\n" * 5000)
    fleet.start("-u", "4", "-r", "100", workers=2, feeder='rows = Feeder("rows.jsonl")', wait="0.01")
    assert fleet.wait() == 2, fleet.log("master")
    assert fleet.log("master").count("Feeder `rows.jsonl`: row 51 is no JSON: ") >= 1
    assert len(fleet.taken()) < 5000


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_as_many_tasks_begin_over_all_workers_as_were_asked_for(limit: int, fleet: Fleet) -> None:
    task = "print('begun', file=mine); gevent.sleep(0.02); print('ended', file=mine)"
    fleet.start("-u", "12", "-r", "100", "-i", str(limit), workers=3, feeder="", task=task)
    assert fleet.wait() == 0, fleet.log("master")
    assert (fleet.taken().count("begun"), fleet.taken().count("ended")) == (limit, limit)
    assert "--iterations limit reached, shutting down when the tasks under way have ended" in fleet.log("master")


def test_iterations_of_a_killed_worker_are_in_doubt(fleet: Fleet) -> None:
    task = "print('begun', file=mine); gevent.sleep(0.01)"
    fleet.start("-u", "12", "-r", "100", "-i", "3000", "--csv", "run", workers=3, feeder="", task=task)
    fleet.has_taken(500)
    fleet.workers[1].kill()
    assert fleet.wait(120) == 0, fleet.log("master")
    begun, doubted = len(fleet.taken()), len(fleet.doubts("--iterations"))
    assert begun <= 3000 <= begun + doubted
    assert re.search(r"--iterations: \d+ in doubt: worker \S+ was lost", fleet.log("master"))


def test_without_a_limit_tasks_are_not_counted(fleet: Fleet) -> None:
    fleet.start("-u", "2", "-r", "100", "-t", "1", workers=1, feeder="", task="print('x', file=mine)", wait="0.05")
    assert fleet.wait() == 0, fleet.log("master")
    assert fleet.taken()


@pytest.mark.skipif(not ORACLE, reason="GREGARIA_ORACLE does not name a Python with Locust")
def test_under_locusts_own_master_a_worker_says_that_there_are_no_rows(fleet: Fleet) -> None:
    feeder = "rows = Feeder(range(10), name='few')"
    fleet.start("-u", "2", "-r", "100", "-t", "3", workers=1, feeder=feeder, python=str(ORACLE))
    assert fleet.wait() == 0, fleet.log("master")
    said = "Feeder `few`: the master is Locust's own, which hands out no rows: start gregaria's (`locust --master`), or"
    assert fleet.log("worker-1").count(said) == 1, fleet.log("worker-1")
    assert fleet.taken() == [] and "Traceback" not in fleet.log("worker-1")
    assert "Unknown message type" not in fleet.log("master")


@pytest.mark.skipif(not ORACLE, reason="GREGARIA_ORACLE does not name a Python with Locust")
def test_locusts_own_worker_counts_no_iterations_and_is_named(fleet: Fleet) -> None:
    task = "print('begun', file=mine); gevent.sleep(0.2)"
    options = ("-u", "6", "-r", "100", "-i", "80", "--expect-workers", "3")
    fleet.start(*options, workers=2, feeder="", task=task, wait="0.1")
    stranger = fleet.join(python=str(ORACLE))
    assert fleet.wait() == 0, fleet.log("master")
    assert stranger.wait(30) == 0
    assert fleet.taken().count("begun") == 80
    assert list(fleet.folder.glob("locusts-*"))
    assert re.search("--iterations: worker .* is Locust's own, which counts none: its users run", fleet.log("master"))


def test_a_seed_is_the_masters_and_no_two_users_draw_the_same(fleet: Fleet) -> None:
    task = "import random; print(random.random(), file=mine)"
    fleet.start("-u", "4", "-r", "100", "-i", "8", "--seed", "42", workers=2, feeder="", task=task, wait="0.3")
    assert fleet.wait() == 0, fleet.log("master")
    taken = fleet.taken()
    first = {_first_draw(f"42/U/worker {worker}/{user}") for worker in (0, 1) for user in (1, 2)}
    assert first <= set(taken) and len(set(taken)) == 8


def _first_draw(stream: str) -> str:
    """After the task was picked, of one."""
    lots = random.Random(stream)
    while lots.getrandbits(1):
        pass
    return str(lots.random())
