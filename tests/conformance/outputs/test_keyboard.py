"""Keys in a terminal, on both sides: who presses them there gets more users and fewer."""

from __future__ import annotations

import os
import re
import termios
from concurrent.futures import ThreadPoolExecutor

import pytest

from ..harness import environment_of, same
from ..terminals import terminal

LOCUSTFILE = """
import gevent
from locust import *

class U(User):
    @task
    def t(self):
        gevent.sleep(600)
"""

STEPS = [("w", 2), ("W", 12), ("s", 11), ("S", 1), ("S", 0)]
"""Keys, and how many users run then."""


def pressed(side, folder):
    folder.mkdir()
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    command = [side.python, "-m", "locust", "--headless", "--only-summary"]
    with terminal(command, folder, environment_of(side, folder), keyboard_only=True) as running:
        running.read_until(lambda text: "All users spawned" in text and in_cbreak(running.slave))
        for keys, users in STEPS:
            before = len(running.said)
            running.press(keys)
            spawned = rf"All users spawned: .* \({users} total users\)"
            running.read_until(lambda text, n=before, spawned=spawned: re.search(spawned, text[n:]))
        running.press("\x03")
        running.read_to_the_end()
        return {
            "exit code": running.process.returncode,
            "as it was": termios.tcgetattr(running.slave) == running.modes,
            "ramps": re.findall(r"runners: (Ramping to .* per second|All users spawned.*)", running.text()),
        }


def in_cbreak(terminal):
    return not termios.tcgetattr(terminal)[3] & (termios.ECHO | termios.ICANON)


def test_keys_change_the_number_of_users(sides, tmp_path):
    with ThreadPoolExecutor() as threads:
        ours, theirs = threads.map(lambda side: pressed(side, tmp_path / side.name), sides)
    same("a run with keys", theirs, ours)
    assert ours["as it was"] and len(ours["ramps"]) == 12


def test_the_terminal_is_as_it_was_whatever_ends_the_process(sides, tmp_path):
    ends = {
        "exit": "import sys; sys.exit(7)",
        "error": "raise SystemExit('a word')",
        "quit": "self.environment.runner.quit()",
    }
    for name, code in ends.items():
        folder = tmp_path / name
        folder.mkdir()
        text = LOCUSTFILE.replace("gevent.sleep(600)", f"gevent.sleep(0.5); {code}")
        (folder / "locustfile.py").write_text(text)
        command = [sides[0].python, "-m", "locust", "--headless", "--only-summary"]
        with terminal(command, folder, environment_of(sides[0], folder), keyboard_only=True) as running:
            running.read_to_the_end()
            assert termios.tcgetattr(running.slave) == running.modes, name


def test_many_keys_at_once_are_all_heard(sides, tmp_path):
    """Locust hears the first, and each further one when the next is pressed."""
    folder = tmp_path / "many"
    folder.mkdir()
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    command = [sides[0].python, "-m", "locust", "--headless", "--only-summary"]
    with terminal(command, folder, environment_of(sides[0], folder), keyboard_only=True) as running:
        running.read_until(lambda text: "All users spawned" in text and in_cbreak(running.slave))
        running.press("x" * 5000 + "w")
        running.read_until(lambda text: "(2 total users)" in text)


@pytest.mark.skipif(not hasattr(os, "tcgetpgrp"), reason="job control is POSIX's")
def test_a_job_in_the_background_leaves_the_terminal_alone(sides, tmp_path):
    """Changing its modes from there would stop the process."""
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE.replace("gevent.sleep(600)", "self.environment.runner.quit()"))
    ours = sides[0]
    run = f"{ours.python} -m locust --headless --only-summary -L DEBUG"
    command = ["sh", "-m", "-c", f"{run} & wait $!; echo ended with $?"]
    with terminal(command, tmp_path, environment_of(ours, tmp_path), keyboard_only=True) as running:
        text = running.read_until(lambda text: "ended with" in text)
    assert "ended with 0" in text
    assert "The terminal belongs to another job" in text
