"""Feeders: what a row costs, and whether every row is handed out once while workers are killed.

python benches/feeder.py cost
python benches/feeder.py kill --rows 1000000 --workers 8 --killed 3

`kill` starts a master and its workers, kills some with SIGKILL while they run, and compares what users wrote down, each
row before they asked for the next one, with the rows that there are and those that the master names as in doubt.
"""

from __future__ import annotations

import argparse
import csv
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

COLUMNS = ("id", "user", "password", "region", "token")
LOCUSTFILE = """
import os
from gregaria import Feeder
from locust import User, constant, task

rows = Feeder("rows.csv")
file = os.open(f"took-{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

class U(User):
    wait_time = constant(0)

    @task
    def take(self):
        os.write(file, next(rows)["id"].encode() + b"\\n")
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["cost", "kill"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--killed", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_rows(Path("rows.csv"), arguments.rows)
        if arguments.what == "cost":
            return cost(arguments.rows)
        return kill(Path(folder), arguments.rows, arguments.workers, arguments.killed)


def write_rows(path: Path, count: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows((number, f"user{number}", "secret", "eu-north-1", f"{number:032x}") for number in each(count))


def each(count: int) -> Iterator[int]:
    return iter(range(1, count + 1))


def cost(count: int) -> int:
    from gregaria import Feeder

    with open("rows.jsonl", "w") as lines:
        lines.writelines(f'{{"id": {number}, "user": "user{number}", "ok": true}}\n' for number in each(count))
    kinds: dict[str, Callable[[], Iterator[object]]] = {
        "CSV, five columns": lambda: Feeder("rows.csv"),
        "CSV, shuffled": lambda: Feeder("rows.csv", shuffle=True),
        "JSON lines, three keys": lambda: Feeder("rows.jsonl"),
        "a list": lambda: Feeder(list(range(count))),
        "a generator": lambda: Feeder(each(count)),
    }
    for name, make in kinds.items():
        measure(name, make(), count)
    with open("rows.csv", newline="") as file:
        measure("csv.DictReader, for comparison", csv.DictReader(file), count)
    return 0


def measure(name: str, rows: Iterator[object], count: int) -> None:
    began = time.process_time()
    seen = sum(1 for _ in rows)
    spent = time.process_time() - began
    assert seen == count, f"{name}: {seen} rows of {count}"
    print(f"{name:32} {spent / count * 1e6:6.2f} µs a row")


def kill(folder: Path, count: int, workers: int, killed: int) -> int:
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    where = ("--master-bind-host", "127.0.0.1", "--master-bind-port", port)
    options = ("--headless", "--only-summary", "-u", str(workers * 4), "-r", "100", "--expect-workers", str(workers))
    to_it = ("--master-host", "127.0.0.1", "--master-port", port)
    with open("master.log", "w") as log:
        master = start("--master", *where, *options, "--csv", "run", log=log)
        nodes = [start("--worker", *to_it, log=log) for _ in range(workers)]
    began = time.monotonic()
    try:
        for number in range(killed):
            while taken(folder) < count * (number + 1) // (killed + 2) and master.poll() is None:
                time.sleep(0.01)
            nodes[number].send_signal(signal.SIGKILL)
            print(f"killed worker {number + 1} of {workers} after {taken(folder):,} rows")
        exit_code = master.wait(600)
    finally:
        for process in (master, *nodes):
            process.kill()
            process.wait()
    print(f"exit code {exit_code}, {time.monotonic() - began:.1f} s")
    print(*(line for line in Path("master.log").read_text().splitlines() if "in doubt" in line), sep="\n")
    return 0 if is_right(folder, count) else 1


def start(*options: str, log: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "locust", *options], stdout=log, stderr=log)  # type: ignore[call-overload, no-any-return]


def taken(folder: Path) -> int:
    """About how many rows there are by now in the files that users write."""
    return sum(path.stat().st_size for path in folder.glob("took-*")) // 7


def is_right(folder: Path, count: int) -> bool:
    rows = [int(line) for path in folder.glob("took-*") for line in path.read_bytes().splitlines()]
    with open("run_in_doubt.csv") as file:
        doubted = [int(row["Row"]) for row in csv.DictReader(file)]
    twice, forgotten = len(rows) - len(set(rows)), set(each(count)) - set(rows) - set(doubted)
    print(
        f"{count:,} rows: {len(rows):,} taken, {twice} of them twice; {len(doubted):,} in doubt, of which "
        f"{len(set(doubted) & set(rows)):,} had been taken; {len(forgotten)} forgotten"
    )
    return not twice and not forgotten


if __name__ == "__main__":
    sys.exit(main())
