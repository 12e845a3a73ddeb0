"""Markov task sets: what follows what, and what no chain may be."""

from __future__ import annotations

from locust import MarkovTaskSet, SequentialTaskSet, TaskSet, User, tag, task, transition, transitions
from locust.exception import LocustError
from locust.user import markov_taskset

from ..probe import probe


def user_of(*tasks):
    listed = list(tasks)

    class U(User):
        tasks = listed

    return U


@probe
def by_weight(run, step):
    class Visit(MarkovTaskSet):
        @transitions({"b": 3, "c": 1})
        def a(self):
            step("a")

        @transitions([("c", 4), "a"])
        def b(self):
            step("b")

        @transition("a")
        def c(self):
            step("c")

    run(user_of(Visit), steps=40)


@probe
def stacked(run, step, say):
    class Visit(MarkovTaskSet):
        @transition("b", 2)
        @transition("a")
        @transitions({"c": 1})
        def a(self):
            step("a")

        @transition("a", weight=3)
        @transition("a", weight=1)
        def b(self):
            step("b")

        @transition("b")
        def c(self):
            step("c")

    say(Visit.a.transitions, Visit.b.transitions, Visit.tasks, Visit.abstract, Visit.current is Visit.a)
    run(user_of(Visit), steps=20)


@probe
def of_itself_alone(run, step):
    class Visit(MarkovTaskSet):
        @transition("a")
        def a(self):
            step("a", type(self.parent).__name__)

    run(user_of(Visit), steps=3)


@probe
def nested_and_left(run, step):
    class Visit(MarkovTaskSet):
        def on_start(self):
            step("on_start")

        def on_stop(self):
            step("on_stop")

        @transition("b")
        def a(self):
            step("a")

        @transition("a")
        def b(self):
            step("b")
            self.interrupt()

    class Outer(SequentialTaskSet):
        tasks = [Visit]

        @task
        def between(self):
            step("between")

    run(user_of(Outer), steps=14)


@probe
def task_set_as_a_member(run, step):
    class Inner(TaskSet):
        transitions = {"a": 1}

        @task
        def deep(self):
            step("deep", type(self.parent).__name__)
            self.interrupt()

    class Visit(MarkovTaskSet):
        @transition("inner")
        def a(self):
            step("a")

        inner = Inner

    run(user_of(Visit), steps=8)


@probe
def decorated_task_set(run, step):
    class Visit(MarkovTaskSet):
        @transition("Inner")
        def a(self):
            step("a")

        @transition("a")
        class Inner(TaskSet):
            @task
            def deep(self):
                step("deep")
                self.interrupt()

    run(user_of(Visit), steps=8)


ERRORS = {
    "none": lambda: {},
    "plain methods": lambda: {"a": lambda self: None},
    "tasks only": lambda: {"a": task(lambda self: None)},
    "listed tasks": lambda: {"tasks": [print], "a": task(lambda self: None)},
    "target that is missing": lambda: {"a": named("a", transition("zz"))},
    "target that is no task": lambda: {"a": named("a", transition("b")), "b": named("b", lambda f: f)},
    "target that is no function": lambda: {"a": named("a", transition("b")), "b": 5},
    "unreachable": lambda: {"a": named("a", transition("a")), "b": named("b", transition("a"))},
    "weight of zero": lambda: {"a": named("a", transitions({"a": 1, "b": 0})), "b": named("b", transition("a"))},
    "only weights of zero": lambda: {"a": named("a", transitions({"a": 0}))},
    "weight below zero": lambda: {"a": named("a", transitions({"a": -1}))},
    "weight of text": lambda: {"a": named("a", transitions({"a": "x"}))},
    "half a weight": lambda: {"a": named("a", transitions({"a": 0.5}))},
    "no transitions": lambda: {"a": named("a", transitions({}))},
    "run": lambda: {"run": named("run", transition("run"))},
    "on_start": lambda: {"on_start": named("on_start", transition("on_start"))},
    "on_stop": lambda: {"on_stop": named("on_stop", transition("on_stop"))},
    "tag": lambda: {"a": tag("x")(named("a", transition("a")))},
    "tag below": lambda: {"a": transition("a")(tag("x")(named("a", lambda f: f)))},
    "abstract": lambda: {"abstract": True},
    "abstract with a broken chain": lambda: {"abstract": True, "a": named("a", transition("zz"))},
    "abstract but false": lambda: {"abstract": False},
    "lambda": lambda: {"a": transition("a")(lambda self: None)},
    "several mistakes": lambda: {"run": tag("x")(named("run", transition("zz")))},
    "names that differ": lambda: {"a": named("x", transition("b")), "b": named("y", transition("a"))},
}


def named(name, decorate):
    def member(self):
        pass

    member.__name__ = name
    return decorate(member)


@probe.each(*ERRORS)
def chain_of(value, say):
    try:
        made = type("Visit", (MarkovTaskSet,), ERRORS[value]())
        members = [
            getattr(made, name) for name in ("a", "b", "run") if hasattr(getattr(made, name, None), "transitions")
        ]
        say(made.abstract, made.tasks, [each.transitions for each in members])
    except Exception as error:
        say([each.__name__ for each in type(error).__mro__[:3]], str(error))


@probe.each("ab", ["a", ("b", 2)], [("a",)], [("a", 1, 2)], [5], 5, None, (), {"a": 1}.items())
def transitions_given(value, say):
    try:
        say(transitions(value)(named("a", lambda f: f)).transitions)
    except Exception as error:
        say(type(error).__name__)


@probe
def abstract_and_inherited(say):
    class Base(MarkovTaskSet):
        abstract = True

        @transition("b")
        def a(self):
            pass

        @transition("a")
        def b(self):
            pass

    say(Base.abstract, Base.tasks, Base.a.transitions)
    try:

        class Visit(Base):
            pass
    except LocustError as error:
        say(type(error).__name__, str(error))

    class Own(Base):
        a, b = Base.a, Base.b

    say(Own.abstract, Own.a.transitions, Own.current is Base.a)
    try:

        class Again(Own):
            a, b = Base.a, Base.b

        say(Again.a.transitions)
    except Exception as error:
        say(type(error).__name__)


@probe
def inherited_and_redefined(run, step):
    class Base(MarkovTaskSet):
        @transition("b")
        def a(self):
            step("a of Base")

        @transition("a")
        def b(self):
            step("b of Base")

    class Visit(Base):
        @transition("c")
        def b(self):
            step("b of Visit")

        @transition("b")
        def c(self):
            step("c of Visit")

    run(user_of(Visit), steps=6)


@probe
def current_set_by_hand(run, step):
    class Visit(MarkovTaskSet):
        def on_start(self):
            self.current = self.b

        @transition("b")
        def a(self):
            step("a")

        @transition("a")
        def b(self):
            step("b")

    run(user_of(Visit), steps=5)


@probe
def picked_by_hand(environment, say):
    class Visit(MarkovTaskSet):
        @transitions({"a": 1, "b": 1})
        def a(self):
            pass

        @transition("a")
        def b(self):
            pass

    U = user_of(Visit)
    visit = Visit(U(environment(U)))
    picks = [visit.get_next_task() for _ in range(9)]
    say([pick.__name__ for pick in picks], [hasattr(pick, "__self__") for pick in picks])


@probe
def member_that_raises(run, step):
    class Visit(MarkovTaskSet):
        @transition("b")
        def a(self):
            step("a")
            raise ValueError("broken")

        @transition("a")
        def b(self):
            step("b")

    run(user_of(Visit), steps=6)


@probe
def member_without_successor(run, step):
    class Visit(MarkovTaskSet):
        @transitions({"a": 0})
        def a(self):
            step("a")

    run(user_of(Visit), steps=4)


@probe
def scheduled_in_between(run, step):
    class Visit(MarkovTaskSet):
        @transition("b")
        def a(self):
            step("a")
            self.schedule_task(self.b)

        @transition("a")
        def b(self):
            step("b")

    run(user_of(Visit), steps=8)


@probe
def helpers(say):
    member = named("a", transition("b"))
    say(markov_taskset.is_markov_task(member), markov_taskset.is_markov_task(print))
    say(markov_taskset.get_markov_tasks({"a": member, "b": print, "c": 5}) == [member])
    say(markov_taskset.to_weighted_list({"a": 2, "b": 0, "c": 1}))
    for check, arguments in (
        ("validate_has_markov_tasks", ([], "C")),
        ("validate_has_markov_tasks", ([member], "C")),
        ("validate_transitions", ([member], {"a": member}, "C")),
        ("validate_transitions", ([member], {"a": member, "b": print}, "C")),
        ("validate_transitions", ([member], {"a": member, "b": named("b", transition("a"))}, "C")),
        ("validate_no_unreachable_tasks", ([member], {"a": member, "b": named("b", transition("a"))}, "C")),
        ("validate_no_tags", (member, "C")),
        ("validate_no_tags", (tag("x")(named("a", transition("b"))), "C")),
        ("validate_task_name", (member,)),
        ("validate_task_name", (named("run", transition("b")),)),
        ("validate_task_name", (named("on_start", transition("b")),)),
    ):
        try:
            say(check, getattr(markov_taskset, check)(*arguments))
        except Exception as error:
            say(check, type(error).__name__, str(error))


@probe
def each_visit_begins_anew(run, step):
    class Visit(MarkovTaskSet):
        @transition("b")
        def a(self):
            step("a")

        @transition("c")
        def b(self):
            step("b")

        @transition("a")
        def c(self):
            step("c")
            self.interrupt(reschedule=False)

    class U(User):
        tasks = [Visit]

        def wait_time(self):
            step("wait")
            return 0

    run(U, steps=16)
