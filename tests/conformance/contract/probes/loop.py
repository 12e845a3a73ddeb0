"""The task loop: what runs next, who waits, who is left."""

from __future__ import annotations

import random

from locust import SequentialTaskSet, TaskSet, User, constant, task
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser

from ..probe import probe


@probe
def picks_by_weight(run, step):
    class U(User):
        @task(3)
        def a(self):
            step("a")

        @task
        def b(self):
            step("b")

        @task(6)
        def c(self):
            step("c", random.random())

    run(U)


@probe
def ends_by_itself(run, say):
    class U(User):
        def on_stop(self):
            say("on_stop")

        @task
        def a(self):
            say("a")
            raise StopUser()

    run(U)


@probe
def raises(run, step):
    class U(User):
        @task
        def a(self):
            step("a")
            raise ValueError("broken")

    run(U, steps=3)


@probe.each(True, False)
def raises_in_a_task_set(value, run, step):
    class U(User):
        wait_time = constant(0)

        @task
        class Set(TaskSet):
            def on_stop(self):
                step("on_stop")

            @task
            def a(self):
                step("a")
                raise ValueError("broken")

    run(U, steps=3, catch_exceptions=value)


@probe.each(RescheduleTask, RescheduleTaskImmediately, StopUser, StopTest, InterruptTaskSet)
def control_in_a_task(value, run, step):
    class U(User):
        def on_stop(self):
            step("user on_stop")

        @task
        class Set(SequentialTaskSet):
            def on_stop(self):
                step("on_stop")

            @task
            def a(self):
                step("a")
                raise value()

            @task
            def b(self):
                step("b")

    run(U, steps=6)
