"""Programs that use Locust as a library: those in `locustfiles/library/`, and what they do to a process."""

from __future__ import annotations

import re

import pytest

from .harness import LOCUSTFILES, same
from .test_examples import _without_numbers

LIBRARY = LOCUSTFILES / "library"


def _assert_same(pair, *, but=("printed",)):
    ours = pair.assert_same(but=["counts", "rows", *but])
    assert ours.exit_code == 0
    same("rows", set(pair.theirs.rows), set(ours.rows))
    same("kinds of requests", _without_numbers(pair.theirs.counts), _without_numbers(ours.counts))
    return ours


def test_a_test_is_run_and_its_statistics_are_printed_and_written(both):
    pair = both.script(LIBRARY / "run_a_test.py", lambda side: [side.target.host])
    ours = _assert_same(pair, but=())
    assert sum(ours.counts.values()) == ours.rows["", "Aggregated"][0] > 30
    for kind in ("stats", "failures", "exceptions", "stats_history"):
        (ours_columns, ours_rows), (their_columns, their_rows) = ours.csv(kind), pair.theirs.csv(kind)
        same(kind, their_columns, ours_columns)
        same(kind, {row.get("Name") for row in their_rows}, {row.get("Name") for row in ours_rows})
    assert int(ours.csv("stats")[1][-1]["Request Count"]) == ours.rows["", "Aggregated"][0]


@pytest.mark.parametrize("name", ["follow_a_shape", "users_by_hand", "serve_a_page"])
def test_a_program(both, name):
    pair = both.script(LIBRARY / f"{name}.py", lambda side: [side.target.host])
    assert len(_assert_same(pair, but=()).printed) >= 1


def test_two_tests_in_one_process(both):
    pair = both.script(LIBRARY / "two_tests_at_once.py", lambda side: [side.target.host, side.target.host])
    assert len(_assert_same(pair, but=()).printed) == 6


ELSEWHERE = """
import os, sys, threading, warnings

# Python's, from 3.12 on; Locust has no threads beside these.
warnings.filterwarnings("ignore", "This process .* is multi-threaded, use of fork")

if sys.argv[2] == "unpatched":
    os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"

import gevent
from locust import HttpUser, constant, task
from locust.env import Environment

class U(HttpUser):
    wait_time = constant(0.05)

    @task
    def t(self):
        self.client.get("/json")
        if self.environment.stats.total.num_requests > 5:
            gevent.spawn(self.environment.runner.quit)

def run():
    environment = Environment(user_classes=[U], host=sys.argv[1])
    runner = environment.create_local_runner()
    runner.start(3, 100)
    runner.greenlet.join()
    total = environment.stats.total
    # At once: threads print at the same time.
    os.write(1, f"{runner.state} {total.num_requests > 5} {total.num_failures}\\n".encode())

def in_threads(count):
    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

in_threads(1)
in_threads(2)
run()
child = os.fork()
run()
if child:
    os.write(1, f"child: {os.waitpid(child, 0)[1]}\\n".encode())
"""


@pytest.mark.parametrize("patched", ["patched", "unpatched"])
def test_threads_and_forks(both, patched):
    pair = both.script(ELSEWHERE, lambda side: [side.target.host, patched])
    assert sorted(_assert_same(pair, but=["printed"]).printed) == ["child: 0", *["stopped True 0"] * 6]


def test_the_program_in_the_documentation(both):
    page = (LOCUSTFILES.parent / "docs" / "library.md").read_text()
    program = page.split("```python\n", 1)[1].split("```", 1)[0]
    program = program.replace('"http://localhost:8080"', "__import__('sys').argv[1]").replace("later(30", "later(6")
    # Which rows the last table has depends on when it was printed.
    ours = both.script(program, lambda side: [side.target.host]).assert_same(but=["counts", "rows"])
    assert ours.printed == ["0.0"]
    assert set(ours.counts) == {"POST /login"}


def test_one_user_in_a_debugger(both):
    pair = both.script(LIBRARY / "debug_one_user.py", lambda side: ["-H", side.target.host])
    pair.assert_same(but=["printed"])
    theirs, ours = (
        # Times differ, and the length of the token that a login brings.
        [re.sub(r"\t\d+ *\t\d+", "\tMS\tLENGTH", line).rstrip() for line in run.printed]
        for run in (pair.theirs, pair.ours)
    )
    same("printed", theirs, ours)
    assert sum(pair.ours.counts.values()) == 3
