"""How many users there are of which class: `weight`, `fixed_count`, `abstract`."""

from __future__ import annotations

from locust import User, task
from locust.exception import StopUser

from ..probe import probe


@probe
def several_classes(run, say):
    made = []

    class Base(User):
        abstract = True

        def on_start(self):
            made.append(type(self).__name__)

        @task
        def a(self):
            raise StopUser()

    class A(Base):
        weight = 3

    class B(Base):
        fixed_count = 2

    class C(Base):
        pass

    run(A, B, C, users=10)
    say(sorted(made))


WEIGHTS = {
    "whole": (1, 2, 3),
    "fractions": (0.1, 0.5, 1.5),
    "one is zero": (1, 0, 2),
    "all zero": (0, 0, 0),
    "below zero": (1, -1, 2),
    "text": (1, "2", 3),
    "none": (1, None, 3),
    "huge": (1, 10**9, 3),
}


@probe.each(*WEIGHTS)
def weights(value, run, say):
    made = []

    def on_start(self):
        made.append(type(self).__name__)
        raise StopUser()

    classes = [
        type(name, (User,), {"weight": weight, "on_start": on_start})
        for name, weight in zip("ABC", WEIGHTS[value], strict=True)
    ]
    try:
        run(*classes, users=7)
    except Exception as error:
        say(type(error).__name__, str(error))
    say(made)


FIXED = {
    "one": (1, 0, 0),
    "more than there are": (5, 5, 5),
    "weight of zero": (2, 0, 0),
    "below zero": (-1, 1, 0),
    "none": (None, 0, 0),
    "all the same": (2, 2, 2),
}


@probe.each(*FIXED)
def fixed_counts(value, run, say):
    made = []

    def on_start(self):
        made.append(type(self).__name__)
        raise StopUser()

    classes = [
        type(name, (User,), {"fixed_count": count, "weight": value != "weight of zero", "on_start": on_start})
        for name, count in zip("ABC", FIXED[value], strict=True)
    ]
    try:
        run(*classes, users=7)
    except Exception as error:
        say(type(error).__name__, str(error))
    say(made)


@probe
def two_classes_of_one_name(environment, say):
    try:
        environment(type("A", (User,), {}), type("A", (User,), {}))
    except ValueError as error:
        say(str(error))


@probe
def abstract_classes_run_if_they_are_given(run, step):
    class U(User):
        abstract = True

        @task
        def a(self):
            step("a")

    run(U, steps=2)
