"""What plugins of Locust lean on, without the plugins: `docs/plugins.md` says which were run themselves."""

from __future__ import annotations

import json

from .harness import same

PLUGIN = """
import logging
from functools import wraps
import gevent
from gevent.event import AsyncResult
from locust import events
from locust.exception import StopUser
from locust.user.task import DefaultTaskSet, TaskSet

@events.init_command_line_parser.add_listener
def arguments(parser):
    group = parser.add_argument_group("plugin - checks", "what it is about")
    group.add_argument("--check-fail-ratio", type=float, env_var="PLUGIN_CHECK_FAIL_RATIO", help="ratio")
    group.add_argument("-i", "--iterations", type=int, env_var="PLUGIN_ITERATIONS", default=0)
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--one", action="store_true", env_var="PLUGIN_ONE", default=False)
    either.add_argument("--other", action="store_true", default=False)
    titles = [group.title for group in parser._action_groups]
    print("found", "plugin - checks" in titles, flush=True)

@events.test_start.add_listener
def limit(environment, **_):
    options, runner = environment.parsed_options, environment.runner
    if not options.iterations:
        return
    runner.iterations_started = 0
    def limited(method):
        @wraps(method)
        def wrapped(self, task):
            if runner.iterations_started >= options.iterations:
                if runner.user_count == 1:
                    logging.info("last user")
                    gevent.spawn_later(0.1, runner.quit)
                raise StopUser()
            runner.iterations_started += 1
            method(self, task)
        return wrapped
    TaskSet.execute_task = limited(TaskSet.execute_task)
    DefaultTaskSet.execute_task = limited(DefaultTaskSet.execute_task)

@events.quitting.add_listener
def check(environment, **_):
    wanted = environment.parsed_options.check_fail_ratio
    if wanted is not None:
        if environment.runner.stats.total.fail_ratio > wanted:
            logging.info("CHECK FAILED")
            environment.process_exit_code = 3
        environment.parsed_options.exit_code_on_error = 0

class Distributor:
    def __init__(self, environment, rows):
        self.rows, self.runner, self.results = rows, environment.runner, {}
        self.runner.register_message("ask", lambda environment, msg, **_: gevent.spawn(self.answer, msg.data))
        self.runner.register_message("answer", lambda environment, msg, **_: self.results[msg.data["id"]].set(msg.data))
    def answer(self, asked):
        self.runner.send_message("answer", {"item": next(self.rows), "id": asked["id"]}, client_id=asked["client_id"])
    def __next__(self):
        number = gevent.getcurrent().minimal_ident
        self.results[number] = AsyncResult()
        self.runner.send_message("ask", {"id": number, "client_id": self.runner.client_id})
        return self.results[number].get()["item"]
"""

USERS = """
import itertools
from locust import FastHttpUser, HttpUser, constant, events, task
from locust.contrib.fasthttp import FastHttpSession
from plugin import Distributor

@events.init.add_listener
def prepare(environment, **_):
    global rows
    rows = Distributor(environment, itertools.cycle(["a", "b"]))

class WithResources:
    abstract = True
    def on_start(self):
        self.client.request = self.wrapped(self.client.request)
    def wrapped(self, request):
        def wrapper(*args, more=True, **kwargs):
            response = request(*args, **kwargs)
            if more:
                self.client.request("GET", "/json", name=kwargs.get("name", args[1]) + " resource", more=False)
            return response
        return wrapper

class Plain(WithResources, HttpUser):
    wait_time = constant(0.05)
    fixed_count = 1
    @task
    def t(self):
        self.client.get("/echo", name="plain " + next(rows))
        self.client.post("/echo", data="x", name="alone", more=False)

class Fast(WithResources, FastHttpUser):
    wait_time = constant(0.07)
    fixed_count = 1
    @task
    def t(self):
        self.client.get("/echo", name="fast " + next(rows))
        self.client.put("/status/404", data="x", name="fast alone", more=False)

class Pooled(FastHttpUser):
    wait_time = constant(0.09)
    fixed_count = 1
    def on_start(self):
        self.pool = itertools.cycle([
            FastHttpSession(
                base_url=self.host, request_event=self.environment.events.request, user=self, network_timeout=5.0,
                connection_timeout=5.0, max_redirects=3, max_retries=1, insecure=True, concurrency=2,
            )
            for _ in range(3)
        ])
    @task
    def t(self):
        session = next(self.pool)
        with session.rename_request("pooled"):
            session.get("/echo")
"""


def test_iterations_resources_pools_and_distributed_rows(both):
    pair = both(USERS, "-u", "3", "-r", "10", "-i", "30", "--only-summary", files={"plugin.py": PLUGIN})
    ours = pair.assert_same(but=["counts", "rows", "errors"])
    assert ours.exit_code == 1 and any("last user" in line for line in ours.said)
    same("names", set(pair.theirs.rows), set(ours.rows))
    for run in (pair.theirs, ours):
        tasks = ["plain a", "plain b", "fast a", "fast b", "pooled"]
        assert sum(count for (_, name), (count, _) in run.rows.items() if name in tasks) == 30
        for name in ("plain a", "plain b", "fast a", "fast b"):
            assert run.rows["GET", name] == run.rows["GET", f"{name} resource"]


def test_checks_decide_the_exit_code(both):
    settings = {"PLUGIN_ITERATIONS": "9999", "PLUGIN_ONE": "true"}
    for ratio, code in (("0.01", 3), ("0.9", 0)):
        environment = {**settings, "PLUGIN_CHECK_FAIL_RATIO": ratio}
        pair = both(
            USERS,
            *("-u", "3", "-r", "10", "-t", "2s", "--only-summary"),
            files={"plugin.py": PLUGIN},
            environment=environment,
        )
        ours = pair.assert_same(but=["counts", "rows", "errors"])
        assert ours.exit_code == code


def test_groups_refuse_what_groups_refuse(both):
    pair = both(USERS, "--one", "--other", files={"plugin.py": PLUGIN})
    ours = pair.assert_same()
    assert ours.exit_code == 2


JUDGING = """
import os
from locust import FastHttpUser, HttpUser, TaskSet, constant, events, task
from locust.exception import InterruptTaskSet, RescheduleTask, StopUser
HOW = os.environ["HOW"]
RAISED = {"reschedule": RescheduleTask, "stop": StopUser, "interrupt": InterruptTaskSet}
@events.init.add_listener
def listen(environment, **_):
    def judge(exception, name, **_):
        if exception and HOW in RAISED: raise RAISED[HOW]()
        if exception and HOW == "quit": environment.runner.quit()
    environment.events.request.add_listener(judge)
class Steps(TaskSet):
    rounds = 0
    def on_stop(self): print("set left", flush=True)
    @task
    def t(self):
        self.user.rounds += 1
        if self.user.rounds > 3: raise StopUser()
        self.client.get("/echo", name="before")
        self.client.get("/status/500", name="bad")
        self.client.get("/echo", name="after")
class U(FastHttpUser if os.environ["FAST"] else HttpUser):
    rounds = 0
    wait_time = constant(0.05)
    tasks = [Steps]
    def on_stop(self):
        print("user stops after", self.rounds, flush=True)
        if HOW != "quit":
            self.environment.runner.greenlet.spawn(self.environment.runner.quit)
"""


def test_listeners_that_raise_steer_the_user(both):
    for how in ("reschedule", "stop", "interrupt", "quit"):
        for fast in ("", "1"):
            pair = both(JUDGING, "--only-summary", environment={"HOW": how, "FAST": fast})
            ours = pair.assert_same()
            assert ours.exit_code == 1 and json.dumps(ours.printed).count("user stops") == 1
