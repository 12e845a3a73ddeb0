"""What a terminal shows: Locust's stream with `--plain`, else a view of the run with Locust's tables at its end."""

from __future__ import annotations

import importlib
import os
import re
import sys
import termios
from concurrent.futures import ThreadPoolExecutor

import pytest

from ..harness import environment_of, same
from ..terminals import terminal

READERS = os.environ.get("GREGARIA_READERS", "")

LOCUSTFILE = """
import logging, sys
import gevent
from locust import *

class U(User):
    wait_time = constant(0.01)
    count = 0
    @task
    def t(self):
        U.count += 1
        fire = self.environment.events.request.fire
        for name in ("/a", "/b"):
            fire(request_type="GET", name=name, response_time=12.5, response_length=1, exception=None, context={})
        if U.count % 10 == 0:
            logging.info("logged %d", U.count)
            print("printed", U.count)
            sys.stderr.write("in two ")
            sys.stderr.write(f"parts {U.count}\\n")
        if U.count == 100:
            gevent.sleep(60)
"""


@pytest.fixture(scope="module")
def pyte():
    if not READERS:
        pytest.skip("GREGARIA_READERS does not name a folder with the readers")
    sys.path.append(READERS)
    try:
        yield importlib.import_module("pyte")
    finally:
        sys.path.remove(READERS)


def command(side, folder, *options):
    folder.mkdir(exist_ok=True)
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    return [side.python, "-m", "locust", "--headless", *options]


def shown(pyte, said, columns, lines=30):
    """Every line that a terminal of this size shows, or had shown before it scrolled away."""
    screen = pyte.HistoryScreen(columns, lines, history=100_000, ratio=0.5)
    pyte.ByteStream(screen).feed(said)
    above = ["".join(row[column].data for column in range(columns)) for row in screen.history.top]
    return [line.rstrip() for line in (*above, *screen.display)]


def has_shown_all(text):
    """Whether the view has come to what is said last. It may be coloured."""
    return re.search(r"parts 100.*Requests.{0,20}[^0-9]200\b.*Generator", text, re.DOTALL)


VIEW = re.compile("Users      |Requests   |Response   |Generator  ")


@pytest.mark.parametrize("columns", [100, 40])
def test_the_view_follows_the_run_and_leaves_what_was_said(sides, pyte, tmp_path, columns):
    ours = sides[0]
    run = command(ours, tmp_path, "-u", "1", "-t", "3")
    with terminal(run, tmp_path, environment_of(ours, tmp_path), columns=columns) as running:
        running.read_until(has_shown_all)
        during = shown(pyte, running.said, columns)
        running.read_to_the_end()
        at_end = shown(pyte, running.said, columns)
        assert running.process.returncode == 0
        assert termios.tcgetattr(running.slave) == running.modes
    view = [line for line in during if VIEW.match(line)]
    assert [line.split()[0] for line in view] == ["Users", "Requests", "Response", "Generator"]
    assert re.search(r"Requests +200\b", view[1]) and "50% 12 ms" in view[2]
    assert not [line for line in at_end if VIEW.match(line)]
    text = "".join(line.ljust(columns) for line in at_end)
    for number in range(10, 101, 10):
        for line in (f"root: logged {number}", f"printed {number}", f"in two parts {number}"):
            assert len(re.findall(rf"{line}(?!\d)", text)) == 1, line
    assert text.count("Response time percentiles") == 1
    # The last thing said is the run in words: broken between words, at the terminal's width, or at 60 columns.
    words = running.said.decode().rstrip().splitlines()[-3:]
    assert max(len(line) for line in words) <= max(columns, 60), words


def test_the_terminal_may_become_narrow_and_wide_again(sides, pyte, tmp_path):
    ours = sides[0]
    run = command(ours, tmp_path, "-u", "1", "-t", "4")
    with terminal(run, tmp_path, environment_of(ours, tmp_path), columns=100) as running:
        for count, columns in ((20, 25), (40, 9), (60, 1), (80, 160)):
            running.read_until(lambda text, count=count: f"logged {count}" in text)
            running.resize(columns, 20)
        running.read_until(has_shown_all)
        running.read_to_the_end()
        assert running.process.returncode == 0
    assert "Traceback" not in running.text() and "panicked" not in running.text()
    assert "Response time percentiles" in running.text()


def test_ctrl_c_takes_the_view_away(sides, pyte, tmp_path):
    ours = sides[0]
    run = command(ours, tmp_path, "-u", "1")
    with terminal(run, tmp_path, environment_of(ours, tmp_path)) as running:
        running.read_until(has_shown_all)
        running.press("\x03")
        running.read_to_the_end()
        assert running.process.returncode == 0
        assert termios.tcgetattr(running.slave) == running.modes
    at_end = shown(pyte, running.said, 100)
    assert not [line for line in at_end if VIEW.match(line)]
    assert sum("Response time percentiles" in line for line in at_end) == 1


@pytest.mark.parametrize(
    ("options", "more"),
    [(["--only-summary"], {}), (["--plain"], {}), ([], {"TERM": "dumb"}), (["--skip-log-setup"], {})],
    ids=["only-summary", "plain", "dumb", "skip-log-setup"],
)
def test_who_wants_no_view_gets_none(sides, tmp_path, options, more):
    ours = sides[0]
    run = command(ours, tmp_path, "-u", "1", "-t", "2", *options)
    with terminal(run, tmp_path, {**environment_of(ours, tmp_path), **more}) as running:
        running.read_to_the_end()
    assert "Users      " not in running.text() and "\x1b" not in running.text()


def test_the_plain_stream_is_locusts_in_a_terminal_too(sides, tmp_path):
    def stream(side):
        folder = tmp_path / side.name
        options = ["--plain"] if side.name == "ours" else []
        run = command(side, folder, "-u", "1", "-t", "3", *options)
        with terminal(run, folder, environment_of(side, folder), columns=120) as running:
            running.read_to_the_end()
        lines = running.text().splitlines()
        return [line for line in lines if re.match(r"Type|----|Response time perc|GET  ", line)]

    with ThreadPoolExecutor() as threads:
        ours, theirs = threads.map(stream, sides)
    layout = [[re.sub(r"[\d.]+", "0", line) for line in lines] for lines in (theirs, ours)]
    with_phases = layout[1]
    ends = (
        with_phases.index(next(line for line in with_phases if "look-up" in line)) if "look-up" in str(ours) else None
    )
    headers = [sorted({re.sub(r" +", " ", line) for line in lines}) for lines in (layout[0], with_phases[:ends])]
    same("lines", *headers)
