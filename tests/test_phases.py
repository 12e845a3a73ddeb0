"""Where the time goes: in which phase of a request the server made itself felt, and on which connections it was sent.

The target is told how to spend its time, and each of its ways has to show in its own phase and in no other.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Run, Target

SCRIPT = """
import json, os, sys
from locust import HttpUser
from locust.contrib.fasthttp import FastHttpUser
from locust.env import Environment

os.environ["NO_PROXY"] = "*"
PHASES = ("look_up", "connect", "tls", "sending", "waiting", "receiving")
host, kind = sys.argv[1:3]
Base = {"http": HttpUser, "fast": FastHttpUser}[kind]
User = type("User", (Base,), {"host": host, "network_timeout": 0.5})
environment = Environment(user_classes=[User])
environment.create_local_runner()
client = User(environment).client

def figures(timings):
    return {name: getattr(timings, name) for name in
            (*PHASES, "total", "reused", "connections_opened", "connections_reused")}

def row(entry):
    phases = entry.phases
    return {"requests": phases.requests, "opened": phases.connections_opened, "reused": phases.connections_reused,
            "average": {name: phase.average for name, phase in phases},
            "maximum": {name: phase.maximum for name, phase in phases},
            "share": {name: phase.share for name, phase in phases},
            "response_time": entry.total_response_time}
"""

PHASES = ("look_up", "connect", "tls", "sending", "waiting", "receiving")
Do = Callable[..., Any]


@pytest.fixture(params=["http", "fast"])
def do(request: pytest.FixtureRequest, python_script: Callable[..., Run], target: Target) -> Do:
    """Run some lines with a `client` of either kind, and give what they put into `found`."""

    def run(lines: str, host: str = target.url) -> Any:
        code = f"{SCRIPT}\nfound = None\n{lines}\nprint(json.dumps(found))\n"
        return python_script(code, host, request.param).last_line

    return run


def assert_whole(timings: dict[str, Any]) -> None:
    assert sum(timings[name] for name in PHASES) == pytest.approx(timings["total"], abs=0.001)
    assert all(timings[name] >= 0 for name in PHASES)


def test_a_server_that_thinks_is_waited_for(do: Do) -> None:
    timings = do("found = figures(client.get('/delay?ms=50').timings)")
    assert_whole(timings)
    assert 50 <= timings["waiting"] <= timings["total"]
    assert timings["waiting"] > timings["total"] / 2
    assert (timings["connections_opened"], timings["connections_reused"], timings["reused"]) == (1, 0, False)
    assert timings["connect"] > 0
    assert timings["tls"] == 0


def test_a_body_that_drips_is_received(do: Do) -> None:
    timings = do("found = figures(client.get('/drip?bytes=10&ms=10').timings)")
    assert_whole(timings)
    assert timings["receiving"] >= 80
    assert timings["receiving"] > timings["waiting"]


def test_a_large_upload_that_nobody_reads_is_sent_for_long(do: Do) -> None:
    timings = do("found = figures(client.post('/echo', data=b'x' * 8_000_000).timings)")
    assert_whole(timings)
    assert timings["sending"] > timings["connect"]


def test_a_connection_kept_alive_is_reused(do: Do) -> None:
    first, *others = do("found = [figures(client.get('/json').timings) for _ in range(5)]")
    assert (first["connections_opened"], first["connections_reused"], first["reused"]) == (1, 0, False)
    for timings in others:
        assert_whole(timings)
        assert (timings["connections_opened"], timings["connections_reused"], timings["reused"]) == (0, 1, True)
        assert timings["look_up"] == timings["connect"] == timings["tls"] == 0


def test_a_connection_that_the_server_closes_is_opened_again(do: Do) -> None:
    found = do("""
for _ in range(4): client.get("/close-after")
found = row(environment.stats.total)
""")
    assert (found["requests"], found["opened"], found["reused"]) == (4, 4, 0)


def test_every_request_of_a_chain_counts(do: Do, target: Target) -> None:
    found = do("""
client.get("/json")
found = [figures(client.get("/redirect/3").timings), row(environment.stats.total)]
""")
    timings, total = found
    assert_whole(timings)
    assert (timings["connections_opened"], timings["connections_reused"], timings["reused"]) == (0, 4, True)
    assert (total["requests"], total["opened"], total["reused"]) == (2, 1, 4)
    assert total["opened"] + total["reused"] == target.counts()["requests"]


def test_waiting_is_summed_over_a_chain(do: Do) -> None:
    timings = do("found = figures(client.get('/redirect-to?url=%2Fdelay%3Fms%3D40').timings)")
    assert_whole(timings)
    assert timings["waiting"] >= 40
    assert timings["connections_opened"] + timings["connections_reused"] == 2


def test_a_host_that_refuses_is_connected_to_in_vain(do: Do, unused_port: int) -> None:
    found = do(
        """
response = client.get("/")
found = [response.status_code, figures(response.timings), row(environment.stats.total)]
""",
        f"http://127.0.0.1:{unused_port}",
    )
    status, timings, total = found
    assert status == 0
    assert_whole(timings)
    assert timings["connect"] > 0
    assert timings["waiting"] == timings["receiving"] == 0
    assert (timings["connections_opened"], timings["connections_reused"]) == (0, 0)
    assert (total["requests"], total["opened"]) == (1, 0)


def test_a_time_out_shows_where_it_happened(do: Do) -> None:
    status, timings = do("""
limit = {"timeout": 0.5} if kind == "http" else {}
response = client.get("/delay?ms=60000", **limit)
found = [response.status_code, figures(response.timings)]
""")
    assert status == 0
    assert_whole(timings)
    assert timings["waiting"] >= 490
    assert timings["connections_opened"] == 1


def test_the_statistics_add_up(do: Do, target: Target) -> None:
    found = do("""
for path in ("/json", "/delay?ms=20", "/bytes/100000", "/redirect/2", "/close-after", "/status/500", "/json"):
    client.get(path, name=path.partition("?")[0])
with client.get("/json", name="judged", catch_response=True) as response:
    response.failure("no")
environment.events.request.fire(
    request_type="X", name="by hand", response_time=1000, response_length=0, exception=None, context={})
stats = environment.stats
rows = [row(entry) for entry in stats.entries.values()]
found = [row(stats.total), rows, row(stats.get("by hand", "X")), stats.total.num_requests]
""")
    total, rows, by_hand, counted = found
    assert (total["requests"], counted) == (8, 9)
    assert (by_hand["requests"], by_hand["opened"], by_hand["reused"]) == (0, 0, 0)
    for what in ("requests", "opened", "reused"):
        assert total[what] == sum(entry[what] for entry in rows)
    assert total["opened"] + total["reused"] == target.counts()["requests"] == 10
    for name in PHASES:
        of_rows = sum(entry["average"][name] * entry["requests"] for entry in rows)
        assert total["average"][name] * total["requests"] == pytest.approx(of_rows)
        assert total["maximum"][name] == max(entry["maximum"][name] for entry in rows)
    assert sum(total["share"].values()) == pytest.approx(1)
    measured = sum(total["average"].values()) * total["requests"]
    assert measured == pytest.approx(total["response_time"] - 1000, abs=0.01)
    assert total["maximum"]["waiting"] >= 20


def test_a_listener_beside_the_statistics_changes_nothing(do: Do) -> None:
    found = do("""
seen = []
environment.events.request.add_listener(lambda response, **_: seen.append(figures(response.timings)))
for _ in range(3): client.get("/json")
found = [seen, row(environment.stats.total)]
""")
    seen, total = found
    assert (total["requests"], total["opened"], total["reused"]) == (3, 1, 2)
    for name in PHASES:
        assert total["average"][name] * 3 == pytest.approx(sum(timings[name] for timings in seen))


def test_phases_are_reset_and_added_with_their_entry_and_stay_out_of_what_is_sent(do: Do) -> None:
    found = do("""
client.get("/json")
client.get("/json")
entry = environment.stats.get("/json", "GET")
from locust.stats import StatsEntry
sum = StatsEntry(environment.stats, "sum", "GET")
sum.extend(entry)
sum.extend(entry)
sent = entry.serialize()
again = StatsEntry.unserialize(sent)
sum.extend(again)
environment.stats.reset_all()
found = [row(sum), sum.num_requests, sorted(sent), row(again), row(entry), row(environment.stats.total)]
""")
    both, counted, sent, again, *reset = found
    assert (both["requests"], both["opened"], both["reused"], counted) == (4, 2, 2, 6)
    assert not any("phase" in key or "connection" in key for key in sent)
    for empty in (again, *reset):
        assert (empty["requests"], empty["opened"], empty["reused"]) == (0, 0, 0)
        assert set(empty["average"].values()) == set(empty["share"].values()) == {0}


def test_timings_are_frozen_and_tell_themselves(do: Do) -> None:
    found = do("""
response = client.get("/json")
try:
    response.timings.waiting = 0
    found = "changed"
except AttributeError:
    found = [repr(response.timings), response.timings is response.timings]
""")
    text, same = found
    assert re.match(r"Timings\(look_up=[\d.e-]+, connect=", text)
    assert same


def test_a_response_made_by_hand_has_none(do: Do) -> None:
    assert do("found = [type(client.get('/json'))().timings, client.get('/json').timings is None]") == [None, False]


@pytest.fixture
def secure_url(tmp_path: Path) -> Iterator[str]:
    command = [sys.executable, "-c", "import sys; from gregaria.__main__ import gregaria; sys.exit(gregaria())"]
    options = ["target", "--port", "0", "--tls", "--tls-port", "0"]
    with subprocess.Popen([*command, *options], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            _, secure = (process.stdout.readline().removeprefix("listening on ").strip() for _ in range(2))
            yield secure
        finally:
            process.terminate()
            process.wait(10)


def test_a_handshake_has_its_phase(do: Do, secure_url: str) -> None:
    first, second = do(
        """
options = {"verify": False} if kind == "http" else {}
found = [figures(client.get("/json", **options).timings) for _ in range(2)]
""",
        secure_url,
    )
    assert_whole(first)
    assert first["tls"] > 0
    assert first["connect"] > 0
    assert second["tls"] == second["connect"] == 0
    assert second["reused"]


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port that is taken and not listened on: it stays refused for as long as the test lasts."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


LOCUSTFILE = """
from locust import HttpUser, task
class U(HttpUser):
    @task
    def t(self):
        self.client.get("/delay?ms=20", name="/slow")
        self.client.get("/redirect/1")
        if {by_hand}:
            self.environment.events.request.fire(
                request_type="X", name="by hand", response_time=1, response_length=0, exception=None, context={{}})
        self.environment.runner.quit()
"""


@pytest.fixture
def summary(tmp_path: Path, target: Target) -> Callable[[str], str]:
    """What the command says of a run of this locustfile; its files are in the folder."""

    def run(locustfile: str) -> str:
        (tmp_path / "locustfile.py").write_text(locustfile)
        command = [sys.executable, "-m", "locust", "--headless", "-H", target.url, "--only-summary", "--csv", "out"]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert ended.returncode == 0, ended.stderr
        return ended.stderr

    return run


def test_the_summary_shows_where_the_time_went(summary: Callable[[str], str], target: Target) -> None:
    said = summary(LOCUSTFILE.format(by_hand=True))
    table = said.partition("\nWhere the time goes")[2].partition("\n\n")[0].splitlines()
    header, rows = table[1], table[3:]
    assert header.split() == [
        *("Type", "Name", "#", "reqs", "look-up", "connect", "TLS", "sending", "waiting", "receiving"),
        *("opened", "reused"),
    ]
    cells = {row.split()[-10]: row.split()[-9:] for row in rows if "%" not in row and "|" not in row}
    assert list(cells) == ["/redirect/1", "/slow", "Aggregated"]
    _look_up, _connect, tls, sending, waiting, receiving = map(float, cells["/slow"][1:7])
    assert waiting >= 20 > max(tls, sending, receiving)
    requests, opened, reused = (int(cells["Aggregated"][at]) for at in (0, -2, -1))
    assert requests == 2
    assert opened + reused == target.counts()["requests"] == 3
    assert re.match(r" +of the response time( +[\d.]+%){6}$", rows[-1])


def test_without_requests_of_the_engine_there_is_no_table(summary: Callable[[str], str]) -> None:
    said = summary("""
from locust import User, task
class U(User):
    @task
    def t(self):
        self.environment.events.request.fire(
            request_type="X", name="by hand", response_time=1, response_length=0, exception=None, context={})
        self.environment.runner.quit()
""")
    assert "by hand" in said
    assert "Where the time goes" not in said


def test_a_file_has_the_table(summary: Callable[[str], str], tmp_path: Path) -> None:
    summary(LOCUSTFILE.format(by_hand=True))
    with (tmp_path / "out_phases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["Type"], row["Name"], row["Request Count"]) for row in rows] == [
        ("GET", "/redirect/1", "1"),
        ("GET", "/slow", "1"),
        ("", "Aggregated", "2"),
    ]
    [slow] = [row for row in rows if row["Name"] == "/slow"]
    assert 20 <= float(slow["Average Waiting"]) == float(slow["Max Waiting"])
    connections = [(int(row["Connections Opened"]), int(row["Connections Reused"])) for row in rows]
    assert connections[-1] == tuple(map(sum, zip(*connections[:-1], strict=True))) == (1, 2)
