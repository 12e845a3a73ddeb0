"""A locustfile with types, as somebody writes one who runs `mypy --strict`. It is checked, and not run."""

from __future__ import annotations

import logging
import random
from typing import Any, ClassVar

import gevent
from gevent.pool import Pool

import locust.stats
from locust import (
    FastHttpUser,
    HttpUser,
    LoadTestShape,
    MarkovTaskSet,
    SequentialTaskSet,
    TaskSet,
    User,
    between,
    constant,
    constant_pacing,
    events,
    run_single_user,
    tag,
    task,
    transition,
    transitions,
)
from locust.clients import HttpSession, ResponseContextManager
from locust.contrib.fasthttp import ResponseContextManager as FastContext
from locust.env import Environment
from locust.exception import CatchResponseError, RescheduleTask, StopUser
from locust.runners import STATE_STOPPED, LocalRunner, MasterRunner, WorkerRunner
from locust.stats import RequestStats, StatsEntry, stats_history, stats_printer

locust.stats.PERCENTILES_TO_REPORT = [0.5, 0.95]
locust.stats.CONSOLE_STATS_INTERVAL_SEC = 5


def free(user: User) -> None:
    print(user.environment.host)


class Inner(TaskSet):
    wait_time = between(0.1, 0.2)

    def on_start(self) -> None:
        self.token = "x"

    @task(2)
    def one(self) -> None:
        response: ResponseContextManager = self.client.get("/a", name="a", headers={"X": "y"})
        value: int = response.json()["n"]
        text: str = response.text
        code: int = response.status_code
        print(value, text, code, response.elapsed.total_seconds(), self.user.host, self.parent)
        self.interrupt(reschedule=False)

    @task
    @tag("slow")
    class Deeper(TaskSet):
        @task
        def t(self) -> None:
            self.wait()
            raise RescheduleTask


class Steps(SequentialTaskSet):
    @task
    def first(self) -> None:
        with self.client.post("/p", json={"a": 1}, catch_response=True, timeout=(1, 2.5)) as response:
            if response.status_code != 200:
                response.failure(f"got {response.status_code}")
            elif "x" not in response.text:
                response.failure(CatchResponseError("no x"))
            else:
                response.success()

    @task
    def last(self) -> None:
        self.interrupt()


class Chain(MarkovTaskSet):
    @transition("b")
    def a(self) -> None:
        self.client.get("/")

    @transitions({"a": 1, "b": 2})
    def b(self) -> None: ...


class Base(HttpUser):
    abstract = True
    wait_time = constant(1)
    host = "http://localhost"


class Customer(Base):
    weight = 3
    fixed_count = 0
    tasks = {Inner: 2, Steps: 1, free: 3}
    pool: ClassVar[list[str]] = []

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.number = random.random()

    def on_start(self) -> None:
        self.client.headers.update({"Authorization": "Bearer"})
        self.client.verify = False
        self.client.auth = ("u", "p")

    def on_stop(self) -> None:
        logging.info("bye")

    @task
    def rest_call(self) -> None:
        with self.rest("GET", "/x") as response:
            if response.js and response.js["a"] is None:
                response.failure("null")
        with self.client.rename_request("/x/[id]"):
            self.client.get("/x/1")
        raise StopUser

    @task
    def wrong(self) -> None:
        """What is not right is not let through: these are no words for `Any`."""
        self.client.gett("/")  # type: ignore[attr-defined]
        self.client.get("/", heders={})  # type: ignore[call-arg]
        self.client.get("/").status_code.upper()  # type: ignore[attr-defined]
        self.environment.hots = ""  # type: ignore[attr-defined]


class Fast(FastHttpUser):
    wait_time = constant_pacing(2)
    tasks = [Inner, free]
    network_timeout = 5.0
    concurrency = 20

    @task
    def t(self) -> None:
        response: FastContext = self.client.get("/f")
        print(response.status_code, response.text, response.json(), response.headers["x"])
        with self.client.post("/f", json={}, catch_response=True) as caught:
            caught.failure("no")
        pool = Pool(2)
        pool.spawn(self.client.get, "/p")
        pool.join()
        gevent.sleep(0.1)


class Ramp(LoadTestShape):
    def tick(self) -> tuple[int, float] | None:
        return (10, 1.5) if self.get_run_time() < 60 else None


class Classes(LoadTestShape):
    use_common_options = True

    def tick(self) -> tuple[int, float, list[type[User]]] | None:
        return (10, 1.5, [Customer]) if self.get_run_time() < 60 else None


@events.init.add_listener
def on_init(environment: Environment, **kwargs: Any) -> None:
    if isinstance(environment.runner, MasterRunner | WorkerRunner):
        return
    gevent.spawn(watch, environment)


@events.request.add_listener
def on_request(
    request_type: str, name: str, response_time: float, response_length: int, exception: Exception | None, **kwargs: Any
) -> None:
    print(request_type, name, response_time, response_length, exception)


@events.quitting.add_listener
def _(environment: Environment, **kwargs: Any) -> None:
    total: StatsEntry = environment.stats.total
    if total.fail_ratio > 0.01 or total.avg_response_time > 200 or total.get_response_time_percentile(0.95) > 800:
        environment.process_exit_code = 1


def watch(environment: Environment) -> None:
    runner = environment.runner
    assert runner is not None
    while runner.state != STATE_STOPPED:
        gevent.sleep(1)
        if runner.stats.total.num_failures > 10:
            runner.quit()


def as_library() -> None:
    env = Environment(user_classes=[Customer, Fast], events=events, shape_class=Ramp(), host="http://x")
    runner: LocalRunner = env.create_local_runner()
    env.events.init.fire(environment=env, runner=runner, web_ui=None)
    gevent.spawn(stats_printer(env.stats))
    gevent.spawn(stats_history, runner)
    runner.start(1, spawn_rate=10)
    gevent.spawn_later(60, runner.quit)
    runner.greenlet.join()
    stats: RequestStats = env.stats
    print(stats.get("a", "GET").num_requests, [entry.name for entry in stats.entries.values()])
    session = HttpSession(base_url="http://x", request_event=env.events.request, user=None)
    session.get("/y", name="z")


def wrong_as_library(environment: Environment) -> None:
    between("1", 2)  # type: ignore[arg-type]
    Environment(user_clases=[])  # type: ignore[call-arg]
    environment.events.tset_start.fire()  # type: ignore[attr-defined]
    environment.create_local_runner().start("10", 1)  # type: ignore[arg-type]


if __name__ == "__main__":
    run_single_user(Customer)
