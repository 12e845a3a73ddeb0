"""Wait times: in every form, on users and task sets, and what `wait` does."""

from __future__ import annotations

import random

import gevent

from locust import (
    SequentialTaskSet,
    TaskSet,
    User,
    between,
    constant,
    task,
)
from locust.exception import MissingWaitTimeError, StopUser
from locust.user.task import DefaultTaskSet

from ..probe import probe


def waits_of(kind, step):
    """`kind` of a task set's `wait`, telling how long it sleeps, and not sleeping so long."""

    def _sleep(self, seconds):
        step("sleep", seconds, self.user._state)
        gevent.sleep(0)

    return _sleep


FORMS = {
    "factory": constant(0.0001),
    "lambda": lambda self: 0.0001,
    "lambda without self": lambda: 0.0001,
    "static": staticmethod(lambda: 0.0001),
    "class method": classmethod(lambda cls: 0.0001),
    "number": 0.0001,
    "zero": 0,
    "none": None,
    "false": False,
    "text": "1",
    "returns text": lambda self: "0",
    "returns none": lambda self: None,
    "returns false": lambda self: False,
    "returns true": lambda self: True,
    "returns an integer": lambda self: 0,
    "returns less than nothing": lambda self: -1,
    "returns a fraction": lambda self: __import__("fractions").Fraction(0, 3),
    "returns a decimal": lambda self: __import__("decimal").Decimal(0),
    "property": property(lambda self: constant(0).__get__(self)),
    "random's": random.random,
    "raises": lambda self: 1 / 0,
    "raises StopUser": lambda self: (_ for _ in ()).throw(StopUser()),
}


@probe.each(*FORMS)
def of_a_user(value, run, step):
    class U(User):
        wait_time = FORMS[value]
        turn = 0

        def on_stop(self):
            step("on_stop")

        @task
        def a(self):
            step("a")
            if value == "random's":
                random.random = lambda: 0.0
            self.turn += 1
            if value == "returns true" or self.turn == 5:
                raise StopUser()

    run(U, steps=8)


@probe.each(*FORMS)
def of_a_task_set(value, run, step):
    class Set(TaskSet):
        wait_time = FORMS[value]
        turn = 0

        def on_stop(self):
            step("on_stop")

        @task
        def a(self):
            step("a")
            self.turn += 1
            if value in ("returns true", "random's") or self.turn == 5:
                raise StopUser()

    run(type("U", (User,), {"tasks": [Set]}), steps=12)


@probe
def of_a_set_inside_a_set(run, step):
    class U(User):
        def wait_time(self):
            step("of the user")
            return 0

        @task
        class Outer(TaskSet):
            def wait_time(self):
                step("of Outer")
                return 0

            @task
            class Inner(TaskSet):
                @task
                def a(self):
                    step("a")
                    self.interrupt(reschedule=False)

    run(U, steps=10)


@probe.each((1, 2), (0, 0), (5, 5), (2, 1), (1, None), (None, 1), ("1", "2"), (0.5, 1.5))
def deprecated_limits(value, run, step):
    minimum, maximum = value

    class U(User):
        wait_time = None
        min_wait = minimum
        max_wait = maximum

        @task
        def a(self):
            step("a")

    run(U, steps=4)


@probe.each("user", "set", "both", "set over a wait time")
def deprecated_limits_of(value, run, step, patch):
    patch(TaskSet, "_sleep", waits_of(TaskSet, step))

    class Set(TaskSet):
        if value != "user":
            min_wait, max_wait = 100, 200

        @task
        def a(self):
            step("a", self.min_wait, self.max_wait)

    class U(User):
        tasks = [Set]
        if value != "set over a wait time":
            wait_time = None
        if value in ("user", "both"):
            min_wait, max_wait = 1000, 1000

    run(U, steps=8)


@probe
def wait_function_is_kept_and_not_called(run, step):
    class U(User):
        wait_time = None

        def wait_function(self):
            step("never")

        @task
        class Set(TaskSet):
            @task
            def a(self):
                step("a", self.wait_function is not None)

    run(U, steps=4)


@probe
def nothing_to_wait_by(environment, say):
    class U(User):
        wait_time = None

    class Set(TaskSet):
        pass

    for tasks in (Set(U(environment(U))), DefaultTaskSet(U(environment(U)))):
        try:
            tasks.wait_time()
        except MissingWaitTimeError as error:
            say(str(error))


@probe
def nothing_to_wait_by_while_running(run, step):
    class U(User):
        wait_time = None

        def on_stop(self):
            step("on_stop of the user")

        @task
        class Set(TaskSet):
            def on_stop(self):
                step("on_stop")

            @task
            def a(self):
                step("a")

    run(U, steps=9)


@probe
def changed_while_running(run, step, patch):
    patch(TaskSet, "_sleep", waits_of(TaskSet, step))

    class U(User):
        wait_time = constant(1)

        @task
        def a(self):
            step("a")
            self.wait_time = lambda: 2

        @task
        def b(self):
            step("b")
            U.wait_time = constant(3)

    run(U, steps=14)


@probe
def changed_on_a_set_while_it_runs(run, step):
    class U(User):
        @task
        class Set(TaskSet):
            turn = 0

            @task
            def a(self):
                self.turn += 1
                step("a")
                if self.turn == 2:
                    self.wait_time = lambda: step("on the instance") or 0
                if self.turn == 4:
                    del self.wait_time
                    type(self).wait_time = lambda self: step("on the class") or 0

    run(U, steps=12)


@probe
def slept(run, step, patch):
    patch(TaskSet, "_sleep", waits_of(TaskSet, step))

    class U(User):
        wait_time = between(1, 100)

        @task
        def a(self):
            step("a")

        @task
        class Set(SequentialTaskSet):
            wait_time = constant(7)

            @task
            def b(self):
                step("b")

            @task
            def c(self):
                step("c")
                self.interrupt()

    run(U, steps=25)


@probe
def state_at_every_turn(run, step):
    class U(User):
        def wait_time(self):
            step("wait_time", self._state)
            return 0.0001

        def on_start(self):
            step("on_start", self._state)

        def on_stop(self):
            step("on_stop", self._state)

        @task
        def a(self):
            step("a", self._state)
            gevent.spawn(lambda: step("meanwhile", self._state)).join()

    run(U, steps=8)


@probe.each("user", "set", "user's own set")
def wait_called_in_a_task(value, run, step, patch):
    patch(TaskSet, "_sleep", waits_of(TaskSet, step))

    class U(User):
        wait_time = constant(1)

        @task
        class Set(TaskSet):
            wait_time = constant(2)

            @task
            def a(self):
                step("a", self.user._state)
                {"user": self.user.wait, "set": self.wait, "user's own set": self.user._taskset_instance.wait}[value]()
                step("waited", self.user._state)

    run(U, steps=9)


@probe
def wait_of_a_user_overridden(run, step):
    class U(User):
        def wait(self):
            step("wait")

        @task
        def a(self):
            step("a")
            self.wait()

    run(U, steps=6)


@probe
def wait_before_the_user_runs(environment, say):
    user = User(environment())
    try:
        user.wait()
    except Exception as error:
        say(isinstance(error, Exception))


@probe
def told_to_stop_while_it_waits(run, step, say):
    class U(User):
        def on_stop(self):
            step("on_stop", self._state)

        @task
        class Set(TaskSet):
            def wait_time(self):
                self.user._state = "stopping"
                step("wait_time")
                return 0

            def on_stop(self):
                step("on_stop of the set")

            @task
            def a(self):
                step("a")

    run(U)


@probe.each("a", "wait", "on_start", "on_start of the set")
def told_to_stop_in(value, run, step):
    class U(User):
        wait_time = constant(0)

        def on_start(self):
            step("on_start")
            if value == "on_start":
                self._state = "stopping"

        def on_stop(self):
            step("on_stop", self._state)

        @task
        class Set(TaskSet):
            def on_start(self):
                step("on_start of the set")
                if value == "on_start of the set":
                    self.user._state = "stopping"

            def on_stop(self):
                step("on_stop of the set")

            @task
            def a(self):
                step("a")
                if value == "a":
                    self.user._state = "stopping"
                if value == "wait":
                    self.user._state = "stopping"
                    self.wait()
                step("not stopped yet")

    run(U)


@probe
def zero_waits_let_others_run(run, say):
    turns = []

    class U(User):
        @task
        def a(self):
            turns.append(id(self))
            if turns.count(id(self)) == 5:
                raise StopUser()

    run(U, users=3)
    say(len(turns), sorted(turns[:3]) == sorted(turns[3:6]), len(set(turns[:3])))
