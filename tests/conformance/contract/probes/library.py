"""Locust as a library: what is printed of requests and of task ratios, and users that are run without a runner."""

from __future__ import annotations

import contextlib
import inspect
import io

import locust
import locust.user.inspectuser as inspectuser
from locust import HttpUser, SequentialTaskSet, TaskSet, User, constant, task
from locust.debug import PrintListener
from locust.exception import CatchResponseError, RescheduleTask

from ..probe import probe
from ..running import local, user_class


def printed(code):
    """The lines that are printed meanwhile."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code()
    return [line.rstrip(" \t") for line in out.getvalue().splitlines()]


PLAIN = {
    "request_type": "GET",
    "name": "/",
    "response_time": 12.6,
    "response_length": 3,
    "exception": None,
    "context": {},
}
REQUESTS = {
    "a success": {},
    "a failure": {"exception": ValueError("a\nb")},
    "a judgement": {"exception": CatchResponseError("not good")},
    "a rescheduling": {"exception": RescheduleTask()},
    "a long text": {"exception": ValueError("x" * 600)},
    "no time": {"response_time": None},
    "no name": {"name": None},
    "a long name": {"name": "/" + "n" * 70},
    "a context": {"context": {"user": "me"}},
    "a start": {"start_time": 1.5},
    "no length": {"response_length": None},
}


@probe.each(*REQUESTS)
def a_printed_request(value, say):
    for flags in ({}, {"include_length": True, "include_time": value == "a start", "include_context": True}):
        environment = locust.env.Environment()
        say(printed(lambda: PrintListener(environment, **flags)))  # noqa: B023
        say(printed(lambda: environment.events.request.fire(**PLAIN | REQUESTS[value])))  # noqa: B023


@probe.each("include_length", "include_time", "include_context")
def the_head_of_printed_requests(value, say):
    environment = locust.env.Environment()
    say(printed(lambda: PrintListener(environment, **{value: True})))
    say([bool(part) for part in (getattr(PrintListener(environment, **{value: True}), value),)])


@probe
def the_parameters(say):
    for what in (locust.run_single_user, PrintListener):
        say(
            [(p.name, None if p.default is p.empty else p.default) for p in inspect.signature(what).parameters.values()]
        )


class Nested(TaskSet):
    @task(2)
    def a(self): ...

    @task(1)
    class Deeper(SequentialTaskSet):
        @task
        def b(self): ...

        @task
        def c(self): ...


class First(User):
    weight = 3
    tasks = [Nested]

    @task(3)
    def d(self): ...


class Second(User):
    fixed_count = 2

    @task
    def e(self): ...


class Third(User):
    weight = 1
    tasks = {Nested: 1}


@probe.each(None, 1, 4, 10, 100)
def ratios(value, say):
    classes = [First, Second, Third]
    say(printed(lambda: inspectuser.print_task_ratio(classes, value, False)))
    say(printed(lambda: inspectuser.print_task_ratio(classes, value, True)))
    say(printed(lambda: inspectuser.print_task_ratio_json(classes, value)))


@probe
def ratios_of_users_that_run(say):
    for spawned in ({"First": 3, "Third": 1}, {"First": 0, "Third": 0}, {"First": 1, "Third": 0}):
        for total in (True, False):
            say(inspectuser.get_ratio([First, Third], spawned, total))


@probe.each(True, False)
def ratios_of_one_class(value, say):
    say(printed(lambda: inspectuser.print_task_ratio([Third], 5, value)))
    say(printed(lambda: inspectuser.print_task_ratio([Second], 5, value)))


@probe
def a_user_is_used_as_an_object(say):
    class U(User):
        wait_time = constant(3)

        def on_start(self):
            say("never")

        @task
        def t(self):
            return "result"

    user = U(locust.env.Environment())
    say(user.t(), user.wait_time(), user.environment.runner, user.host, str(user._state))


@probe
def the_client_of_a_user_without_a_runner(target, say):
    class U(HttpUser):
        host = target

    environment = locust.env.Environment(user_classes=[U])
    told = []
    environment.events.request.add_listener(lambda name, exception, **kw: told.append([name, exception]))
    user = U(environment)
    say(user.client.get("/json").status_code, told, environment.stats.total.num_requests)
    environment.create_local_runner()
    user.client.get("/json")
    say(len(told), environment.stats.total.num_requests)
    environment.runner.quit()


@probe
def a_client_whose_environment_gets_a_runner_later(target, say):
    class U(HttpUser):
        host = target

    environment = locust.env.Environment(user_classes=[U])
    user = U(environment)
    user.client.get("/json")
    environment.create_local_runner()
    user.client.get("/json")
    say(environment.stats.total.num_requests)
    environment.stats.clear_all()
    user.client.get("/json")
    user.client.get("/status/500")
    say(environment.stats.total.num_requests, environment.stats.total.num_failures)
    environment.stats = locust.stats.RequestStats()
    user.client.get("/json")
    say(environment.stats.total.num_requests)
    environment.runner.quit()


@probe
def native_requests_and_a_log_request_of_ones_own(target, say):
    class U(HttpUser):
        host = target

    environment = local(U)
    user = U(environment)
    user.client.get("/json")
    real = environment.stats.log_request

    def log_request(method, name, response_time, content_length):
        say(method, name, response_time > 0, content_length)
        real(method, name, response_time, content_length)

    environment.stats.log_request = log_request
    user.client.get("/json")
    user.client.get("/status/500")
    say(environment.stats.total.num_requests, environment.stats.total.num_failures)
    environment.runner.quit()


@probe
def native_requests_and_a_listener_that_comes_and_goes(target, say):
    class U(HttpUser):
        host = target

    environment = local(U)
    user = U(environment)

    def listener(name, **kw):
        say(name, sorted(kw))

    user.client.get("/json")
    environment.events.request.add_listener(listener)
    user.client.get("/json")
    environment.events.request.remove_listener(listener)
    user.client.get("/json")
    handlers = list(environment.events.request._handlers)
    environment.events.request._handlers.clear()
    user.client.get("/json")
    say(len(handlers), environment.stats.total.num_requests)
    environment.runner.quit()


@probe
def logging_is_not_touched(say):
    import logging

    before = list(logging.getLogger().handlers)
    environment = local(user_class())
    environment.runner.quit()
    say(logging.getLogger().handlers == before)
