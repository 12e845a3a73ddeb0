"""Test functions of pytest as locustfiles, where Locust runs them, too."""

from __future__ import annotations

import pytest

from .harness import same

SUITE = """
import os, time
import gevent
import pytest
from locust import events

@events.spawning_complete.add_listener
def end_soon(**_): gevent.spawn(end)
@events.init.add_listener
def remember(environment, **_): globals()["runner"] = environment.runner
def end():
    # Not `--run-time`, which counts on Locust from before the file was collected.
    time.sleep(0)
    time.sleep(1.5)
    runner.quit()

with open("loaded", "a") as file: file.write("once ")

@pytest.fixture
def api(user=None):
    print("api for", type(user).__name__, user.host == os.environ["TARGET"], flush=True)
    from locust.clients import HttpSession
    with HttpSession(base_url=user.host + "/status", request_event=user.environment.events.request, user=user) as client:
        yield client

def pace(): time.sleep(0.1)

def test_plain(session):
    pace()
    assert session.get("/echo", name="plain").json()["path"] == "/echo"

def test_fast(fastsession):
    pace()
    assert fastsession.get("/echo", name="fast").status_code == 200

def test_own(api):
    pace()
    api.get("/404", name="own")

def test_status(session):
    pace()
    session.get("/status/503", name="status").raise_for_status()
    session.get("/echo", name="never")

def test_fast_status(fastsession):
    pace()
    fastsession.get("/status/410", name="fast status").raise_for_status()
    fastsession.get("/echo", name="never")

def test_judged(session):
    pace()
    with session.get("/status/404", name="judged well", catch_response=True) as response:
        response.success()
    response.raise_for_status()
    with session.get("/echo", name="judged badly", catch_response=True) as response:
        response.failure("not fine")
    response.raise_for_status()
    session.get("/echo", name="never")

def test_judged_fast(fastsession):
    pace()
    with fastsession.get("/echo", name="judged badly, fast", catch_response=True) as response:
        response.failure("not fine")
    response.raise_for_status()
    fastsession.get("/echo", name="never")

def test_cookies(session):
    pace()
    session.get("/cookies/set?visited=yes", name="set", allow_redirects=False)
    assert session.cookies["visited"] == "yes"

class TestOne:
    def test_same(self, session):
        pace()
        session.get("/echo", name="one")

class TestTwo:
    def test_same(self, session):
        pace()
        session.get("/echo", name="two")
"""


def test_every_function_is_a_kind_of_user(both):
    pair = both(SUITE, "-u", "18", "-r", "100", "--only-summary")
    ours = pair.assert_same(but=["counts", "rows", "errors"])
    assert ours.exit_code == 1
    same("rows", set(pair.theirs.rows), set(ours.rows))
    same("errors", {text for _, text in pair.theirs.errors}, {text for _, text in ours.errors})
    failing = ({name for name, (_, failures) in run.rows.items() if failures} for run in (pair.theirs, ours))
    same("failing rows", *failing)
    assert not any(name == "never" for _, name in ours.rows)
    assert ours.printed == ["api for test_own True"] * 2
    assert (ours.folder / "loaded").read_text() == (pair.theirs.folder / "loaded").read_text() == "once "


def test_listed_chosen_and_counted(both):
    assert "    test_same" in both(SUITE, "--list").assert_same().printed
    both(SUITE, "-u", "18", "--show-task-ratio").assert_same()
    chosen = both(SUITE, "test_same", "test_fast", "-u", "4", "-r", "100", "--only-summary").assert_same(
        but=["counts", "rows"]
    )
    assert {name for _, name in chosen.rows} == {"one", "two", "fast", "Aggregated"}
    both(SUITE, "test_nobody").assert_same()


@pytest.mark.parametrize(
    "text",
    [
        "def helper(): pass",
        "def test_a(nobody): pass",
        "def test_a(session): pass\nraise ValueError('broken')",
    ],
)
def test_what_cannot_be_run(both, text):
    pair = both(text, "-t", "1s")
    ours = pair.assert_same(but=["said"])
    assert ours.exit_code == 1
    same("last line", pair.theirs.said[-1], ours.said[-1])


def test_user_classes_go_before_test_functions(both):
    text = (
        "from locust import *\nclass Shopper(HttpUser):\n    @task\n    def t(self): self.client.get('/echo', name='user')\n"
        "    wait_time = constant(0.2)\ndef test_a(session): session.get('/echo', name='test')\n"
    )
    ours = both(text, "-t", "1s", "--only-summary").assert_same(but=["counts", "rows"])
    assert set(ours.rows) == {("GET", "user"), ("", "Aggregated")}


BEYOND = """
import pytest
@pytest.mark.parametrize("number", [1, 2])
def test_each(session, number):
    session.get(f"/echo?{number}", name=f"number {number}")
    assert number == 2
"""


@pytest.mark.xfail(strict=True, reason="Locust takes no parameters, and an assertion ends its user")
def test_parameters_and_assertions(both):
    both(BEYOND, "-t", "1s", "--only-summary").assert_same(but=["counts", "rows", "said"])
