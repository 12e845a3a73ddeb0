"""Which tasks a class has: from `tasks`, decorators and base classes, in which order and how often."""

from __future__ import annotations

import functools
from unittest import mock

from locust import FastHttpUser, HttpUser, SequentialTaskSet, TaskSet, User, tag, task
from locust.user.task import TaskHolder, TaskSetMeta, get_tasks_from_base_classes
from locust.user.users import UserMeta

from ..probe import probe


def f(user):
    pass


def g(user):
    pass


def names(holder):
    return [getattr(each, "__name__", repr(each)) for each in holder.tasks]


KINDS = (User, TaskSet, SequentialTaskSet)

FORMS = {
    "list": [f, g, g],
    "tuple": (f, g),
    "dict": {f: 2, g: 1},
    "set": {f},
    "frozenset": frozenset([g]),
    "pairs": [(f, 2), (g, 3)],
    "mixed": [f, (g, 2)],
    "generator": (each for each in (f, g) * 3),
    "pair of three": [(f, 2, 3)],
    "pair the wrong way round": [(2, f)],
    "zero times": {f: 0, g: -1},
    "half a time": [(f, 1.5)],
    "names": ["f", "g"],
    "text": "fg",
    "number": 5,
    "function": f,
    "lambda": [lambda user: None],
    "partial": [functools.partial(f, 1)],
    "bound method": ["x".upper],
    "mock": [mock.Mock(__name__="mock")],
    "empty list": [],
    "empty dict": {},
    "empty tuple": (),
    "none": None,
    "false": False,
}


@probe.each(*FORMS)
def form(value, say):
    for kind in KINDS:
        # What can be gone through once is gone through by all three.
        try:
            say(kind.__name__, names(type("Kind", (kind,), {"tasks": FORMS[value]})))
        except Exception as error:
            say(kind.__name__, type(error).__name__, str(error))


@probe.each(*FORMS)
def form_assigned_later(value, say):
    for kind in KINDS:
        held = type("Kind", (kind,), {})
        held.tasks = FORMS[value]
        say(kind.__name__, held.tasks == FORMS[value])


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

        class Empty(Deep):
            tasks = []

        say(kind.__name__, names(Base), names(Kind), names(Deep), names(Empty))
        say(Deep.tasks[0] is Base.a, Deep.tasks[-1] is Deep.a, Kind.tasks is Base.tasks)


@probe
def overridden_without_the_decorator(say):
    for kind in KINDS:

        class Base(kind):
            @task
            def a(self):
                pass

        class Kind(Base):
            def a(self):
                pass

        say(kind.__name__, Kind.tasks == [Base.a], Kind.tasks == [Kind.a])


@probe
def diamond(say):
    for kind in KINDS:

        class Base(kind):
            tasks = [f]

        class Left(Base):
            @task
            def left(self):
                pass

        class Right(Base):
            @task
            def right(self):
                pass

        class Both(Left, Right):
            pass

        say(kind.__name__, names(Both))


@probe
def mixin_that_is_no_user(say):
    class Mixin:
        tasks = [g]

        @task
        def a(self):
            pass

    class Pairs:
        tasks = {f: 2}

    for kind in KINDS:
        say(kind.__name__, names(type("Kind", (Mixin, kind), {})), names(type("Kind", (kind, Mixin), {})))
        say(kind.__name__, names(type("Kind", (Pairs, kind), {})))


@probe
def decorated_class_inherited_inside(say):
    @task(3)
    class Marked(TaskSet):
        @task
        def a(self):
            pass

    for kind in KINDS:

        class Kind(kind):
            class Inside(Marked):
                pass

            class Plain(TaskSet):
                pass

        say(kind.__name__, names(Kind), names(Kind.Inside))


@probe
def same_function_twice(say):
    @task(2)
    def marked(user):
        pass

    for kind in KINDS:

        class Kind(kind):
            one = marked
            two = marked
            tasks = [marked]

        say(kind.__name__, names(Kind))


@probe.each(0, -3, 1, 2, True, 1.5, "3", None)
def weight(value, say):
    for kind in KINDS:
        try:

            class Kind(kind):
                @task(value)
                def a(self):
                    pass

            say(kind.__name__, names(Kind), Kind.a.locust_task_weight)
        except Exception as error:
            say(kind.__name__, type(error).__name__, str(error))


@probe
def decorator_with_and_without_parentheses(say):
    def a(user):
        pass

    say(task(a) is a, a.locust_task_weight)
    say(task()(a) is a, a.locust_task_weight)
    say(task(7)(a) is a, a.locust_task_weight)
    say(task(weight=4)(a) is a, a.locust_task_weight)


@probe.each("on_start", "on_stop", "run", "wait", "tasks")
def decorated_method_called(value, say):
    def method(self):
        pass

    method.__name__ = value
    try:
        say(task(method) is method, method.locust_task_weight)
        say(names(type("Kind", (User,), {value: method})))
    except Exception as error:
        say(type(error).__name__, str(error))


@probe
def decorated_things_that_are_no_functions(say):
    class Call:
        def __call__(self, user):
            pass

    for strange in (Call(), functools.partial(f), lambda user: None, staticmethod(f), classmethod(f), property(f), len):
        try:
            say(type(strange).__name__, type(task(strange)).__name__)
        except Exception as error:
            say(type(strange).__name__, type(error).__name__, str(error))


@probe
def static_and_class_methods(say):
    for kind in KINDS:

        class Kind(kind):
            @task
            @staticmethod
            def inner_static(user):
                pass

            @staticmethod
            @task
            def outer_static(user):
                pass

            @classmethod
            @task
            def outer_class(cls, user):
                pass

        say(kind.__name__, [type(each).__name__ for each in Kind.tasks])


@probe
def mocks_as_members(say):
    class Kind(User):
        everything = mock.MagicMock()
        nothing = mock.NonCallableMock(spec=[])

    say(len(Kind.tasks))


@probe
def added_to_a_class_later(say):
    class Kind(User):
        pass

    @task
    def late(self):
        pass

    Kind.late = late
    say(names(Kind), names(type("Below", (Kind,), {})))


@probe
def list_of_a_class_is_its_own(say):
    class Base(User):
        tasks = [f]

    class Kind(Base):
        pass

    Kind.tasks.append(g)
    say(names(Base), names(Kind), User.tasks, TaskSet.tasks)


@probe
def metaclasses(say):
    say(type(User) is UserMeta, type(TaskSet) is TaskSetMeta, type(HttpUser) is UserMeta, type(FastHttpUser).__name__)
    say([each.__name__ for each in type(SequentialTaskSet).__mro__])
    made = UserMeta("Made", (User,), {"tasks": {f: 2}, "__doc__": "words"})
    say(names(made), made.__doc__, made.abstract, made.__module__)
    made = TaskSetMeta("Made", (TaskSet,), {"tasks": {f: 2}})
    say(names(made), made.__name__)


@probe
def metaclass_of_ones_own(say):
    class Meta(UserMeta):
        def __new__(mcs, name, bases, body, **keywords):
            say("new", name, keywords)
            return super().__new__(mcs, name, bases, body)

        def __init__(cls, name, bases, body, **keywords):
            super().__init__(name, bases, body)

    class Kind(User, metaclass=Meta):
        tasks = [f]

    say(names(Kind), names(type("Below", (Kind,), {})))


@probe
def class_keywords(say):
    for kind in KINDS:
        try:

            class Kind(kind, flavour="sweet"):
                pass

            say(kind.__name__, "taken")
        except TypeError as error:
            say(kind.__name__, type(error).__name__)


@probe
def collected_by_hand(say):
    body = {"tasks": {f: 2}, "a": task(2)(lambda self: None), "b": f}
    say(len(get_tasks_from_base_classes((), body)), len(get_tasks_from_base_classes((User, object), {})))


@probe
def holders(say):
    say(isinstance(User, TaskHolder), isinstance(TaskSet, TaskHolder), isinstance(f, TaskHolder))


@probe
def abstract(say):
    class Base(User):
        abstract = True

    class Kind(Base):
        pass

    class Falsy(Base):
        abstract = 0

    class Truthy(Base):
        abstract = "yes"

    say([each.abstract for each in (User, HttpUser, FastHttpUser, Base, Kind, Falsy, Truthy)])


@probe
def tag_sets_are_not_shared(say):
    def a(user):
        pass

    tag("one")(a)
    tag("two", "three")(a)
    say(sorted(a.locust_tag_set))


@probe
def deprecated_task_set(say):
    class Old(TaskSet):
        pass

    class Kind(User):
        task_set = Old

    say(names(Kind))


@probe
def deprecated_names(say):
    import locust

    for name in ("Locust", "HttpLocust"):
        try:
            type("Kind", (getattr(locust, name),), {})
            say(name, "made")
        except Exception as error:
            say(name, type(error).__name__, str(error))
