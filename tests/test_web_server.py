"""The web page's server as the command runs it: when it serves, whom it refuses, how it ends, and that a locustfile
that computes holds nothing up."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from certificates import Authority
from conftest import Target, eventually

LOCUSTFILE = """
from locust import HttpUser, constant, events, task

class Visitor(HttpUser):
    wait_time = constant(0.05)
    @task
    def look(self):
        self.client.get("/json")

@events.quitting.add_listener
def quitting(environment, **kwargs):
    print("quitting", flush=True)
"""

COMPUTES = """
import time
from locust import HttpUser, constant, task

class Visitor(HttpUser):
    wait_time = constant(0)
    @task
    def look(self):
        self.client.get("/json")
        end = time.perf_counter() + 0.5
        while time.perf_counter() < end:
            pass
"""


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Page:
    """A `locust` with its page, in a process of its own."""

    process: subprocess.Popen[str]
    port: int
    log: Path
    context: ssl.SSLContext | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def connection(self, timeout: float = 10) -> http.client.HTTPConnection:
        if self.context is not None:
            return http.client.HTTPSConnection("localhost", self.port, timeout=timeout, context=self.context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        connection = self.connection()
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            if body is not None:
                sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def said(self) -> str:
        return self.log.read_text()

    def state(self) -> str:
        # The figures are kept for two seconds; the metrics are not.
        states = re.findall(r'gregaria_state\{state="(\w+)"\} 1', self.get("/metrics").body.decode())
        return states[0] if states else "missing"

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture
def locust(tmp_path: Path) -> Iterator[Any]:
    """Start `locust` with a page on a free port, and wait until it serves."""
    started: list[subprocess.Popen[str]] = []

    @contextmanager
    def start(*arguments: str, locustfile: str = LOCUSTFILE, **more: Any) -> Iterator[Page]:
        page = begun(tmp_path, started, locustfile, arguments, **more)
        yield page
        if page.process.poll() is None:
            page.end()

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def begun(
    folder: Path,
    started: list[subprocess.Popen[str]],
    locustfile: str,
    arguments: tuple[str, ...],
    port: int = 0,
    context: ssl.SSLContext | None = None,
) -> Page:
    file, log = folder / "locustfile.py", folder / "log"
    file.write_text(locustfile)
    command = [sys.executable, "-c", "import sys; from gregaria.__main__ import locust; sys.exit(locust())"]
    command += ["-f", str(file), "--web-port", str(port), *arguments]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, text=True, cwd=folder)
    started.append(process)

    def listens() -> bool | re.Match[str] | None:
        return process.poll() is not None or re.search(r"The web interface has port (\d+)", log.read_text())

    found = eventually(listens, 20)
    return Page(process, int(found[1]) if isinstance(found, re.Match) else port, log, context)


def events(page: Page, until: str, seconds: float = 10) -> list[tuple[str, Any]]:
    """What the stream says until this event, with it."""
    connection = page.connection(seconds)
    connection.request("GET", "/stream")
    response = connection.getresponse()
    assert response.headers["Content-Type"].startswith("text/event-stream")
    found: list[tuple[str, Any]] = []
    name = ""
    while not found or found[-1][0] != until:
        line = response.readline().decode()
        assert line, f"the stream ended after {[name for name, _ in found]}"
        if line.startswith("event: "):
            name = line[7:].strip()
        elif line.startswith("data: "):
            found.append((name, json.loads(line[6:])))
    response.close()
    connection.close()
    return found


def test_a_port_that_is_taken_ends_it_with_2(locust):
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        with locust(port=taken.getsockname()[1]) as page:
            assert page.process.wait(20) == 2
    assert re.search(r"CRITICAL/locust.web: .*in use", page.said()) and "Traceback" not in page.said()


def test_it_serves_until_it_is_told_to_end(locust):
    with locust() as page:
        assert page.state() == "ready" and page.get("/").status == 200
        assert "Starting web interface at http://0.0.0.0:0, press enter" in page.said()
        assert page.end(signal.SIGINT) == 0
        assert "quitting\n" in page.said() and "Shutting down (exit code 0)" in page.said()


def test_a_test_is_begun_changed_and_stopped_and_another_one_begins(locust, target: Target):
    with locust("--host", target.url) as page:
        assert page.ask("POST", "/swarm", "user_count=2&spawn_rate=10").json["success"]
        eventually(lambda: page.state() == "running" and target.counts()["requests"] > 5)
        page.ask("POST", "/swarm", "user_count=4&spawn_rate=10")
        eventually(lambda: "gregaria_users 4\n" in page.get("/metrics").body.decode())
        assert page.ask("POST", "/stop").json["success"] and page.state() == "stopped"
        page.ask("POST", "/swarm", "user_count=1&spawn_rate=10")
        eventually(lambda: page.state() == "running")
        assert [run["run"] for run in page.get("/runs").json["runs"]] == [1, 2]
        assert page.get("/timeline?run=1").json["run"] == 1 and page.get("/timeline?run=7").status == 404
        assert page.get("/timeline?run=x").status == 400
        assert page.end() == 0


@pytest.mark.parametrize(("quit_after", "exit_code"), [("0", 0), (None, 0)])
def test_autostart_and_autoquit(locust, target: Target, quit_after, exit_code):
    more = () if quit_after is None else ("--autoquit", quit_after)
    arguments = ("--host", target.url, "--autostart", "-u", "1", "-t", "1s", *more)
    with locust(*arguments) as page:
        if quit_after is None:
            eventually(lambda: "--autoquit not specified, leaving web ui running indefinitely" in page.said())
            assert page.state() == "stopped" and page.end() == exit_code
        else:
            assert page.process.wait(20) == exit_code
            assert "--autoquit time reached, shutting down" in page.said()
    assert "--run-time limit reached, stopping test" in page.said() and "/json" in page.said()


def test_failures_and_checks_decide_the_exit_code(locust, target: Target):
    run = ("--host", target.url, "--autostart", "-u", "1", "-t", "1s", "--autoquit", "0")
    with locust(*run, "--check", "failures > 5") as page:
        assert page.process.wait(20) == 3
    target.respond("/json", status=500)
    with locust(*run) as page:
        assert page.process.wait(20) == 1


def test_a_check_that_is_broken_ends_the_test_and_then_the_process(locust, target: Target):
    target.respond("/json", status=500)
    run = ("--host", target.url, "--autostart", "-u", "1", "-t", "100s", "--autoquit", "0")
    with locust(*run, "--check", "failures < 1 over 2s", "--abort-on-check") as page:
        assert page.process.wait(40) == 3
    assert "; stopping test (--abort-on-check)" in page.said() and "--autoquit time reached" in page.said()


def test_the_first_ctrl_c_ends_the_test_of_a_shape_that_was_started_at_once(locust, target: Target):
    shape = """
from locust import LoadTestShape
class Steady(LoadTestShape):
    def tick(self):
        return 1, 1
"""
    with locust("--host", target.url, "--autostart", locustfile=LOCUSTFILE + shape) as page:
        eventually(lambda: page.state() == "running", 20)
        page.process.send_signal(signal.SIGINT)
        eventually(lambda: "--autoquit not specified, leaving web ui running indefinitely" in page.said(), 20)
        assert page.state() == "stopped" and "Exiting due to CTRL+C interruption" in page.said()
        assert page.end(signal.SIGINT) == 0


def test_every_test_is_judged_by_itself(locust, target: Target):
    with locust("--host", target.url, "--check", "failures < 1") as page:
        target.respond("/json", status=500)
        page.ask("POST", "/swarm", "user_count=1&spawn_rate=10")
        eventually(lambda: page.state() == "running" and target.counts()["requests"] > 3)
        page.ask("POST", "/stop")
        eventually(lambda: "The check failed" in page.said() or "1 of 1 check failed" in page.said())
        target.reset()
        page.ask("POST", "/swarm", "user_count=1&spawn_rate=10")
        eventually(lambda: page.state() == "running" and target.counts()["requests"] > 3)
        page.ask("POST", "/stop")
        eventually(lambda: "The check passed" in page.said())
        assert page.end() == 3


def test_the_stream_says_everything_at_first_and_then_what_is_new(locust, target: Target):
    with locust("--host", target.url, "--autostart", "-u", "1") as page:
        eventually(lambda: page.state() == "running" and target.counts()["requests"] > 5)
        first = dict(events(page, "logs"))
        assert {"state", "stats", "failures", "exceptions", "lag", "knee", "checks", "annotations", "runs"} <= set(
            first
        )
        assert first["state"]["state"] == "running" and first["state"]["run"] == 1 and first["stats"]["whole"]
        row = first["stats"]["rows"][0]
        assert (row["method"], row["name"]) == ("GET", "/json") and row["p95_ms"] > 0 and "waiting" in row["phases_ms"]
        assert set(page.get("/stats/requests").json["stats"][0]) <= set(row)
        connection = page.connection()
        connection.request("GET", "/stream")
        response = connection.getresponse()
        assert page.end() == 0
        assert b"event: bye\n" in response.read()
        connection.close()


def test_pages_of_other_sites_and_unknown_names_are_refused(locust):
    with locust("--web-allowed-host", "load.example.com") as page:
        own = f"http://127.0.0.1:{page.port}"
        assert page.ask("POST", "/stats/reset", Origin=own).status == 200
        assert page.ask("POST", "/stats/reset", Origin="http://evil.example").status == 403
        assert page.ask("POST", "/stop", Sec_Fetch_Site="cross-site").status == 403
        assert page.get("/stats/requests", Origin="http://evil.example").status == 200
        assert page.get("/stats/requests", Host="evil.example").status == 403
        assert b"--web-allowed-host" in page.get("/", Host="evil.example").body
        assert page.get("/stats/requests", Host="load.example.com").status == 200
        assert page.get("/stats/reset").body == b"ok"
        assert page.get("/stats/reset", User_Agent="Mozilla/5.0").status == 405
        for path in ("/", "/logs", "/nowhere"):
            headers = page.get(path).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "'unsafe-inline'" not in page.get("/").headers["Content-Security-Policy"]


def test_whoever_serves_everybody_without_a_login_is_told_so(locust):
    with locust() as page:
        assert "--web-login" in page.said() and "--web-host" in page.said()
    with locust("--web-host", "127.0.0.1") as page:
        assert "--web-login" not in page.said()


def test_tls(locust, tmp_path: Path):
    authority = Authority(tmp_path)
    certificate, key = authority.sign("page", "DNS:localhost")
    context = ssl.create_default_context(cafile=str(authority.pem))
    with locust("--tls-cert", str(certificate), "--tls-key", str(key), context=context) as page:
        assert page.get("/worker-count").json == {"worker_count": 0} and page.get("/").status == 200
    with locust("--tls-cert", str(certificate), "--tls-key", str(tmp_path / "none")) as page:
        assert page.process.wait(20) == 2
        assert "none" in page.said() and "CRITICAL" in page.said()


def test_a_tls_handshake_on_a_plain_port_is_said(locust):
    with locust() as page:
        with socket.create_connection(("127.0.0.1", page.port)) as plain, pytest.raises(OSError):
            ssl._create_unverified_context().wrap_socket(plain)
        eventually(lambda: re.search(r"ERROR/locust.web: .*TLS", page.said()))
        assert page.get("/worker-count").status == 200


def test_everything_is_below_the_base_path(locust):
    with locust("--web-base-path", "/lo") as page:
        assert page.get("/lo/worker-count").status == 200 and page.get("/worker-count").status == 404
        moved = page.get("/lo")
        assert (moved.status, moved.headers["Location"]) == (308, f"http://127.0.0.1:{page.port}/lo/")
        index = page.get("/lo/").body.decode()
        asset = re.search(r"assets/[\w.-]+\.js", index)
        assert asset is not None
        tag = page.get(f"/lo/{asset[0]}").headers["ETag"]
        assert page.get(f"/lo/{asset[0]}", If_None_Match=tag).status == 304
        assert len(page.get(f"/lo/{asset[0]}", Range="bytes=0-9").body) == 10


def test_figures_come_while_python_computes(locust, target: Target):
    with locust("--host", target.url, "--autostart", "-u", "3", "-r", "3", locustfile=COMPUTES) as page:
        eventually(lambda: target.counts()["requests"] > 2, 30)
        before = page.get("/metrics").body
        answers = [page.get(path) for path in ("/stats/requests", "/exceptions", "/logs", "/stats/requests/csv")]
        assert [answer.status for answer in answers] == [200] * 4
        assert b"gregaria_users 3" in before
        page.process.kill()


def test_the_metrics_are_counted(locust, target: Target):
    with locust("--host", target.url, "--autostart", "-u", "1", "-t", "1s") as page:
        eventually(lambda: page.state() == "stopped", 20)
        counted = re.search(
            r'gregaria_requests_total\{method="GET",name="/json"\} (\d+)', page.get("/metrics").body.decode()
        )
        assert counted is not None and int(counted[1]) == target.counts()["by"]["GET /json"]


def test_a_script_has_a_page_too(python_script):
    found = python_script(
        """
        import json, gevent
        from urllib.request import urlopen
        from locust import User, task
        from locust.env import Environment

        class Idle(User):
            @task
            def nothing(self): gevent.sleep(1)

        environment = Environment(user_classes=[Idle])
        page = environment.create_web_ui("127.0.0.1", 0)
        gevent.sleep(0.1)
        ask = lambda: json.load(urlopen(f"http://127.0.0.1:{page.server.server_port}/stats/requests"))["state"]
        states = [ask()]
        environment.create_local_runner().start(1, 1)
        gevent.sleep(2.5)
        states.append(ask())
        environment.runner.quit()
        page.stop()
        print(json.dumps(states))
        """
    )
    assert found.last_line == ["missing", "running"]
