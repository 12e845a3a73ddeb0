"""What a run leaves when it is not allowed to end well: killed at any moment, or with nowhere to write."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and limits as POSIX has them")

LOCUSTFILE = """
import itertools, os, time
from locust import *
from locust import stats

stats.CSV_STATS_INTERVAL_SEC = float(os.environ["INTERVAL"])
numbers = itertools.count()
started = time.time()

class U(User):
    wait_time = constant(0.002)
    @task
    def t(self):
        number = next(numbers)
        error = ValueError(f'wrong, "{number % 7}"\\nsays the server') if number % 3 == 0 else None
        self.environment.events.request.fire(
            request_type="GET", name=f'entry {number % 40}, "quoted"\\nof two lines', response_time=number % 1000,
            response_length=0, exception=error, context={})
        if number % 100 == 0:
            print(number + 1, time.time(), flush=True)
        if number % 500 == 0:
            raise RuntimeError("broken,\\nin two lines")
"""


@contextmanager
def locust(folder: Path, *options: str, interval: float, **more: Any) -> Iterator[subprocess.Popen[str]]:
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    command = [sys.executable, "-m", "locust", "--headless", "-u", "5", "-r", "100", "--only-summary", *options]
    environment = {**os.environ, "INTERVAL": str(interval)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def parsed(path: Path) -> list[dict[str, str]]:
    """The rows of a file: each as long as its header, which no quote and no end of line leads astray."""
    text = path.read_bytes()
    assert text.endswith(b"\r\n") and text.count(b'"') % 2 == 0
    rows = list(csv.reader(text.decode().splitlines(keepends=True), strict=True))
    assert {len(row) for row in rows} == {len(rows[0])}, path.name
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


KINDS = ("stats", "stats_history", "failures", "exceptions", "phases")


@pytest.mark.parametrize(("seed", "interval"), [(1, 1.0), (2, 1.0), (3, 0.02), (4, 0.02), (5, 0.001), (6, 0.001)])
def test_a_killed_run_leaves_files_that_are_whole_and_late_by_one_interval(
    seed: int, interval: float, tmp_path: Path
) -> None:
    """With a thousandth of a second the files are nearly always being written when the signal comes."""
    dice = random.Random(seed)
    told: list[tuple[int, float]] = []
    with locust(tmp_path, "--csv", "out", "--csv-full-history", "--hgrm", "out", interval=interval) as process:
        assert process.stdout is not None
        began = None
        patience = interval + dice.uniform(0.2, 1.5)
        for line in process.stdout:
            count, at = line.split()
            told.append((int(count), float(at)))
            began = began or told[0][1]
            if told[-1][1] > began + patience:
                break
        process.kill()
        killed = time.time()
        process.wait()
    files = {kind: parsed(tmp_path / f"out_{kind}.csv") for kind in KINDS}
    total = int(files["stats"][-1]["Request Count"])
    assert files["stats"][-1]["Name"] == "Aggregated"
    assert sum(int(row["Request Count"]) for row in files["stats"][:-1]) == total
    # A second beside the interval: for a machine that has other things to do than to write.
    due = [count for count, at in told if at < killed - interval - 1]
    assert total >= max(due, default=0)
    totals = [int(row["Total Request Count"]) for row in files["stats_history"] if row["Name"] == "Aggregated"]
    assert totals == sorted(totals) and abs(totals[-1] - total) <= max(told[-1][0], 1)
    for line in (tmp_path / "out.hlog").read_text().splitlines():
        assert line.startswith(("#", '"')) or len(line.split(",")) in (4, 5)


def no_file_above(size: int) -> Any:
    """What makes every file of a process end at `size` bytes, as a full disk would."""
    import resource

    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_is_said_once_and_the_run_goes_on(tmp_path: Path) -> None:
    """Without failures, which would make the exit code."""
    sound = LOCUSTFILE.replace("number % 3 == 0", "False").replace("number % 500 == 0", "False")
    (tmp_path / "sound.py").write_text(sound)
    with locust(
        tmp_path,
        "--csv",
        "out",
        "--csv-full-history",
        "-t",
        "2",
        "-f",
        "sound.py",
        interval=0.02,
        preexec_fn=no_file_above(12_000),
    ) as process:
        _, stderr = process.communicate(timeout=60)
    assert stderr.count("cannot write `") == 1
    assert "File too large" in stderr
    assert "--run-time limit reached" in stderr and "Aggregated" in stderr
    assert process.returncode == 2, "as where a greenlet dies of it"
    for kind in KINDS:
        parsed(tmp_path / f"out_{kind}.csv")
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--csv", "file/out"], "`--csv file/out`: cannot make `file/out_stats.csv` and the files beside it: "),
        (["--hgrm", "file/out"], "`--hgrm file/out`: cannot make `file/out.hlog` and the files beside it: "),
    ],
    ids=["csv", "hgrm"],
)
def test_files_that_cannot_be_made_end_the_run_before_it_begins(options: list[str], says: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with locust(tmp_path, *options, "-t", "1", interval=1) as process:
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert says in stderr and "Traceback" not in stderr
    assert not stdout


def test_json_that_cannot_be_written_is_said_beside_the_summary(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with locust(tmp_path, "--json-file", "file/out", "-t", "1", "--exit-code-on-error", "0", interval=1) as process:
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "`--json-file file/out`: cannot write `file/out.json`: " in stderr
    assert "Response time percentiles" in stderr, "shown instead"


def test_json_goes_to_stdout_and_nothing_else_does(tmp_path: Path) -> None:
    quiet = LOCUSTFILE.replace("print(", "(lambda *_, **__: None)(")
    (tmp_path / "quiet.py").write_text(quiet)
    with locust(tmp_path, "--json", "-t", "1", "-f", "quiet.py", interval=1) as process:
        stdout, _ = process.communicate(timeout=60)
    assert len(json.loads(stdout)) == 40
