"""Leaving task sets: `interrupt()` at every depth, hooks in their order, what `parent` and `user` are."""

from __future__ import annotations

import gevent

from locust import HttpUser, SequentialTaskSet, TaskSet, User, constant, task
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser
from locust.user.task import DefaultTaskSet

from ..probe import probe


def nested(step, bottom, depth=3, kinds=(TaskSet,), places=()):
    """A user with task sets to this depth; `bottom(task_set)` is the innermost task, hooks say that they are called.

    `places` is of the names of hooks, as `on_start 2`, that do `bottom` as well.
    """

    def hook(word, number):
        def do(self):
            step(word, number)
            if f"{word} {number}" in places:
                bottom(self)

        return do

    def work(self):
        step("work")
        bottom(self)

    inner = work
    for number in range(depth, 0, -1):
        body = {"tasks": [inner], "on_start": hook("on_start", number), "on_stop": hook("on_stop", number)}
        inner = type(f"Set{number}", (kinds[number % len(kinds)],), body)

    def wait_time(self):
        step("wait of the user")
        return 0

    body = {"tasks": [inner], "on_start": hook("on_start", 0), "on_stop": hook("on_stop", 0), "wait_time": wait_time}
    return type("U", (User,), body)


@probe.each(0, 1, 2, 3)
def interrupted_at_depth(value, run, step):
    run(nested(step, lambda tasks: tasks.interrupt() if value else None, depth=value), steps=20)


@probe.each(1, 2, 3)
def interrupted_without_rescheduling_at_depth(value, run, step):
    run(nested(step, lambda tasks: tasks.interrupt(reschedule=False), depth=value), steps=20)


@probe.each("True", "False", "None", "0", "''", "'yes'", "[]")
def interrupted_with(value, run, step):
    run(nested(step, lambda tasks: tasks.interrupt(eval(value)), depth=2), steps=12)


@probe.each("on_start 1", "on_start 2", "on_stop 1", "on_stop 2", "on_start 0", "on_stop 0")
def interrupted_in_a_hook(value, run, step):
    def bottom(tasks):
        raise InterruptTaskSet(reschedule=False)

    run(nested(step, bottom, depth=2, places=[value]), steps=14)


CONTROL = (StopUser, StopTest, RescheduleTask, RescheduleTaskImmediately, InterruptTaskSet, gevent.GreenletExit)
ERRORS = (ValueError, KeyboardInterrupt, SystemExit, BaseException, StopIteration, GeneratorExit, gevent.Timeout)


@probe.each(*[kind.__name__ for kind in CONTROL])
def control_in_a_task_at_depth_two(value, run, step):
    def bottom(tasks):
        raise {kind.__name__: kind for kind in CONTROL}[value]("text")

    run(nested(step, bottom, depth=2), steps=12)


@probe.each(*[kind.__name__ for kind in CONTROL])
def control_in_a_task_of_the_user(value, run, step):
    def bottom(tasks):
        raise {kind.__name__: kind for kind in CONTROL}[value]("text")

    run(nested(step, bottom, depth=0), steps=8)


@probe.each(*[kind.__name__ for kind in ERRORS])
def errors_in_a_task_at_depth_two(value, run, step):
    def bottom(tasks):
        raise {kind.__name__: kind for kind in ERRORS}[value]("text" if value != "Timeout" else None)

    run(nested(step, bottom, depth=2), steps=12)


PLACES = ("on_start 0", "on_stop 0", "on_start 1", "on_stop 1", "on_start 2", "on_stop 2")


def raising(kind, place):
    """For `nested`: raise in that hook; the task itself leaves its set."""

    def bottom(tasks):
        if place.startswith("on_stop") and not hasattr(tasks, "left"):
            if isinstance(tasks, User):
                raise kind("text")
            tasks.left = True
            tasks.interrupt()
        raise kind("text")

    return bottom


@probe.each(*[f"{kind.__name__} in {place}" for kind in (*CONTROL, ValueError) for place in PLACES])
def raised(value, run, step):
    name, _, place = value.partition(" in ")
    kind = {each.__name__: each for each in (*CONTROL, ValueError)}[name]
    run(nested(step, raising(kind, place), depth=2, places=[place]), steps=12)


@probe.each(*[f"{kind.__name__} in {place}" for kind in (StopUser, ValueError) for place in PLACES])
def raised_without_catching(value, run, step):
    name, _, place = value.partition(" in ")
    kind = {each.__name__: each for each in (StopUser, ValueError)}[name]
    run(nested(step, raising(kind, place), depth=2, places=[place]), steps=12, catch_exceptions=False)


@probe
def mixed_kinds_of_sets(run, step):
    def bottom(tasks):
        if type(tasks).__name__ == "Set4":
            tasks.interrupt(reschedule=False)

    run(nested(step, bottom, depth=4, kinds=(TaskSet, SequentialTaskSet)), steps=20)


@probe
def who_is_who(run, say):
    class U(User):
        wait_time = constant(0)

        @task
        class Outer(TaskSet):
            @task
            class Inner(TaskSet):
                @task
                class Deep(SequentialTaskSet):
                    @task
                    def look(self):
                        user = self.user
                        say([type(each).__name__ for each in (self, self.parent, self.parent.parent, user)])
                        say(self.parent.parent.parent is user, self.parent.user is user, self._user is user)
                        say(type(user._taskset_instance).__name__, user._taskset_instance.parent is user)
                        say(self.parent._parent is self.parent.parent)
                        raise StopUser()

    run(U)


@probe
def read_only(environment, say):
    class Set(TaskSet):
        pass

    tasks = Set(User(environment()))
    for name in ("user", "parent", "client"):
        try:
            setattr(tasks, name, 5)
            say(name, "set")
        except AttributeError:
            say(name, "AttributeError")
    try:
        tasks.client
    except AttributeError as error:
        say(str(error))


@probe
def client_of_a_set(environment, say):
    class U(HttpUser):
        host = "http://localhost"

    class Set(TaskSet):
        pass

    user = U(environment(U))
    say(Set(user).client is user.client, Set(Set(user)).client is user.client)


@probe
def attributes_of_a_new_set(environment, say):
    class Set(TaskSet):
        pass

    user = User(environment())
    for tasks in (Set(user), Set(Set(user)), DefaultTaskSet(user)):
        say(
            type(tasks).__name__,
            tasks.min_wait,
            tasks.max_wait,
            tasks.wait_function,
            tasks.tasks,
            tasks._cp_last_wait_time,
        )
        say(len(tasks._task_queue), tasks._task_queue == tasks._task_queue, bool(tasks._task_queue))
    try:
        Set()
    except TypeError:
        say("TypeError")


@probe
def left_from_a_helper(run, step):
    def leave(tasks):
        raise InterruptTaskSet()

    class U(User):
        @task
        class Set(TaskSet):
            def on_stop(self):
                step("on_stop")

            @task
            def work(self):
                step("work")
                leave(self)

    run(U, steps=6)


@probe
def interrupt_caught_by_the_task(run, step):
    class U(User):
        @task
        class Set(TaskSet):
            def on_stop(self):
                step("on_stop")

            @task
            def work(self):
                try:
                    self.interrupt()
                except Exception as error:
                    step(type(error).__name__, error.reschedule, error.args)

    run(U, steps=4)


@probe
def finally_runs(run, step):
    class U(User):
        @task
        class Set(TaskSet):
            @task
            def work(self):
                try:
                    step("work")
                    self.interrupt()
                finally:
                    step("finally")

            def on_stop(self):
                step("on_stop")

    run(U, steps=7)


@probe.each("run of a set", "interrupt of the outer set", "interrupt of the user's own set")
def by_other_ways(value, run, step):
    class Other(TaskSet):
        def on_start(self):
            step("on_start of Other", type(self.parent).__name__)

        @task
        def work(self):
            step("work of Other")
            self.interrupt()

    class U(User):
        @task
        class Outer(TaskSet):
            def on_stop(self):
                step("on_stop of Outer")

            @task
            class Inner(TaskSet):
                def on_stop(self):
                    step("on_stop of Inner")

                @task
                def work(self):
                    step("work")
                    if value == "run of a set":
                        try:
                            Other(self).run()
                        except (RescheduleTask, RescheduleTaskImmediately) as error:
                            step(type(error).__name__)
                    elif value == "interrupt of the outer set":
                        self.parent.interrupt()
                    else:
                        self.user._taskset_instance.interrupt()

    run(U, steps=12)


@probe
def killed_in_a_task(run, step):
    class U(User):
        def on_stop(self):
            step("on_stop of the user")

        @task
        class Outer(TaskSet):
            def on_stop(self):
                step("on_stop of Outer")

            @task
            class Inner(TaskSet):
                def on_stop(self):
                    step("on_stop of Inner")
                    gevent.sleep(0.001)
                    step("on_stop of Inner has slept")

                @task
                def work(self):
                    try:
                        step("work")
                    except gevent.GreenletExit:
                        step("GreenletExit")
                        raise
                    finally:
                        step("finally")

    run(U, steps=2)


@probe.each("swallowed", "replaced", "returned from")
def kill_that_a_task(value, run, step):
    class U(User):
        wait_time = constant(0.001)

        def on_stop(self):
            step("on_stop")

        @task
        def work(self):
            if getattr(self, "killed", False):
                step("work after the kill")
                raise StopUser()
            try:
                step("work")
            except gevent.GreenletExit:
                self.killed = True
                if value == "replaced":
                    raise ValueError("instead") from None
                if value == "returned from":
                    return

    run(U, steps=2)
