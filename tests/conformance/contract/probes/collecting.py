"""Which tasks a class has: from `tasks`, decorators and base classes, in which order and how often."""

from __future__ import annotations

from locust import SequentialTaskSet, TaskSet, User, task

from ..probe import probe


def f(user):
    pass


def g(user):
    pass


def names(holder):
    return [getattr(each, "__name__", each) for each in holder.tasks]


KINDS = (User, TaskSet, SequentialTaskSet)


@probe.each("list", "tuple", "dict", "set", "pairs", "mixed", "empty list", "empty dict", "none")
def kinds_of_tasks(value, say):
    given = {
        "list": [f, g, g],
        "tuple": (f, g),
        "dict": {f: 2, g: 1},
        "set": {f},
        "pairs": [(f, 2), (g, 3)],
        "mixed": [f, (g, 2)],
        "empty list": [],
        "empty dict": {},
        "none": None,
    }[value]
    for kind in KINDS:
        try:
            say(kind.__name__, names(type("Kind", (kind,), {"tasks": given})))
        except Exception as error:
            say(kind.__name__, type(error).__name__, str(error))


@probe
def decorated_and_listed(say):
    for kind in KINDS:

        class Kind(kind):
            @task(2)
            def a(self):
                pass

            tasks = [f]

            @task
            def b(self):
                pass

        say(kind.__name__, names(Kind))


@probe
def inherited(say):
    for kind in KINDS:

        class Base(kind):
            @task
            def a(self):
                pass

        class Kind(Base):
            tasks = {g: 2}

            @task(2)
            def b(self):
                pass

        class Deep(Kind):
            @task
            def a(self):
                pass

        say(kind.__name__, names(Base), names(Kind), names(Deep))
