"""Everything that one run leaves tells the same: summary, CSV, JSON, histograms, and the target, which counts too.

Runs are random, from a seed that the test is named by: what is requested, what fails and how, names that files have to
quote, requests that are counted by hand, with a time or without one.
"""

from __future__ import annotations

import base64
import csv
import json
import random
import re
import struct
import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

SEEDS = range(8)

NAMES = [
    "plain",
    "comma, comma",
    'a "quoted" one',
    "two\nlines",
    "ünï ☃ 中文",
    " blanks ",
    "per%20cent",
    "'",
    "\t",
    "a|b",
]

HEADER = '''
import json
from locust import *
from locust import stats

@events.test_stop.add_listener
def show(environment, **_):
    """What the summary shows, and what the engine has counted: with `--json-file` there is no summary."""
    stats.print_stats(environment.stats, current=False)
    stats.print_error_report(environment.stats)
    entries = environment.stats.entries
    seen = [[*key, entry.num_requests, entry.num_failures, entry.num_none_requests] for key, entry in entries.items()]
    print("COUNTED " + json.dumps([len(fired), seen]))

fired = []

def fire(user, **what):
    fired.append(what["name"])
    user.environment.events.request.fire(**{"exception": None, "context": {}, **what})
'''


def random_locustfile(dice: random.Random) -> str:
    """User classes of a few tasks, each a few steps."""
    classes = []
    for number in range(dice.randint(1, 3)):
        tasks = []
        for task in range(dice.randint(1, 3)):
            steps = [f"        {random_step(dice)}" for _ in range(dice.randint(1, 3))]
            if dice.random() < 0.2:
                steps.append(f"        raise ValueError({random_name(dice)!r})")
            tasks.append(f"    @task({dice.randint(1, 3)})\n    def t{task}(self):\n" + "\n".join(steps))
        waits = f"    wait_time = constant({dice.choice([0, 0.01, 0.05])})"
        classes.append("\n".join([f"class U{number}({dice.choice(['HttpUser', 'FastHttpUser'])}):", waits, *tasks]))
    return HEADER + "\n\n".join(classes) + "\n"


def random_step(dice: random.Random) -> str:
    name = random_name(dice)
    match dice.randrange(6):
        case 0:
            return f"self.client.get('/json', name={name!r})"
        case 1:
            return f"self.client.post('/echo', data=b'x' * {dice.randrange(3000)}, name={name!r})"
        case 2:
            return f"self.client.get('/status/{dice.choice([404, 500, 503])}', name={name!r})"
        case 3:
            judge = f"response.failure({random_name(dice)!r})"
            return f"with self.client.get('/json', name={name!r}, catch_response=True) as response: {judge}"
        case 4:
            time = dice.choice([None, dice.random() * 10 ** dice.randint(0, 5)])
            error = dice.choice(["None", f"ValueError({random_name(dice)!r})", repr(random_name(dice))])
            length = dice.randrange(10_000)
            kind = dice.choice(["", "WS", "GET", "ünï,"])
            return (
                f"fire(self, request_type={kind!r}, name={name!r}, response_time={time!r}, "
                f"response_length={length}, exception={error})"
            )
        case _:
            return "self.client.get('/bytes/100')"


def random_name(dice: random.Random) -> str:
    return dice.choice(NAMES) + dice.choice(["", "", dice.choice(NAMES)])


@pytest.mark.parametrize("seed", SEEDS)
def test_all_outputs_of_a_run_agree(seed: int, target: Any, tmp_path: Path) -> None:
    dice = random.Random(seed)
    (tmp_path / "locustfile.py").write_text(random_locustfile(dice))
    options = ["-u", str(dice.randint(1, 8)), "-r", "100", "-t", "1", "--stop-timeout", "30", "--seed", str(seed)]
    files = ["--csv", "out", "--hgrm", "out", *dice.choice([[], ["--json-file", "out"]])]
    files += dice.choice([[], ["--csv-full-history"]])
    ran = subprocess.run(
        [sys.executable, "-m", "locust", "--headless", "-H", target.url, "--only-summary", *options, *files],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode in (0, 1), ran.stderr
    line = next(line for line in ran.stdout.splitlines() if line.startswith("COUNTED "))
    fired, seen = json.loads(line.removeprefix("COUNTED "))
    counted = {(row[0], row[1]): tuple(row[2:]) for row in seen}
    assert counted, "a run without requests shows nothing"

    check_stats(rows_of(tmp_path, "stats"), counted)
    check_failures(tmp_path, counted)
    check_history(rows_of(tmp_path, "stats_history"), counted, "--csv-full-history" in files)
    check_exceptions(tmp_path, ran.stderr)
    check_histograms(tmp_path, counted)
    check_tables(ran.stderr, counted)
    if "--json-file" in files:
        check_json(tmp_path, counted)
    check_target(target, tmp_path, sums(counted)[0], fired)


def rows_of(folder: Path, kind: str) -> list[dict[str, str]]:
    with (folder / f"out_{kind}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


Counted = dict[tuple[str, str], tuple[int, int, int]]


def sums(counted: Counted) -> tuple[int, ...]:
    return tuple(map(sum, zip(*counted.values(), strict=True)))


def check_stats(rows: list[dict[str, str]], counted: Counted) -> None:
    found = {(row["Name"], row["Type"]): (int(row["Request Count"]), int(row["Failure Count"])) for row in rows}
    assert found.pop(("Aggregated", "")) == sums(counted)[:2]
    assert found == {key: counts[:2] for key, counts in counted.items()}
    assert [(row["Name"], row["Type"]) for row in rows[:-1]] == sorted(counted)


def check_failures(folder: Path, counted: Counted) -> None:
    failures: Counter[tuple[str, str]] = Counter()
    for row in rows_of(folder, "failures"):
        failures[row["Name"], row["Method"]] += int(row["Occurrences"])
    assert failures == {key: counts[1] for key, counts in counted.items() if counts[1]}


def check_history(rows: list[dict[str, str]], counted: Counted, is_full: bool) -> None:
    totals = [int(row["Total Request Count"]) for row in rows if row["Name"] == "Aggregated"]
    assert totals == sorted(totals)
    last = {(row["Name"], row["Type"]): int(row["Total Request Count"]) for row in rows}
    assert last.pop(("Aggregated", "")) == sums(counted)[0]
    assert last == ({key: counts[0] for key, counts in counted.items()} if is_full else {})


def check_exceptions(folder: Path, stderr: str) -> None:
    raised = sum(int(row["Count"]) for row in rows_of(folder, "exceptions"))
    assert raised == stderr.count("/locust.user.task: ")


def check_histograms(folder: Path, counted: Counted) -> None:
    found: Counter[str] = Counter()
    for line in (folder / "out.hlog").read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith(("#", '"')):
            *tag, _start, _length, _longest, histogram = line.split(",")
            found["".join(tag)] += values_in(base64.b64decode(histogram))
    expected = {f"Tag={escaped(f'{key[1]} {key[0]}')}": n - untimed for key, (n, _, untimed) in counted.items()}
    timed = sum(expected.values())
    assert found == {key: count for key, count in {**expected, "": timed}.items() if count}
    assert f"Total count    = {timed:>12}]" in (folder / "out.hgrm").read_text()


def escaped(text: str) -> str:
    """Escapes what a tag must not have, as the documentation of the file says it is."""

    def escape(match: re.Match[str]) -> str:
        return "".join(f"%{byte:02X}" for byte in match[0].encode())

    return re.sub(r'[\s,%"]', escape, text)


def values_in(compressed: bytes) -> int:
    """How many values a histogram holds: the sum of its counts, in HdrHistogram's V2 encoding."""
    cookie, length = struct.unpack(">II", compressed[:8])
    assert (cookie, length) == (0x1C849314, len(compressed) - 8)
    encoded = zlib.decompress(compressed[8:])
    assert struct.unpack(">III", encoded[:12]) == (0x1C849313, len(encoded) - 40, 0)
    total = number = shift = 0
    for byte in encoded[40:]:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            total += max((number >> 1) ^ -(number & 1), 0)
            number = shift = 0
    return total


def check_tables(stderr: str, counted: Counted) -> None:
    for (name, method), (requests, failures, _) in counted.items():
        share = f"{failures}({failures / max(requests, 1) * 100:.2f}%)"
        method = f"{method} " if method else ""
        assert f"{method:<8} {name:<76} {requests:>7} {share:>12} |" in stderr


def check_json(folder: Path, counted: Counted) -> None:
    entries = json.loads((folder / "out.json").read_text())
    found = {(e["name"], e["method"]): (e["num_requests"], e["num_failures"], e["num_none_requests"]) for e in entries}
    assert found == counted
    for entry in entries:
        assert sum(entry["response_times"].values()) == entry["num_requests"] - entry["num_none_requests"]
        assert sum(entry["num_reqs_per_sec"].values()) == entry["num_requests"]
        assert sum(entry["num_fail_per_sec"].values()) == entry["num_failures"]


def check_target(target: Any, folder: Path, requests: int, fired: int) -> None:
    arrived = sum(target.counts()["by"].values())
    assert arrived == requests - fired
    sent = [row for row in rows_of(folder, "phases") if row["Name"] == "Aggregated"]
    assert sum(int(row["Request Count"]) for row in sent) == arrived
