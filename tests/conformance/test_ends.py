"""How runs end: who is told in which order, what is stopped, what the statistics say then, and the exit code."""

from __future__ import annotations

import pytest

from .harness import same

PREAMBLE = """
import os, signal, sys, time
import gevent
from locust import *
from locust.exception import *

HOW = os.environ.get("HOW", "")

def say(*words):
    print(*words, flush=True)

def told(name):
    def listener(environment=None, **kwargs):
        state = environment.runner.state if environment is not None and environment.runner else None
        say("event", name, state, sorted(kwargs))
    getattr(events, name).add_listener(listener)

for name in ("init", "test_start", "spawning_complete", "test_stopping", "test_stop", "quitting", "quit"):
    told(name)
"""

LIVES = (
    PREAMBLE
    + """
class U(HttpUser):
    wait_time = constant(30)
    def on_start(self):
        say("on_start")
        self.client.get("/json")
    def on_stop(self):
        say("on_stop")
        self.client.get("/json", name="on_stop")
    @task
    class Set(TaskSet):
        def on_stop(self): say("set on_stop")
        @task
        def t(self):
            self.client.get("/json")
            gevent.spawn_later(0.2, end, self.user.environment)

ended = []
def end(environment):
    if ended: return
    ended.append(True)
    if HOW.startswith("SIG"): say("signal", HOW)
    elif HOW == "quit": environment.runner.quit()
"""
)


@pytest.mark.parametrize("how", ["run time", "SIGINT", "SIGTERM", "quit"])
def test_order_of_the_end(both, how):
    options = ["-t", "2s"] if how == "run time" else []
    ours = both(LIVES, "--only-summary", "-u", "2", "-r", "10", *options, environment={"HOW": how}).assert_same()
    assert ours.exit_code == 0
    assert ours.counts == {"GET /json": 6}


IN_FLIGHT = (
    PREAMBLE
    + """
class U(HttpUser):
    def on_stop(self): say("on_stop")
    @task
    def t(self):
        if not U.begun:
            U.begun = True
            gevent.spawn_later(0.3, say, "signal SIGTERM")
        try:
            self.client.get("/delay?ms=2000", name="slow")
            say("answered")
        finally:
            say("finally")
    begun = False
"""
)


@pytest.mark.parametrize(
    ("stop_timeout", "answered"), [(None, False), ("0", False), ("1", False), ("10", True), ("1m", True)]
)
def test_requests_that_are_under_way(both, stop_timeout, answered):
    options = ["-s", stop_timeout] if stop_timeout else []
    ours = both(IN_FLIGHT, "--only-summary", "-u", "3", "-r", "10", *options).assert_same(but=["errors"])
    assert ("answered" in ours.printed) is answered
    assert ours.counts == {"GET /delay": 3}
    assert ours.rows["", "Aggregated"] == ((3, 0) if answered else (0, 0))


PACED = """
from locust import *
class U(HttpUser):
    wait_time = constant_pacing(1)
    @task
    def t(self): self.client.get("/json")
"""


def test_users_that_wake_as_the_test_ends_send_nothing_uncounted(both):
    ours = both(PACED, "--only-summary", "-u", "40", "-r", "40", "-t", "2s", "-s", "5").assert_same(
        but=["counts", "rows"]
    )
    assert ours.rows["GET", "/json"] == (ours.counts["GET /json"], 0)


EVERYBODY = """
import gevent
from locust import *
class U(HttpUser):
    @task
    def t(self):
        self.client.get("/json")
        gevent.sleep(0.5)
        self.environment.runner.quit()
"""


@pytest.mark.parametrize("options", [[], ["-s", "50"]])
def test_every_user_quits(both, options):
    # Locust complains that its users were stopped by each other.
    ours = both(EVERYBODY, "--only-summary", "-u", "5", "-r", "10", *options).assert_same(but=["said"])
    assert ours.counts == {"GET /json": 5}
    assert not any("Not all users finished" in line for line in ours.said)


CODES = (
    PREAMBLE
    + """
class U(HttpUser):
    wait_time = constant(0.5)
    @task
    def t(self):
        if HOW == "failed request": self.client.get("/status/500")
        elif HOW == "exception": gevent.spawn_later(0.1, self.environment.runner.quit); raise ValueError("broken")
        elif HOW == "failed but judged well":
            with self.client.get("/status/500", catch_response=True) as response: response.success()
        else: self.client.get("/json")
        if HOW != "exception": self.environment.runner.quit()

@events.request.add_listener
def on_request(**kwargs):
    if HOW == "request listener": raise RuntimeError("broken listener")

@events.test_stop.add_listener
def on_test_stop(environment, **kwargs):
    if HOW == "code in test_stop": environment.process_exit_code = 11
    if HOW == "test_stop listener": raise RuntimeError("broken listener")

@events.quitting.add_listener
def on_quitting(environment, **kwargs):
    if HOW == "code in quitting": environment.process_exit_code = 12
    if HOW == "code zero": environment.process_exit_code = 0
    if environment.stats.total.fail_ratio > 0.01: say("too many failures")
"""
)


@pytest.mark.parametrize(
    ("how", "options", "exit_code"),
    [
        ("", [], 0),
        ("failed request", [], 1),
        ("failed request", ["--exit-code-on-error", "0"], 0),
        ("failed request", ["--exit-code-on-error", "17"], 17),
        ("exception", ["--exit-code-on-error", "17"], 17),
        ("failed but judged well", [], 0),
        ("request listener", [], 2),
        ("test_stop listener", [], 2),
        ("code in test_stop", [], 11),
        ("code in quitting", [], 12),
    ],
)
def test_exit_codes(both, how, options, exit_code):
    # The traceback of a task's exception is compared elsewhere.
    but = ["said"] if how == "exception" else []
    assert both(CODES, "--only-summary", *options, environment={"HOW": how}).assert_same(but=but).exit_code == exit_code


STATISTICS = (
    PREAMBLE
    + """
class U(HttpUser):
    count = 0
    @task
    def t(self):
        U.count += 1
        self.client.get("/delay?ms=30", name="/slow")
        self.client.post("/json", name="/post")
        self.client.get("/status/404" if U.count % 2 else "/status/503", name="/failing")
        self.client.get(f"/bytes/{U.count}", name="/bytes")
        if U.count == 20: self.environment.runner.quit()

def show(environment, **kwargs):
    stats = environment.stats
    total = stats.total
    say("total", total.num_requests, total.num_failures, total.fail_ratio, total.name, total.method)
    say(total.avg_response_time > 0, total.median_response_time >= 0, total.max_response_time >= 30)
    say(total.min_response_time < 30, total.total_rps > 0, total.current_rps >= 0, total.total_content_length)
    say(round(total.avg_content_length, 6), total.use_response_times_cache, total.start_time < total.last_request_timestamp)
    slow = stats.get("/slow", "GET")
    say("slow", slow.num_requests, slow.num_failures, slow.fail_ratio)
    say([28 < slow.get_response_time_percentile(p) < 60 for p in (0, 0.5, 0.95, 0.99, 1)])
    say(29 < slow.avg_response_time < 60, 29 < slow.min_response_time <= slow.median_response_time <= slow.max_response_time)
    say(sum(slow.response_times.values()), sum(slow.num_reqs_per_sec.values()), slow.num_none_requests)
    for key in sorted(stats.entries):
        entry = stats.entries[key]
        say(key, entry.num_requests, entry.num_failures, entry.total_content_length, entry.avg_content_length)
    for error in sorted(stats.errors.values(), key=lambda error: error.to_name()):
        say(error.method, error.name, error.occurrences, error.to_name())
    say(stats.num_requests, stats.num_failures, stats.get("/none", "GET").num_requests, len(stats.serialize_errors()))
    say(sorted(stats.total.to_dict()) if hasattr(stats.total, "to_dict") else None)

events.test_stop.add_listener(show)
events.quitting.add_listener(show)
"""
)


def test_statistics_in_listeners(both):
    ours = both(STATISTICS, "--only-summary").assert_same()
    assert "total 80 20 0.25 Aggregated " in ours.printed


ERRORS = (
    PREAMBLE
    + """
class U(HttpUser):
    @task
    def t(self):
        self.client.get("/status/404", name="by status")
        with self.client.get("/json", name="by text", catch_response=True) as response: response.failure("not this")
        with self.client.get("/json", name="by class", catch_response=True) as response: response.failure(KeyError("a"))
        self.environment.runner.quit()

@events.quitting.add_listener
def show(environment, **kwargs):
    for key, error in sorted(environment.stats.errors.items()):
        say(len(key), error.method, error.name, error.occurrences, type(error.error).__name__, error.error)
"""
)


def test_errors_in_listeners(both):
    both(ERRORS, "--only-summary").assert_same()


RESET = (
    PREAMBLE
    + """
class U(HttpUser):
    wait_time = constant(0.1)
    def on_start(self): self.client.get("/json", name="on_start")
    @task
    def t(self): self.client.get("/json", name="task")

@events.spawning_complete.add_listener
def later(**kwargs):
    gevent.spawn_later(1, say, "signal SIGTERM")
"""
)


def test_reset_stats(both):
    # The first user's `on_start` comes before the end of the ramp, the others' may come after it.
    pair = both(RESET, "--only-summary", "--reset-stats", "-u", "3", "-r", "1")
    ours = pair.assert_same(but=["counts", "rows"])
    assert set(ours.rows) == set(pair.theirs.rows)
    assert ours.rows["GET", "on_start"][0] < 3


SHAPES = {
    "stages": """
class Shape(LoadTestShape):
    stages = [{"duration": 1.5, "users": 2, "spawn_rate": 2}, {"duration": 2.5, "users": 4, "spawn_rate": 4}]
    def tick(self):
        for stage in self.stages:
            if self.get_run_time() < stage["duration"]:
                return stage["users"], stage["spawn_rate"]
        return None
""",
    "classes": """
class Shape(LoadTestShape):
    def tick(self):
        if self.get_run_time() < 1.5: return 2, 10, [U]
        if self.get_run_time() < 2.5: return 4, 10, [V]
""",
    "down": """
class Shape(LoadTestShape):
    def tick(self):
        if self.get_run_time() < 1.5: return 4, 10
        if self.get_run_time() < 2.5: return 1, 10
""",
    "own constructor": """
class Shape(LoadTestShape):
    def __init__(self):
        super().__init__()
        self.left = [(1, 1), (1, 1), None]
    def tick(self): return self.left.pop(0)
""",
    "common options": """
class Shape(LoadTestShape):
    use_common_options = True
    def tick(self):
        options = self.runner.environment.parsed_options
        say(options.num_users, options.spawn_rate, options.run_time)
        return (options.num_users, options.spawn_rate) if self.get_run_time() < 1 else None
""",
    "at its end": """
class Shape(LoadTestShape):
    def tick(self): return None
""",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(both, shape):
    text = PREAMBLE + SHAPES[shape]
    text += """
class U(User):
    wait_time = constant(30)
    def on_start(self): say("on_start", type(self).__name__)
    def on_stop(self): say("on_stop", type(self).__name__)
    @task
    def t(self): pass
class V(U): pass
"""
    options = ["-u", "3", "-r", "5"] if shape == "common options" else []
    pair = both(text, "--only-summary", *options)
    # In which order users of one step are stopped is left open.
    ours = pair.assert_same(but=["printed"])
    same("printed", sorted(pair.theirs.printed), sorted(ours.printed))
    assert ours.exit_code == 0


def test_a_shape_ignores_the_options_and_says_so(both):
    text = PREAMBLE + SHAPES["at its end"] + "\nclass U(User):\n    @task\n    def t(self): pass\n"
    pair = both(text, "--only-summary", "-u", "5", "-r", "2", "-t", "9s")
    for run in (pair.assert_same(but=["said"]), pair.theirs):
        warnings = [line for line in run.said if line.startswith("WARNING")]
        assert "--run-time, --users or --spawn-rate have no impact on LoadShapes" in warnings[0]
        assert warnings[1].endswith("The following option(s) will be ignored: --users, --spawn-rate, --run-time")
