"""Exceptions in every place: what is logged, told and counted, who goes on, and with which traceback."""

from __future__ import annotations

import sys
import traceback

import gevent

from locust import SequentialTaskSet, TaskSet, User, task
from locust.exception import (
    InterruptTaskSet,
    LocustError,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)

from ..probe import probe


def deep(number=3):
    if number:
        deep(number - 1)
    raise ValueError("from deep below")


@probe.each(True, False)
def traceback_of_a_task(value, run, step):
    class U(User):
        def on_stop(self):
            step("on_stop")

        @task
        def a(self):
            step("a")
            deep()

    run(U, steps=3, catch_exceptions=value)


@probe.each(True, False)
def traceback_at_each_depth(value, run, step):
    class U(User):
        @task
        class Outer(TaskSet):
            @task
            class Inner(SequentialTaskSet):
                @task
                def a(self):
                    step("a")
                    deep(0)

    run(U, steps=4, catch_exceptions=value)


class Failing:
    def __call__(self, user):
        raise ValueError("of a callable")


def of_two(user, other):
    pass


def chained(user):
    try:
        deep(0)
    except ValueError as error:
        raise KeyError("because") from error


def in_handling(user):
    try:
        deep(0)
    except ValueError:
        raise KeyError("meanwhile")  # noqa: B904


def hidden(user):
    try:
        deep(0)
    except ValueError:
        raise KeyError("alone") from None


def again(owner):
    kind = type(owner)
    if "kept" not in vars(kind):
        kind.kept = ValueError("the same each time")
    raise kind.kept


def group(user):
    raise ExceptionGroup("several", [ValueError("one"), KeyError("two")])


def noted(user):
    error = ValueError("with a note")
    error.add_note("the note")
    raise error


def of_many_lines(user):
    raise ValueError("one\ntwo\n")


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def unprintable(user):
    raise Unprintable()


def of_no_words(user):
    raise ValueError


def percent(user):
    raise ValueError("100%s %(name)s {}")


def generator(user):
    yield deep()


def recursive(user):
    recursive(user)


def syntax(user):
    compile("a b", "nowhere", "exec")


def asserted(user):
    assert 1 == 2, "sums"


FAILING = {
    each.__name__ if hasattr(each, "__name__") else type(each).__name__: each
    for each in (
        Failing(),
        of_two,
        chained,
        in_handling,
        hidden,
        again,
        group,
        noted,
        of_many_lines,
        of_no_words,
        percent,
        generator,
        syntax,
        asserted,
        len,
    )
}


@probe.each(*FAILING)
def task_that_is(value, run, step):
    run(type("U", (User,), {"tasks": [FAILING[value]] if value != "generator" else [generator, of_no_words]}), steps=3)


@probe.each(*FAILING)
def task_of_a_set_that_is(value, run, step):
    tasks = [FAILING[value]] if value != "generator" else [generator, of_no_words]
    Set = type("Set", (TaskSet,), {"tasks": tasks})
    run(type("U", (User,), {"tasks": [Set]}), steps=3)


@probe
def error_without_words_for_itself(run, step):
    class U(User):
        tasks = [unprintable]

        def on_stop(self):
            step("on_stop")

    run(U, steps=3)


@probe
def recursion_without_end(run, step, say):
    class U(User):
        @task
        def a(self):
            step("a")
            try:
                recursive(self)
            except RecursionError as error:
                step(type(error).__name__)

    run(U, steps=4)


@probe.each("on_start", "on_stop", "wait_time")
def of_a_user_s(value, run, step):
    def method(self):
        step(value)
        raise ValueError(f"in {value}")

    class U(User):
        def on_stop(self):
            step("on_stop of the user")

        @task
        def a(self):
            step("a")
            if value == "on_stop":
                raise StopUser()

    setattr(U, value, method)
    run(U, steps=6)


@probe.each(*[f"{place}, {catch}" for place in ("on_start", "on_stop", "wait_time") for catch in (True, False)])
def of_a_set_s(value, run, step):
    place, _, catch = value.partition(", ")

    def method(self):
        step(place)
        raise ValueError(f"in {place}")

    class Set(TaskSet):
        @task
        def a(self):
            step("a")
            if place == "on_stop":
                self.interrupt()

    setattr(Set, place, method)
    run(type("U", (User,), {"tasks": [Set]}), steps=6, catch_exceptions=catch == "True")


@probe.each(ValueError, StopUser, StopTest, RescheduleTask, InterruptTaskSet, gevent.GreenletExit, KeyboardInterrupt)
def of_a_listener_of_user_error(value, run, step):
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
                raise LocustError("broken")

    def listen(env):
        def on_user_error(user_instance, **kwargs):
            step("user_error", type(user_instance).__name__)
            raise value("in the listener")

        env.events.user_error.add_listener(on_user_error)

    run(U, steps=8, before=listen)


@probe.each(
    ValueError,
    StopUser,
    StopTest,
    RescheduleTask,
    RescheduleTaskImmediately,
    InterruptTaskSet,
    gevent.GreenletExit,
)
def of_a_listener_of_request(value, run, step):
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
                self.user.environment.events.request.fire(
                    request_type="GET", name="x", response_time=1, response_length=1, exception=None, context={}
                )
                step("a goes on")

    def listen(env):
        def on_request(**kwargs):
            step("request")
            raise value("in the listener")

        env.events.request.add_listener(on_request)

    run(U, steps=8, before=listen)


@probe.each("test_start", "spawning_complete", "test_stopping", "test_stop", "quitting")
def of_a_listener_of(value, run, step, say):
    class U(User):
        @task
        def a(self):
            step("a")

    def listen(env):
        def broken(**kwargs):
            say(value)
            raise ValueError("in the listener")

        getattr(env.events, value).add_listener(broken)

    run(U, steps=3, before=listen)


@probe
def request_fired_without_what_it_needs(run, step):
    class U(User):
        @task
        def a(self):
            step("a")
            self.environment.events.request.fire(request_type="GET", name="x")

    run(U, steps=2)


@probe
def same_error_of_two_users(run, step, say):
    class U(User):
        @task
        def a(self):
            step("a")
            raise ValueError("broken")

    env = run(U, users=2, steps=8)
    say([entry["count"] for entry in env.runner.exceptions.values()])


@probe
def errors_that_differ_in_words_alone(run, step):
    class U(User):
        turn = 0

        @task
        def a(self):
            self.turn += 1
            raise ValueError(f"number {self.turn}")

    run(U, steps=4)


@probe
def exceptions_are_forgotten_by_a_new_test(run, step, say):
    class U(User):
        @task
        def a(self):
            raise ValueError("broken")

    env = run(U, steps=2)
    say(
        len(env.runner.exceptions),
        [key == hash(entry["traceback"]) for key, entry in env.runner.exceptions.items()],
    )


@probe
def seen_by_a_listener(run, say):
    """Who listens is called while the exception is being handled."""

    def listen(env):
        def look(user_instance, exception, tb, **others):
            kind, error, _ = sys.exc_info()
            say(kind.__name__, error is exception, exception.__traceback__ is tb, others)
            say([frame.name for frame in traceback.extract_tb(tb)][-2:])
            say("in a" in traceback.format_exc(), traceback.format_exc().splitlines()[-1])

        env.events.user_error.add_listener(look)

    class U(User):
        @task
        def a(self):
            deep(1)

    run(U, steps=2, before=listen)


@probe
def told_by_hand(environment, say):
    runner = environment().create_local_runner()
    runner.log_exception("node", "words", "trace")
    runner.log_exception("other", "words", "trace")
    runner.log_exception("node", "other words", "trace")
    say([[entry["count"], entry["msg"], sorted(entry["nodes"])] for entry in runner.exceptions.values()])


@probe
def classes_of_exceptions(say):
    for kind in (InterruptTaskSet, LocustError, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser):
        say(kind.__name__, [base.__name__ for base in kind.__mro__], kind.__module__)
    say(InterruptTaskSet().reschedule, InterruptTaskSet(False).reschedule, InterruptTaskSet(reschedule=5).args)
    say(InterruptTaskSet(False).args, str(InterruptTaskSet()), str(StopTest("x")))
