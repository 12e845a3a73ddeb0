"""schemathesis asks the page's server whatever its own description allows, and what it does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from test_web_server import locust as locust

FOLDER = os.environ.get("GREGARIA_SCHEMATHESIS", "")

LOCUSTFILE = """
import gevent
from locust import User, constant, task

class Idle(User):
    host = "http://localhost"
    wait_time = constant(1)
    @task
    def nothing(self):
        gevent.sleep(0.1)
        raise ValueError("<b>\\u00e4</b>")
"""

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
)
"""Not that wrong data is refused with 4xx: Locust's API answers 200, and says `"success": false`. Nor that `Allow` has
the GET of old programs: it says what Locust's does."""


@pytest.fixture
def schemathesis() -> str:
    if not FOLDER:
        pytest.skip("GREGARIA_SCHEMATHESIS does not name the folder that it is in")
    return FOLDER


def test_the_server_does_what_it_publishes(locust, schemathesis: str, tmp_path: Path):
    with locust("--web-base-path", "/lo", locustfile=LOCUSTFILE) as page:
        description = page.get("/lo/openapi.json").json
        assert description["servers"] == [{"url": "/lo"}]
        swarm = description["components"]["schemas"]["Swarm"]["properties"]
        swarm["user_count"]["maximum"], swarm["spawn_rate"]["maximum"] = 20, 100  # more would take their time
        described = tmp_path / "openapi.json"
        described.write_text(json.dumps(description))
        start = "from schemathesis.cli import schemathesis; schemathesis()"
        command = [sys.executable, "-c", start, "run", str(described), "--url", f"http://127.0.0.1:{page.port}/lo"]
        command += ["--exclude-path", "/stream", "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"]
        command += ["--max-examples", "15", "--seed", "1", "--max-time", "20", "--no-color"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([schemathesis, os.environ.get("PYTHONPATH", "")])}
        ran = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert page.ask("POST", "/lo/stop").json["success"] and page.end() in (0, 1)
