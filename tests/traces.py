"""Run a small script here and on Locust itself, and compare what it prints.

`GREGARIA_ORACLE` names the Python that has Locust installed. Without it only the expected lines are checked.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from difflib import unified_diff

ORACLE = os.environ.get("GREGARIA_ORACLE")

PREAMBLE = """
import logging, random, sys, time
import gevent
from locust import *
from locust.env import Environment
from locust.exception import *

def say(*words):
    print(*words, flush=True)

def run(*user_classes, users=1, rate=100, seconds=0.25, **settings):
    environment = Environment(user_classes=list(user_classes), **settings)
    for name in ("test_start", "spawning_complete", "test_stopping", "test_stop"):
        getattr(environment.events, name).add_listener(
            lambda name=name, **kwargs: say("event", name, environment.runner.state, environment.runner.user_count)
        )
    environment.events.user_error.add_listener(
        lambda user_instance, exception, tb: say("user_error", type(user_instance).__name__, repr(exception))
    )
    runner = environment.create_local_runner()
    runner.start(users, rate)
    gevent.sleep(seconds)
    runner.quit()
    say("ended", runner.state, runner.user_count, sorted((e["count"], e["msg"]) for e in runner.exceptions.values()))
    return environment
"""


def printed(python: str, script: str) -> list[str]:
    """The lines that `script` prints."""
    environment = {key: value for key, value in os.environ.items() if python == sys.executable or key != "PYTHONPATH"}
    done = subprocess.run(
        [python, "-c", PREAMBLE + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
    return [re.sub(r" at 0x[0-9a-f]+", "", line) for line in done.stdout.splitlines()] or done.stderr.splitlines()


def same(script: str, *expected: str) -> None:
    """`script` prints these lines, here and on Locust."""
    lines = printed(sys.executable, script)
    if ORACLE:
        _compare(lines, printed(ORACLE, script), "Locust")
    if expected:
        _compare(lines, list(expected), "expected")


def _compare(ours: list[str], theirs: list[str], name: str) -> None:
    difference = "\n".join(unified_diff(theirs, ours, name, "here", lineterm=""))
    assert not difference, difference
