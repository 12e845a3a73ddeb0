"""What ends a user or a task from outside: kills, timeouts, greenlets of its own, the end of the test."""

from __future__ import annotations

import gevent
import greenlet

from locust import TaskSet, User, constant, task
from locust.exception import (
    InterruptTaskSet,
    StopUser,
)

from ..probe import probe


def broken(number):
    raise ValueError("in a greenlet")


@probe.each("spawned", "joined", "linked", "raised by get", "in a pool", "later", "in a thread")
def of_a_greenlet_that_a_task_spawns(value, run, step):
    from threading import Thread

    from gevent.pool import Pool

    class U(User):
        @task
        def a(self):
            step("a")
            match value:
                case "spawned":
                    gevent.spawn(broken, 0)
                    gevent.sleep(0)
                case "joined":
                    gevent.spawn(broken, 0).join()
                case "linked":
                    one = gevent.spawn(broken, 0)
                    one.link_exception(lambda dead: step("linked", type(dead.exception).__name__))
                    one.join()
                    gevent.sleep(0)
                case "raised by get":
                    gevent.spawn(broken, 0).get()
                case "in a pool":
                    Pool(2).map(broken, [0, 0])
                case "later":
                    gevent.spawn_later(0.0001, broken, 0).join()
                case "in a thread":
                    thread = Thread(target=step, args=("thread",))
                    thread.start()
                    thread.join()

    run(U, steps=4)


@probe
def greenlets_of_a_task_outlive_it(run, step):
    class U(User):
        @task
        def a(self):
            step("a")
            gevent.spawn(step, "background").join()
            raise StopUser()

        def on_stop(self):
            step("on_stop")

    run(U)


@probe
def killed_by_itself(run, step):
    class U(User):
        def on_stop(self):
            step("on_stop")

        @task
        def a(self):
            step("a")
            self.greenlet.kill(block=False)
            gevent.sleep(1)
            step("never")

    run(U)


@probe.each("exception", "instance", "GreenletExit", "StopUser")
def killed_with(value, run, step):
    class U(User):
        def on_stop(self):
            step("on_stop")

        @task
        def a(self):
            step("a")
            kind = {
                "exception": ValueError,
                "instance": ValueError("x"),
                "GreenletExit": greenlet.GreenletExit,
                "StopUser": StopUser,
            }[value]
            gevent.spawn(self.greenlet.kill, kind, block=False)
            gevent.sleep(1)
            step("never")

    run(U, steps=8)


@probe
def timeout_in_a_task(run, step):
    class U(User):
        @task
        def a(self):
            step("a")
            with gevent.Timeout(0.001, False):
                gevent.sleep(1)
            step("went on")
            with gevent.Timeout(0.001):
                gevent.sleep(1)

    run(U, steps=3)


@probe
def timeout_with_an_exception_of_ones_own(run, step):
    class U(User):
        @task
        def a(self):
            step("a")
            with gevent.Timeout(0.001, ValueError("late")):
                gevent.sleep(1)

    run(U, steps=4)


@probe
def quitting_from_a_task(run, step):
    class U(User):
        def on_stop(self):
            step("on_stop")

        @task
        def a(self):
            step("a")
            self.environment.runner.quit()
            step("after quit")

    run(U)


@probe
def stopping_the_test_from_a_task(run, step):
    class U(User):
        def on_stop(self):
            step("on_stop")

        @task
        def a(self):
            step("a")
            self.environment.runner.stop()
            step("after stop")

    run(U)


@probe
def stopping_the_test_from_a_greenlet_of_a_task(run, step):
    class U(User):
        def on_stop(self):
            step("on_stop")

        @task
        def a(self):
            step("a")
            gevent.spawn(self.environment.runner.quit).join()
            step("never")

    run(U)


@probe.each("BaseException", "SystemExit", "KeyboardInterrupt", "GeneratorExit")
def not_caught_by_anybody(value, run, step):
    import builtins

    class U(User):
        def on_stop(self):
            step("on_stop")

        @task
        class Set(TaskSet):
            def on_stop(self):
                step("on_stop of the set")

            @task
            def a(self):
                step("a")
                raise getattr(builtins, value)("text")

    run(U)


@probe
def interrupt_raised_by_a_task_of_the_user(run, step):
    class U(User):
        wait_time = constant(0)

        def on_stop(self):
            step("on_stop")

        @task
        def a(self):
            step("a")
            raise InterruptTaskSet(reschedule=False)

    run(U)
