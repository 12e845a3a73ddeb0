"""The command line in processes of their own: hosts, help. What is asked without a target is in `cli/`."""

from __future__ import annotations

import re

import pytest

from .harness import same

NO_HOST = """
from locust import *
class U(HttpUser):
    HOST
    @task
    def t(self):
        self.client.get("/x")
        self.environment.runner.quit()
"""


@pytest.mark.parametrize(
    ("setting", "options", "exit_code"),
    [
        ("", [], 0),
        ("host = 'nonsense'", [], 1),
        ("host = 'ftp://127.0.0.1'", [], 1),
        ("host = 'http://127.0.0.1:1'", [], 1),
        ("host = 'http://nothing.invalid'", [], 1),
        ("host = 'http://127.0.0.1:99999'", [], 1),
        ("", ["-H", "nonsense"], 1),
        ("", ["-H", "http://127.0.0.1:1/"], 1),
        ("host = 'http://nothing.invalid'", ["-H", "http://127.0.0.1:1"], 1),
    ],
)
def test_hosts(both, setting, options, exit_code):
    text = NO_HOST.replace("HOST", setting or "pass").replace("wait_time", "")
    text = text.replace("@task", "wait_time = constant(9)\n    @task")
    # A task that raises never comes to `quit()`.
    pair = both(text, "--only-summary", "-t", "3s", *options, host=False)
    ours = pair.assert_same(but=["said"])
    same("said", said(pair.theirs), said(ours))
    assert ours.exit_code == exit_code


def said(run):
    """Log lines only, as tracebacks of tasks are compared elsewhere; a name may take until the end to be looked up."""
    lines = [line for line in run.said if line.split("/")[0] in ("INFO", "WARNING", "ERROR", "CRITICAL")]
    return [line for line in lines if "--run-time limit reached" not in line]


HTTPS = """
import os
from locust import *
class U(HttpUser):
    host = os.environ["TLS_TARGET"]
    @task
    def t(self):
        self.client.get("/json")
        self.client.get("/json", verify=False, name="unverified")
        self.environment.runner.quit()
"""


def test_a_certificate_that_nobody_trusts(both):
    # The words are those of another TLS library, and urllib3's warning of the unverified request is missing.
    pair = both(HTTPS, "--only-summary", host=False)
    ours = pair.assert_same(but=["errors", "said"])
    assert ours.rows["GET", "/json"] == (1, 1)
    assert ours.rows["GET", "unverified"] == (1, 0)
    for run in (pair.theirs, ours):
        assert len(run.errors) == 1
        assert "SSLError" in run.errors[0][1]
        assert "certificate" in run.errors[0][1]


OPTIONS = """
import json
from locust import *
@events.init_command_line_parser.add_listener
def add(parser):
    parser.add_argument("--my-text", type=str, default="none", env_var="MY_TEXT", help="Text")
@events.test_start.add_listener
def show(environment, **kwargs):
    options = vars(environment.parsed_options)
    print(json.dumps(options, sort_keys=True))
class U(User):
    @task
    def t(self): self.environment.runner.quit()
"""


def test_options_of_a_process_of_its_own(both):
    # Many more are asked of forked processes, in `cli/`.
    pair = both(
        OPTIONS,
        *["--config", "my.conf", "--run-time=30s"],
        environment={"LOCUST_SPAWN_RATE": "2", "LOCUST_HOST": "http://variable"},
        files={
            "my.conf": "headless = true\nhost = file\n",
            "pyproject.toml": "[tool.locust]\nmy-text = 'of a table'\nspawn-rate = 9\n",
            "locust.conf": "stop-timeout = 1m\nspawn-rate = 8\nmy-text = of a file\n",
            ".locust.conf": "only-summary\nstop-timeout = 2m\n",
        },
        host=False,
        headless=False,
    )
    pair.assert_same(but=["printed"])
    options, locusts = pair.ours.json_lines()[0], pair.theirs.json_lines()[0]
    same("options", locusts, {name: options.get(name) for name in locusts})
    expected = {
        "spawn_rate": 2.0,
        "host": "http://variable",
        "my_text": "of a table",
        "stop_timeout": 60,
        "run_time": 30,
    }
    assert expected.items() <= options.items()
    assert options["only_summary"] is True


@pytest.mark.parametrize("options", ["--version", "-V", "--help", "-h", "--nonsense --version"])
def test_help_and_version(both, options):
    pair = both(None, *options.split(), headless=False, host=False)
    ours = pair.assert_same(but=["printed"])
    assert ours.exit_code == 0
    theirs = pair.theirs
    if "elp" in options or "-h" in options:
        assert ours.printed[0] == theirs.printed[0]
        assert set(named(theirs)) - {"--skip-log"} <= set(named(ours))
    else:
        assert ours.printed[0].split(" from ")[0].startswith(theirs.printed[0].split(" from ")[0])


def named(run):
    """All long options that the help tells of."""
    found = (re.match(r"\s+(?:-\w(?: <[^>]*>)?, )?(--[a-z-]+)", line) for line in run.printed)
    return sorted(match[1] for match in found if match)
