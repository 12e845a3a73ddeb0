"""`rest` and `rest_` of both users: what becomes of the response, and of what the block raises."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from conftest import Run, Target

PRELUDE = """
import json, sys
import locust
from contextlib import contextmanager
from locust.contrib.fasthttp import FastHttpUser
from locust.env import Environment
from locust.exception import RescheduleTask, StopUser
import gevent

told = []
environment = Environment()

@environment.events.request.add_listener
def listen(name, exception, **others):
    told.append([name, None if exception is None else str(exception)])

class U(getattr(locust, sys.argv[2], None) or FastHttpUser):
    host = sys.argv[1]

user = U(environment)
found = []
"""

Script = Callable[[str], object]


@pytest.fixture(params=["HttpUser", "FastHttpUser"])
def script(request: pytest.FixtureRequest, python_script: Callable[..., Run], target: Target) -> Script:
    def run(code: str) -> object:
        whole = PRELUDE + textwrap.dedent(code) + "\nprint(json.dumps([found, told]))"
        return python_script(whole, target.url, request.param).last_line

    return run


def test_json_is_read_and_asked_for(script: Script) -> None:
    found, told = script(
        """
        mine = {"accept": "x/y"}
        with user.rest("POST", "/echo", json={"a": 1}, headers=mine) as response:
            headers = {name.lower(): value for name, value in response.js["headers"]}
            found += [response.js["body"], headers["content-type"], headers["accept"], mine]
        """
    )
    assert found == ['{"a": 1}', "application/json", "x/y", {"accept": "x/y"}]
    assert told == [["/echo", None]]


def test_what_is_no_json_has_failed(script: Script, target: Target) -> None:
    target.respond("/text", body="x" * 300)
    target.respond("/bad", status=404, body="nothing here")
    found, told = script(
        """
        for path in ("/text", "/bad", "/no-content", "/status/404"):
            with user.rest("GET", path) as response:
                found.append(response.js)
        """
    )
    assert found == [None, None, None, {"status": 404}]
    reason = "error Expecting value: line 1 column 1 (char 0)"
    assert told[:3] == [
        ["/text", f"Could not parse response as JSON. {'x' * 250}, response code 200, {reason}"],
        ["/bad", f"Could not parse response as JSON. nothing here, response code 404, {reason}"],
        ["/no-content", None],
    ]
    assert "404" in told[3][1]


def test_without_a_response_the_error_is_the_failure(script: Script) -> None:
    found, told = script(
        """
        with user.rest("GET", "http://127.0.0.1:1/", name="refused") as response:
            found += [response.js, response.status_code]
        """
    )
    assert found == [None, 0]
    [[name, text]] = told
    assert name == "refused" and "refused" in text


def test_assertions_are_failures_and_end_the_block_alone(script: Script) -> None:
    found, told = script(
        """
        for words in ((), ("said",), ("said,",), (5,)):
            with user.rest("GET", "/json") as response:
                raise AssertionError(*words)
            found.append("went on")
        """
    )
    assert found == ["went on"] * 4
    assert [text for _, text in told] == [
        "Assertion failed",
        "said",
        'said, response was {"message":"Hello, World!","id":1,"ok":true}',
        "5",
    ]


def test_exceptions_are_failures_that_say_where(script: Script) -> None:
    found, told = script(
        """
        for error in (ValueError("broken"), RescheduleTask(), StopUser()):
            with user.rest("GET", "/json") as response:
                raise error
            found.append("went on")
        """
    )
    assert found == ["went on"] * 3
    for (_, text), start in zip(
        told, ["ValueError: broken at ", "RescheduleTask:  at ", "StopUser:  at "], strict=True
    ):
        assert text.startswith(start)
        assert "script.py:" in text and "in <module>. Response was {" in text


def test_who_is_killed_leaves_the_block(script: Script) -> None:
    found, told = script(
        """
        try:
            with user.rest("GET", "/json"):
                raise gevent.GreenletExit
        except gevent.GreenletExit:
            found.append("out")
        """
    )
    assert found == ["out"] and told == []


def test_rest_with_a_time_in_the_query(script: Script) -> None:
    found, told = script(
        """
        for arguments in ({"url": "/echo"}, {"url": "/echo?a=1"}, {"url": "/echo", "name": "mine"}):
            with user.rest_("GET", **arguments) as response:
                found.append(response.js["query"].rpartition("=")[0])
                found.append(response.js["query"].rpartition("=")[2].isdigit())
        """
    )
    assert found == ["_", True, "a=1&_", True, "_", True]
    assert [name for name, _ in told] == ["/echo?_=...", "/echo?a=1&_=...", "mine"]


def test_a_subclass_may_judge_all_its_responses(script: Script) -> None:
    _, told = script(
        """
        class Strict(U):
            @contextmanager
            def rest(self, method, url, **others):
                with super().rest(method, url, **others) as response:
                    if response.js and "message" in response.js:
                        response.failure("a message")
                    yield response

        user = Strict(environment)
        with user.rest("GET", "/json"): pass
        with user.rest_("GET", "/json"): pass
        """
    )
    assert told == [["/json", "a message"], ["/json?_=...", "a message"]]
