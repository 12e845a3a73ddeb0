"""Where log lines go, how they look, and what a crash in the background is worth: compared on both sides."""

from __future__ import annotations

import re

import pytest

from ..harness import same

LOCUSTFILE = """
import json, logging, sys
import gevent
from locust import *
from locust import log
from locust.log import get_logs, greenlet_exception_logger, setup_logging

mine = logging.getLogger("mine.own")

@events.test_start.add_listener
def start(**_):
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        mine.log(level, "said at %d, 100%% of it", level)
        logging.getLogger("locust.runners").log(level, "as a runner at %d", level)

@events.quit.add_listener
def show(exit_code, **_):
    kept = get_logs()
    print(json.dumps({"kept": [line for line in kept if "said at" in line or "as a runner" in line],
                      "tables": any("Aggregated" in line for line in kept), "most": len(kept) <= 500}))

class U(User):
    @task
    def t(self):
        gevent.sleep(0.1)
        self.environment.runner.quit()
"""


def lines(text):
    return [line for line in text.splitlines() if re.search("said at|as a runner", line)]


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-L", "DEBUG"],
        ["--loglevel", "warning"],
        ["-L", "CRITICAL"],
        ["--logfile", "deep/run.log"],
        ["--logfile", "run.log", "-L", "ERROR", "--only-summary"],
        ["--skip-log-setup"],
    ],
    ids=" ".join,
)
def test_log_lines_are_written_and_kept_alike(both, options):
    pair = both(LOCUSTFILE, *options)
    same("exit code", pair.theirs.exit_code, pair.ours.exit_code)
    same("kept", *(mask(run.json_lines()[-1]) for run in (pair.theirs, pair.ours)))
    same("said", lines(pair.theirs.stderr), lines(pair.ours.stderr))
    same("tables", *("Aggregated" in run.stderr for run in (pair.theirs, pair.ours)))
    if "--logfile" in options:
        name = options[options.index("--logfile") + 1]
        logs = [(run.folder / name).read_text() for run in (pair.theirs, pair.ours)]
        for log in logs:
            assert re.match(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] [^/.]+/[A-Z]+/\S+: ", log)
        same("log file", *(mask(lines(log)) for log in logs))


def mask(kept):
    if isinstance(kept, list):
        return [re.sub(r"^\[\d{4}-[^]]*\] [^/\s]*/", "", line) for line in kept]
    return {**kept, "kept": mask(kept["kept"])}


@pytest.mark.parametrize(
    ("crash", "worth"),
    [
        ("raise ValueError('gone wrong')", 2),
        ("sys.exit(5)", 5),
        ("raise gevent.GreenletExit()", 0),
    ],
)
def test_a_greenlet_that_dies_is_logged_and_is_an_exit_code(both, crash, worth):
    text = (
        LOCUSTFILE
        + f"""
@events.init.add_listener
def crash(environment, **_):
    def work():
        gevent.sleep(0.05)
        {crash}
    greenlet = gevent.spawn(work)
    greenlet.link_exception(greenlet_exception_logger(logging.getLogger("watched")))
"""
    )
    pair = both(text, "--only-summary")
    assert pair.theirs.exit_code == pair.ours.exit_code == worth
    told = [
        [re.sub("<Greenlet.*", "<Greenlet>", line) for line in run.stderr.splitlines() if "/watched:" in line]
        for run in (pair.theirs, pair.ours)
    ]
    same("told", *told)
    assert bool(told[1]) == bool(worth)


def test_the_last_five_hundred_lines_are_kept(both):
    text = LOCUSTFILE.replace("for level in (", "for level in [30] * 600 + list((").replace("CRITICAL):", "CRITICAL)):")
    pair = both(text, "--only-summary", "--logfile", "log")
    for run in (pair.theirs, pair.ours):
        kept = run.json_lines()[-1]
        assert kept["most"] and 400 < len(kept["kept"]) < 500
