"""The wait functions: their values and arguments, and the pace they keep."""

from __future__ import annotations

import time

import gevent

import locust
from locust import (
    TaskSet,
    User,
    between,
    constant,
    constant_pacing,
    constant_throughput,
    poisson,
    task,
    wait_time,
)
from locust.exception import StopUser

from ..probe import probe


@probe.each("between(1, 9)", "between(3, 3)", "between(9, 1)", "between(-1, -3)", "constant(5)", "constant(0)")
def values(value, environment, say):
    user = User(environment())
    wait = eval(value)
    say([wait(user) for _ in range(5)], [wait(None) for _ in range(2)])


@probe.each("between", "constant", "constant_pacing", "constant_throughput", "poisson")
def arguments(value, say):
    factory = getattr(wait_time, value)
    for given in ((), (1,), (1, 2), (1, 2, 3), ("x",), ("x", "y"), (None,), (0,), (-1,)):
        try:
            wait = factory(*given)
            say(given, callable(wait))
            if value not in ("constant_pacing", "constant_throughput", "poisson"):
                say(wait(None))
        except Exception as error:
            say(given, type(error).__name__)


@probe
def exported(say):
    for name in ("between", "constant", "constant_pacing", "constant_throughput", "poisson"):
        say(name, getattr(locust, name, None) is getattr(wait_time, name))
    say(wait_time.__name__, between.__name__, [each.__name__ for each in (between(1, 2), constant(1))] != [])


@probe
def poisson_draws(say):
    wait = poisson(4)
    say([wait(None) for _ in range(5)])


@probe
def throughput_that_cannot_be(say):
    for factory in (constant_throughput, poisson):
        for rate in (0, -1, 0.0):
            try:
                factory(rate)
                say("taken")
            except Exception as error:
                say(factory.__name__, type(error).__name__)


@probe.each("constant_pacing", "constant_throughput")
def pacing(value, environment, say):
    """The times are computed from clocks that are moved by hand."""
    user = User(environment())
    wait = getattr(wait_time, value)(0.5)
    for took in (0.1, 0.4, 3.0, 0.0):
        user._cp_last_run -= took
        waited = wait(user)
        say(round(waited, 2), round(user._cp_last_wait_time, 2))
        user._cp_last_run -= waited


@probe
def pacing_waits_for_what_is_left(run, say):
    class U(User):
        wait_time = constant_pacing(0.03)
        turn = 0

        @task
        def a(self):
            say(0 <= self._cp_last_wait_time <= 0.03, self._cp_last_run <= time.perf_counter())
            gevent.sleep(0.001)
            self.turn += 1
            if self.turn == 4:
                raise StopUser()

    run(U)


@probe
def pacing_slower_than_the_task(run, say):
    class U(User):
        wait_time = constant_pacing(0.001)
        turn = 0

        @task
        def a(self):
            self.turn += 1
            time.sleep(0.003)
            if self.turn == 4:
                raise StopUser()

        def on_stop(self):
            say(self._cp_last_wait_time)

    run(U)


@probe
def pacing_is_of_whom_it_is_bound_to(run, say):
    class U(User):
        wait_time = constant_pacing(0.002)

        @task
        class Set(TaskSet):
            @task
            def a(self):
                before = self.user._cp_last_run
                self.user.wait_time()
                say(self.user._cp_last_run > before, self._cp_last_wait_time)
                raise StopUser()

    run(U)
