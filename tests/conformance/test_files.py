"""The files of `--csv` and `--json`, and the console's tables: columns, rows and counts; times and rates are masked."""

from __future__ import annotations

import json
import re

import pytest

from .harness import same

LOCUSTFILE = """
import gevent
from locust import *

class U(HttpUser):
    count = 0
    def on_start(self):
        gevent.spawn_later(2.4, self.environment.runner.quit)
    @task
    def t(self):
        U.count += 1
        self.client.get("/json?page=1", name='a "quoted", name')
        self.client.post("/echo", json={"a": 1}, name="/echo")
        self.client.get("/bytes/5000")
        self.client.get("/status/404", name="/missing")
        self.client.delete("/status/500", name="/delete")
        with self.client.get("/json", name="/judged", catch_response=True) as response:
            response.failure(f"wrong, said \\"{U.count % 2}\\"")
        self.environment.events.request.fire(
            request_type="CUSTOM", name="measured", response_time=12.345, response_length=10, exception=None, context={})
        self.environment.events.request.fire(
            request_type="CUSTOM", name="untimed", response_time=None, response_length=0, exception=None, context={})
        if U.count == 10:
            gevent.sleep(30)
        if U.count in (3, 5):
            raise ValueError("broken, twice")
"""

COUNTED = ("Type", "Name", "Request Count", "Failure Count")
MEASURED = ("CUSTOM",)
"""Rows whose times are known: below 100 ms, where Locust's percentiles are to the millisecond, too."""


def masked(rows, exact):
    """Of all columns the exact ones; of the others whether there is a number, an `N/A`, or nothing."""
    return [
        {
            key: value if key in exact or (row.get("Type") in MEASURED and key not in RATES) else _kind(value)
            for key, value in row.items()
        }
        for row in rows
    ]


RATES = ("Requests/s", "Failures/s")


def _kind(value):
    return re.sub(r"\d+(\.\d+)?(e-\d+)?", "number", value)


@pytest.fixture(scope="module")
def pair(sides, tmp_path_factory):
    from .harness import Both

    both = Both(sides, tmp_path_factory.mktemp("files"))
    return both(LOCUSTFILE, "--csv", "reports/out")


def test_console_and_counts(pair):
    # What the periodic tables show depends on when they are printed. Tracebacks are compared elsewhere.
    ours = pair.assert_same(but=["said"])
    assert ours.exit_code == 1
    assert ours.rows["GET", 'a "quoted", name'] == (10, 0)


def test_stats_csv(pair):
    theirs, ours = (run.csv("stats", "reports/out") for run in (pair.theirs, pair.ours))
    same("columns", theirs[0], ours[0])
    exact = (*COUNTED, "Average Content Size")
    rows = [row for row in ours[1] if row["Name"] != "/echo" and row["Type"]]
    expected = [row for row in theirs[1] if row["Name"] != "/echo" and row["Type"]]
    same("rows", masked(expected, exact), masked(rows, exact))
    same("all rows", masked(theirs[1], COUNTED), masked(ours[1], COUNTED))


def test_failures_csv(pair):
    theirs, ours = (run.csv("failures", "reports/out") for run in (pair.theirs, pair.ours))
    same("columns", theirs[0], ours[0])
    mask = ("Method", "Name", "Error", "Occurrences")
    same("rows", masked(theirs[1], mask), masked(ours[1], mask))


def test_exceptions_csv(pair):
    theirs, ours = (run.csv("exceptions", "reports/out") for run in (pair.theirs, pair.ours))
    same("columns", theirs[0], ours[0])
    mask = ("Count", "Message", "Nodes")
    same(
        "rows",
        [{key: row[key] for key in mask} for row in theirs[1]],
        [{key: row[key] for key in mask} for row in ours[1]],
    )


def test_the_traceback_in_exceptions_csv(pair):
    for run in (pair.theirs, pair.ours):
        _, rows = run.csv("exceptions", "reports/out")
        assert "locustfile.py" in rows[0]["Traceback"]
        assert 'raise ValueError("broken, twice")' in rows[0]["Traceback"]


def test_history_csv(pair):
    theirs, ours = (run.csv("stats_history", "reports/out") for run in (pair.theirs, pair.ours))
    same("columns", theirs[0], ours[0])
    # Ours has a last row that is written when the users are gone.
    mask = ("Type", "Name", "Total Request Count", "Total Failure Count")
    same("last row", masked(theirs[1][-1:], mask), masked(ours[1][-1:], mask))
    assert {row["Name"] for row in ours[1]} == {"Aggregated"}
    assert abs(len(ours[1]) - len(theirs[1])) <= 1


@pytest.mark.parametrize("kind", ["stats", "stats_history", "failures", "exceptions"])
def test_the_dialect(pair, kind):
    theirs, ours = ((run.folder / f"reports/out_{kind}.csv").read_bytes() for run in (pair.theirs, pair.ours))
    assert ours.split(b"\r\n")[0] == theirs.split(b"\r\n")[0]
    assert ours.endswith(b"\r\n") == theirs.endswith(b"\r\n")
    assert (b'"' in ours) == (b'"' in theirs)


def test_full_history(both):
    pair = both(LOCUSTFILE, "--csv", "out", "--csv-full-history", "--only-summary")
    theirs, ours = (run.csv("stats_history") for run in (pair.theirs, pair.ours))
    same("columns", theirs[0], ours[0])
    mask = ("Type", "Name", "Total Request Count", "Total Failure Count")
    last = [masked(rows[1][-9:], mask) for rows in (theirs, ours)]
    same("last rows", *[[{key: row[key] for key in mask} for row in rows] for rows in last])


def test_csv_of_a_run_without_requests(both):
    text = "from locust import *\nclass U(User):\n    @task\n    def t(self): self.environment.runner.quit()\n"
    pair = both(text, "--csv", "out", "--only-summary")
    pair.assert_same()
    for kind in ("stats", "failures", "exceptions"):
        same(kind, pair.theirs.csv(kind), pair.ours.csv(kind))


TABLES = """
import gevent
from locust import *

class U(User):
    @task
    def t(self):
        fire = self.environment.events.request.fire
        for number in range(200):
            error = ValueError("broken") if number % 4 == 0 else None
            fire(request_type="GET", name=f"/{number % 3}", response_time=number % 97 + 0.25, response_length=number, exception=error)
            fire(request_type="A-LONG-TYPE", name="a name " * 14, response_time=3.0, response_length=1, exception=None)
        fire(request_type="GET", name="untimed", response_time=None, response_length=1, exception=None)
        for text in ("one", "two", "two"):
            fire(request_type="", name="", response_time=1.0, response_length=0, exception=text)
        self.environment.runner.quit()
"""


def tables(run):
    """The tables of the summary, without rates and without what only we show."""
    text = run.stderr[run.stderr.index("Shutting down") :].split("Generator lag")[0].split("In words")[0]
    return re.sub(r"\| +\d+\.\d\d +\d+\.\d\d$", "| RATES", text, flags=re.MULTILINE).rstrip().splitlines()


def test_the_summary_to_the_last_blank(both):
    pair = both(TABLES, "--only-summary")
    pair.assert_same()
    same("tables", tables(pair.theirs), tables(pair.ours))


def test_percentiles_of_known_times(both):
    text = TABLES.replace(
        "self.environment.runner.quit()", "gevent.spawn_later(2.4, self.environment.runner.quit); gevent.sleep(9)"
    )
    pair = both(text, "--only-summary", "--csv", "out")
    theirs, ours = (run.csv("stats") for run in (pair.theirs, pair.ours))
    assert len(ours[1]) == len(theirs[1])
    for expected, row in zip(theirs[1], ours[1], strict=True):
        same(row["Name"], without_rates(expected), without_rates(row))


def without_rates(row):
    return {key: value for key, value in row.items() if key not in RATES}


@pytest.mark.parametrize(
    "options", [["--json"], ["--json-file", "result"], ["--json", "--json-file", "result"]], ids=" ".join
)
def test_json(both, options):
    pair = both(TABLES, "--only-summary", *options)
    ours = pair.assert_same(but=["printed"])
    documents = []
    for run in (pair.theirs, ours):
        text = (run.folder / "result.json").read_text() if "--json-file" in options else "\n".join(run.printed)
        # The slices of time are ours, at the end of each entry.
        compared = [{key: entry[key] for key in entry if key not in (*TIMES, "slices")} for entry in json.loads(text)]
        documents.append(compared)
        documents[-1] = [list(entry.items()) for entry in documents[-1]]
    same("json", *documents)


TIMES = ("last_request_timestamp", "start_time", "num_reqs_per_sec", "num_fail_per_sec")


def test_the_periodic_table(both):
    text = "import gevent\nfrom locust import *\nclass U(User):\n    @task\n    def t(self): gevent.sleep(1)\n"
    pair = both(text, "-t", "1s")
    theirs, ours = (
        [line for line in run.stderr.splitlines() if line.startswith(("Type", "---", "    "))]
        for run in (pair.theirs, pair.ours)
    )
    same("lines", theirs, ours)


def test_only_summary(both):
    text = "import gevent\nfrom locust import *\nclass U(User):\n    @task\n    def t(self): gevent.sleep(1)\n"
    pair = both(text, "-t", "1s", "--only-summary")
    same("tables", pair.theirs.stderr.count("Type     Name"), pair.ours.stderr.count("Type     Name"))
