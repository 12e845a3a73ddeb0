"""Users that send requests while they run: from every place, through every exit, and on both clients."""

from __future__ import annotations

import gevent
from gevent.pool import Pool

import locust
from locust import SequentialTaskSet, TaskSet, task
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser

from ..probe import probe

BOTH = ("HttpUser", "FastHttpUser")


def kind(name):
    return getattr(locust, name)


@probe.each(*BOTH)
def from_every_place(value, run, step, target):
    class U(kind(value)):
        def on_start(self):
            step("on_start", self.client.get("/json", name="user on_start").status_code)

        def on_stop(self):
            step("on_stop", self.client.get("/json", name="user on_stop").status_code)

        @task
        class Set(SequentialTaskSet):
            def on_start(self):
                step("set on_start", self.client.get("/json", name="set on_start").status_code)

            def on_stop(self):
                step("set on_stop", self.client.get("/json", name="set on_stop").status_code)

            @task
            def a(self):
                step("a", self.client.get("/json", name="a").status_code)

            @task
            def b(self):
                step("b", self.user.client.post("/echo", data="x", name="b").text is not None)
                raise StopUser()

    run(U, host=target)


@probe.each(*BOTH)
def from_greenlets(value, run, say, target):
    class U(kind(value)):
        @task
        def a(self):
            pool = Pool(3)
            responses = pool.map(lambda number: self.client.get(f"/json?{number}", name="pooled"), range(6))
            say([response.status_code for response in responses])
            one = gevent.spawn(self.client.get, "/status/404", name="spawned")
            say(one.get().status_code)
            raise StopUser()

    run(U, host=target)


CONTROL = (InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopUser, StopTest, ValueError, KeyError)


@probe.each(*[f"{client}, {error.__name__}" for client in BOTH for error in CONTROL])
def raised_in_a_block(value, run, step, target):
    client, _, name = value.partition(", ")
    error = {each.__name__: each for each in CONTROL}[name]

    class U(kind(client)):
        def on_stop(self):
            step("on_stop")

        @task
        class Set(TaskSet):
            def on_stop(self):
                step("set on_stop")

            @task
            def a(self):
                step("a")
                with self.client.get("/json", catch_response=True) as response:
                    step(response.status_code)
                    raise error("x")

    run(U, host=target, steps=9)


@probe.each(*[f"{client}, {error.__name__}" for client in BOTH for error in CONTROL])
def raised_by_a_listener(value, run, step, target):
    client, _, name = value.partition(", ")
    error = {each.__name__: each for each in CONTROL}[name]

    class U(kind(client)):
        def on_stop(self):
            step("on_stop")

        @task
        class Set(TaskSet):
            def on_stop(self):
                step("set on_stop")

            @task
            def a(self):
                step("a")
                step(self.client.get("/json").status_code)

    def listen(env):
        def on_request(name, **others):
            step("request", name)
            raise error("x")

        env.events.request.add_listener(on_request)

    run(U, host=target, steps=9, before=listen)


@probe.each(*BOTH)
def leaving_from_inside(value, run, step, target):
    class U(kind(value)):
        @task
        class Set(TaskSet):
            @task
            def a(self):
                with self.client.get("/status/500", catch_response=True) as response:
                    response.success()
                    step("a", response.status_code)
                    self.interrupt(reschedule=False)

            def on_stop(self):
                step("set on_stop")

    run(U, host=target, steps=8)


@probe.each(*BOTH)
def killed_in_a_request(value, run, step, say, target):
    """What is under way when the test ends is not counted."""

    class U(kind(value)):
        def on_stop(self):
            step("on_stop", self.client.get("/json", name="last").status_code)

        @task
        def a(self):
            self.client.get("/json", name="before")
            gevent.spawn_later(0.05, self.environment.runner.quit)
            try:
                self.client.get("/delay?ms=5000", name="cut off")
            finally:
                say("finally")

    run(U, host=target)


@probe.each(*BOTH)
def finished_before_the_stop(value, run, say, target):
    class U(kind(value)):
        def on_stop(self):
            say("on_stop")

        @task
        def a(self):
            gevent.spawn(self.environment.runner.quit)
            say(self.client.get("/delay?ms=50", name="slow").status_code)

    run(U, host=target, stop_timeout=8)


@probe.each(*BOTH)
def timeout_of_the_locustfile(value, run, step, target):
    class U(kind(value)):
        @task
        def a(self):
            with gevent.Timeout(0.05, False):
                self.client.get("/delay?ms=5000", name="given up")
            step("given up")
            step(self.client.get("/json", name="next").status_code)

    run(U, host=target, steps=4)


@probe.each(*BOTH)
def context_of_a_user(value, run, step, target):
    class U(kind(value)):
        def context(self):
            return {"user": type(self).__name__}

        @task
        def a(self):
            self.client.get("/json", context={"own": 1}, name="a")
            step("a")

    def listen(env):
        env.events.request.add_listener(lambda context, **others: step(context))

    run(U, host=target, steps=4, before=listen)


@probe.each(*BOTH)
def several_users(value, run, say, target):
    class U(kind(value)):
        turn = 0

        @task
        def a(self):
            self.turn += 1
            self.client.get(f"/json?{self.turn}", name="a")
            if self.turn == 5:
                raise StopUser()

    env = run(U, users=4, host=target)
    say(env.stats.total.num_requests, env.stats.total.num_failures, env.stats.get("a", "GET").num_requests)


@probe.each(*BOTH)
def failures_and_exceptions_are_two_things(value, run, step, say, target):
    class U(kind(value)):
        @task
        def a(self):
            step(self.client.get("/status/500", name="failed").status_code)
            raise ValueError("broken")

    env = run(U, host=target, steps=4)
    say(env.stats.total.num_failures, [entry["count"] for entry in env.runner.exceptions.values()])


@probe.each(*BOTH)
def raise_for_status_in_a_task(value, run, step, target):
    class U(kind(value)):
        @task
        def a(self):
            response = self.client.get("/status/404", name="a")
            step("a")
            response.raise_for_status()

    run(U, host=target, steps=2)


@probe.each(*BOTH)
def server_that_is_not_there(value, run, step):
    class U(kind(value)):
        host = "http://127.0.0.1:1"

        @task
        def a(self):
            response = self.client.get("/", name="refused")
            step(response.status_code, bool(response.content))

    run(U, steps=2)


@probe.each(*BOTH)
def session_of_each_user(value, run, say, target):
    seen = []

    class U(kind(value)):
        @task
        def a(self):
            seen.append(self.client)
            self.client.get("/cookies/set?name=value", name="set")
            say(self.client.get("/cookies", name="cookies").status_code)
            raise StopUser()

    run(U, users=2, host=target)
    say(len({id(client) for client in seen}))


@probe.each(*BOTH)
def client_replaced(value, run, step, target):
    class Client:
        def get(self, path):
            step("get", path)

    class U(kind(value)):
        def __init__(self, environment):
            super().__init__(environment)
            self.client = Client()

        @task
        def a(self):
            self.client.get("/a")

        @task
        class Set(TaskSet):
            @task
            def b(self):
                self.client.get("/b")
                self.interrupt()

    run(U, host=target, steps=6)


@probe.each(*BOTH)
def reset_of_statistics(value, run, step, say, target):
    class U(kind(value)):
        @task
        def a(self):
            self.client.get("/json", name="a")
            step("a", self.environment.stats.total.num_requests)
            if self.environment.stats.total.num_requests == 3:
                self.environment.stats.reset_all()

    run(U, host=target, steps=5)
