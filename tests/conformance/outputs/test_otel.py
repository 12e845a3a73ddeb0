"""`--otel`: what is reported where its packages are, and what is said where they are not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from ..harness import environment_of

READERS = os.environ.get("GREGARIA_READERS", "")

LOCUSTFILE = """
import logging
from locust import *

class U(HttpUser):
    count = 0
    @task
    def t(self):
        U.count += 1
        self.client.get("/json", name="named")
        self.client.get("/bytes/10")
        self.client.get("/status/404", name=f"missing {U.count}")
        self.environment.events.request.fire(
            request_type="WS", name="untimed", response_time=None, response_length=0, exception=None, context={})
        if U.count == 25:
            logging.warning("said in a task")
            self.environment.runner.quit()
"""


@pytest.mark.skipif(find_spec("opentelemetry") is not None, reason="the packages are installed here")
def test_without_the_packages_that_is_said_and_the_run_goes_on(both):
    text = "from locust import *\nclass U(User):\n    @task\n    def t(self): self.environment.runner.quit()\n"
    pair = both(text, "--otel", "--only-summary")
    assert pair.ours.exit_code == pair.theirs.exit_code == 0
    for run, package in ((pair.theirs, "locust"), (pair.ours, "gregaria")):
        says = "OpenTelemetry SDK is not installed, opentelemetry not enabled. Run 'pip install "
        assert f"ERROR/locust.opentelemetry: {says}{package}[otel]'" in run.stderr
        assert "OpenTelemetry enabled" not in run.stderr


@pytest.fixture(scope="module")
def reported(sides, tmp_path_factory):
    """A run that reports to its own standard output: exit code, what was printed, log."""
    if not READERS:
        pytest.skip("GREGARIA_READERS does not name a folder with the packages")
    ours, folder = sides[0], tmp_path_factory.mktemp("otel")
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    environment = environment_of(ours, folder)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [environment.get("PYTHONPATH"), READERS]))
    for signal in ("TRACES", "METRICS", "LOGS"):
        environment[f"OTEL_{signal}_EXPORTER"] = "console" if signal != "LOGS" else "console, nonsense"
    command = [sys.executable, "-m", "locust", "--headless", "-H", ours.target.host, "--otel", "--only-summary"]
    return subprocess.run(
        [*command, "--profile", "of a test"], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def documents(text):
    """The JSON objects of a text that may have other lines between them."""
    decoder, found, place = json.JSONDecoder(), [], text.find("{")
    while place >= 0:
        try:
            document, place = decoder.raw_decode(text, place)
            found.append(document)
        except ValueError:
            place += 1
        place = text.find("{", place)
    return found


def test_the_log_says_so(reported):
    assert reported.returncode == 1, reported.stderr
    assert ", OpenTelemetry enabled" in reported.stderr
    assert "Unknown logs exporter 'nonsense'. Ignored" in reported.stderr


def test_a_span_for_each_request(reported):
    spans = [document for document in documents(reported.stdout) if "parent_id" in document]
    names = [span["name"] for span in spans]
    assert names.count("GET named") == 25 and names.count("GET /bytes/10") == 25
    attributes = spans[0]["resource"]["attributes"]
    assert attributes["service.name"] == "locust" and attributes["profile"] == "of a test"


def test_durations_and_users_are_metrics(reported):
    scopes = [
        scope
        for document in documents(reported.stdout)
        for resource in document.get("resource_metrics", ())
        for scope in resource["scope_metrics"]
        if scope["scope"]["name"] == "locust"
    ]
    metrics = {metric["name"]: metric for metric in scopes[-1]["metrics"]}
    assert metrics["locust.client.duration"]["unit"] == "s" and metrics["locust.users.count"]["unit"] == "{user}"
    counts = {}
    for point in metrics["locust.client.duration"]["data"]["data_points"]:
        key = point["attributes"]["name"], point["attributes"].get("error.type")
        counts[key] = point["count"]
    assert counts["named", None] == counts["/bytes/10", None] == 25
    assert counts["Too many unique request names", "HTTPError"] == 25 - 18
    assert not any(name == "untimed" for name, _ in counts)
