"""What a locustfile does to the page, beyond what Locust has: what it costs, what is missing, what comes in pieces."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace

import pytest

from conformance.harness import Side, Target
from conformance.web.asking import Web, running

SIDE = Side("ours", sys.executable, Target("http://127.0.0.1:9", "https://127.0.0.1:9"))

USER = """
from locust import User, task

class Idler(User):
    @task
    def wait_for_it(self):
        _gevent.sleep(1)
"""


def page_of(locustfile: str, folder: Path, *arguments: str) -> AbstractContextManager[Web]:
    return running(SIDE, SimpleNamespace(LOCUSTFILE=USER + locustfile, ARGUMENTS=arguments), folder)


def test_flask_is_imported_where_it_is_asked_for(tmp_path: Path) -> None:
    with page_of("import sys", tmp_path) as web:
        for path in ("/", "/stats/requests", "/tasks", "/nope", "/login"):
            web.quietly("GET", path)
        assert web.inside("[name for name in ('flask', 'jinja2', 'werkzeug') if name in sys.modules]") == []
        web.inside("web_ui.app")
        assert web.inside("'flask' in sys.modules")
        assert web.quietly("GET", "/nope").status == 404


WITHOUT = """
from locust import User, events, task

class Idler(User):
    @task
    def wait_for_it(self): pass

@events.init.add_listener
def _(web_ui, **_):
    web_ui.app.route("/x")(lambda: "x")
"""


@pytest.mark.parametrize(
    ("locustfile", "arguments", "told"),
    [
        (WITHOUT, [], "`web_ui.app` is a Flask application: `pip install 'gregaria[web]'`"),
        (WITHOUT.partition("@events")[0], ["--web-login"], "`--web-login` needs Flask: `pip install 'gregaria[web]'`"),
    ],
)
def test_where_flask_is_missing_it_is_said(tmp_path: Path, locustfile: str, arguments: list[str], told: str) -> None:
    (tmp_path / "locustfile.py").write_text(locustfile)
    hidden = "import importlib.util, sys\nfor name in ('flask', 'flask_login'): sys.modules[name] = None\n"
    find = (
        "importlib.util.find_spec = lambda name, find=importlib.util.find_spec: None if 'flask' in name else find(name)"
    )
    run = (
        f"{hidden}{find}\nsys.argv = {['locust', '--web-port', '0', *arguments]}\nfrom locust.main import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", run], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert told in done.stderr


PIECES = """
import flask

_sent = []
_go_on = _gevent.event.Event()

@_events.init.add_listener
def _(web_ui, **_):
    @web_ui.app.route("/pieces")
    def pieces():
        def each():
            yield "first;"
            _sent.append(1)
            _go_on.wait(20)
            yield "second;"
            _sent.append(2)
        return flask.Response(each(), mimetype="text/plain")

    @web_ui.app.route("/endless")
    def endless():
        def each():
            try:
                while True:
                    yield "x" * 10_000
                    _gevent.sleep(0.01)
            finally:
                _sent.append("closed")
        return flask.Response(each(), mimetype="text/plain")

    @web_ui.app.route("/breaks")
    def breaks():
        def each():
            yield "first;"
            raise ValueError("midway")
        return flask.Response(each(), mimetype="text/plain")
"""


def test_an_answer_in_pieces_arrives_in_pieces(tmp_path: Path) -> None:
    with page_of(PIECES, tmp_path) as web, web.opened("/pieces") as response:
        assert response.read(6) == b"first;"
        assert web.inside("_sent") == [1]
        web.inside("_go_on.set()")
        assert response.read() == b"second;"


def test_who_leaves_ends_an_answer_without_end(tmp_path: Path) -> None:
    with page_of(PIECES, tmp_path) as web:
        with web.opened("/endless") as response:
            assert response.read(100_000) == b"x" * 100_000
        web.until("'closed' in _sent")


def test_an_answer_that_breaks_off_is_told_and_nobody_else_suffers(tmp_path: Path) -> None:
    with page_of(PIECES, tmp_path) as web:
        with web.opened("/breaks") as response:
            assert response.read(6) == b"first;"
        web.wait(lambda: "ValueError: midway" in (tmp_path / "errors").read_text())
        assert web.quietly("GET", "/worker-count").status == 200


BUSY = """
import time

_burns = []

@_events.init.add_listener
def _(web_ui, **_):
    @web_ui.app.route("/burn")
    def burn():
        _burns.append(1)
        end = time.monotonic() + 2
        while time.monotonic() < end:
            pass
        return "burnt"
"""


def test_a_route_that_keeps_python_busy_keeps_nobody_from_the_figures(tmp_path: Path) -> None:
    with page_of(BUSY, tmp_path) as web, ThreadPoolExecutor() as threads:
        burning = threads.submit(web.quietly, "GET", "/burn")
        asked = 0
        while not burning.done():
            assert web.quietly("GET", "/stats/requests").json["state"] == "ready"
            asked += 1
            time.sleep(0.01)
        assert burning.result().text == "burnt"
        assert asked > 5, "they were answered meanwhile"


OWN_FILES = """
from locust.stats import PERCENTILES_TO_REPORT, StatsCSV

class Own(StatsCSV):
    def requests_csv(self, csv_writer):
        csv_writer.writerow(["mine", "of", len(self.environment.stats.entries)])

@_events.init.add_listener
def _(environment, web_ui, **_):
    ASKED
    web_ui.stats_csv_writer = Own(environment, PERCENTILES_TO_REPORT)
"""


@pytest.mark.parametrize("asked", ["pass", "web_ui.app"])
def test_a_class_of_ones_own_writes_the_files(tmp_path: Path, asked: str) -> None:
    with page_of(OWN_FILES.replace("ASKED", asked), tmp_path) as web:
        answer = web.quietly("GET", "/stats/requests/csv")
        assert answer.text == "mine,of,0\r\n"
        assert answer.headers["Content-Disposition"].endswith("_requests.csv")
        assert web.quietly("GET", "/stats/failures/csv").text.startswith("Method,Name,Error")
        assert web.quietly("GET", "/stats/requests").json["state"] == "ready"
        assert web.quietly("GET", "/metrics").status == 200


PROGRAM = """
from locust import User, task
from locust.env import Environment
import gevent, requests

class Idler(User):
    @task
    def wait_for_it(self): pass

environment = Environment(user_classes=[Idler])
environment.create_local_runner()
web_ui = environment.create_web_ui("127.0.0.1", 0)
while web_ui.server is None:
    gevent.sleep(0.01)
print(requests.get(f"http://127.0.0.1:{web_ui.server.server_port}/").status_code)
"""


def test_a_program_may_have_arguments_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, "--of-mine", "value", "word"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "200\n"), done.stderr


def test_a_note_is_taken_as_a_form_and_as_json(tmp_path: Path) -> None:
    with page_of("", tmp_path) as web:
        taken = {"success": True, "message": "Annotated"}
        assert web.post("/annotate", {"text": "deploy <v2> ü"}).json == taken
        assert web.post_json("/annotate", {"text": "deploy v3"}).json == taken
        for refused in (
            web.post("/annotate"),
            web.post_json("/annotate", {"text": 3}),
            web.post_json("/annotate", [1]),
        ):
            assert (refused.status, refused.json["success"]) == (200, False)
            assert refused.json["message"]


SECRETS = """
@_events.init_command_line_parser.add_listener
def _(parser):
    parser.add_argument("--token-of-mine", default="t0ken")
    parser.add_argument("--pin", type=int, is_secret=True, default=4711)
    parser.add_argument("--unset", is_secret=True)
    parser.add_argument("--open", default="s3en")
"""


def test_a_secret_is_in_no_answer_and_in_no_line_of_the_log(tmp_path: Path) -> None:
    with page_of(SECRETS, tmp_path, "--token-of-mine", "hunter2") as web:
        page = web.quietly("GET", "/")
        told = page.args["extra_options"]
        assert [told[name]["is_set"] for name in ("token_of_mine", "pin", "unset")] == [True, True, False]
        assert {told[name]["default_value"] for name in ("token_of_mine", "pin", "unset")} == {""}
        assert told["open"]["default_value"] == "s3en"
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        refused = web.quietly("POST", "/swarm", "pin=hunter2&user_count=1&spawn_rate=1", form)
        assert (refused.status, refused.text) == (500, "what was given for `pin` is no int")
        web.quietly("POST", "/swarm", "pin=1234567&token_of_mine=hunter2&user_count=0&spawn_rate=1", form)
        assert web.inside("environment.parsed_options.pin") == 1234567
        answers = [web.quietly("GET", path).text for path in ("/", "/logs", "/stats/report", "/tasks", "/exceptions")]
        for text in (page.text, *answers, (tmp_path / "errors").read_text()):
            assert not [secret for secret in ("hunter2", "4711", "1234567", "t0ken") if secret in text]


def test_the_page_takes_nothing_from_elsewhere(tmp_path: Path) -> None:
    with page_of("", tmp_path) as web:
        policy = web.quietly("GET", "/").headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy and "http" not in policy
