"""Tags: what `@tag` marks, and what is left of the tasks for `tags` and `exclude_tags`."""

from __future__ import annotations

from locust import MarkovTaskSet, SequentialTaskSet, TaskSet, User, tag, task, transition
from locust.user.task import filter_tasks_by_tags, is_markov_taskset

from ..probe import probe


def shown(holder):
    return [
        [each.__name__, shown(each)] if isinstance(getattr(each, "tasks", None), list) else each.__name__
        for each in holder.tasks
    ]


def made():
    @tag("shared")
    def shared(user):
        pass

    class Chain(MarkovTaskSet):
        @transition("m")
        def m(self):
            pass

    @tag("set")
    class Set(TaskSet):
        tasks = [shared]

        @task
        def plain(self):
            pass

        @tag("deep")
        @task(2)
        def deep(self):
            pass

        @tag("inner")
        @task
        class Inner(SequentialTaskSet):
            @tag("lowest")
            @task
            def lowest(self):
                pass

            @task
            def last(self):
                pass

    class U(User):
        tasks = [Set, shared]

        @tag("one")
        @task(3)
        def one(self):
            pass

        @tag("one", "two")
        @task
        def both(self):
            pass

        @task
        @tag("two")
        def two(self):
            pass

        @task
        def none(self):
            pass

        chain = task(Chain)

    return U


CHOICES = {
    "nothing": {},
    "one": {"tags": ["one"]},
    "one or two": {"tags": ["one", "two"]},
    "not one": {"exclude_tags": ["one"]},
    "two but not one": {"tags": ["two"], "exclude_tags": ["one"]},
    "one and not one": {"tags": ["one"], "exclude_tags": ["one"]},
    "set": {"tags": ["set"]},
    "not set": {"exclude_tags": ["set"]},
    "deep": {"tags": ["deep"]},
    "inner": {"tags": ["inner"]},
    "lowest": {"tags": ["lowest"]},
    "not lowest": {"exclude_tags": ["lowest"]},
    "shared": {"tags": ["shared"]},
    "set but not inner": {"tags": ["set"], "exclude_tags": ["inner"]},
    "unknown": {"tags": ["unknown"]},
    "not unknown": {"exclude_tags": ["unknown"]},
    "no tags": {"tags": []},
    "exclude no tags": {"exclude_tags": []},
    "a set of tags": {"tags": {"one"}, "exclude_tags": ("two",)},
    "text": {"tags": "one"},
}


@probe.each(*CHOICES)
def filtered(value, say):
    U = made()
    filter_tasks_by_tags(U, **{key: set(given) for key, given in CHOICES[value].items()})
    say(shown(U))


@probe.each(*CHOICES)
def of_an_environment(value, environment, say):
    U = made()
    env = environment(U, **CHOICES[value])
    say(env.tags, env.exclude_tags, shown(U))
    env._filter_tasks_by_tags()
    say(shown(U))


@probe.each("one", "set but not inner", "unknown", "two but not one")
def at_the_start_of_a_test(value, run, say):
    U = made()
    say(shown(U))

    def look(env):
        env.events.test_start.add_listener(lambda **kwargs: say("test_start", shown(U)))

    run(U, users=0, before=look, **CHOICES[value])
    say(shown(U))


@probe
def filtered_only_once(environment, say):
    U = made()
    env = environment(U, tags=["one", "two"])
    env._filter_tasks_by_tags()
    env.tags = ["two"]
    env._filter_tasks_by_tags()
    say(shown(U))


@probe
def from_the_options(environment, say):
    from argparse import Namespace

    for options, settings in (
        (Namespace(tags=["one"], exclude_tags=None), {}),
        (Namespace(tags=None, exclude_tags=["one"]), {}),
        (Namespace(tags=[], exclude_tags=[]), {}),
        (Namespace(tags=["one"], exclude_tags=None), {"tags": ["two"]}),
        (Namespace(tags=["one"], exclude_tags=["two"]), {"exclude_tags": []}),
        (Namespace(tags=["one"], exclude_tags=None), {"tags": []}),
    ):
        U = made()
        env = environment(U, parsed_options=options, **settings)
        env._filter_tasks_by_tags()
        say(env.tags, env.exclude_tags, shown(U))


@probe
def two_classes_share_a_set(environment, say):
    class Set(TaskSet):
        @tag("x")
        @task
        def a(self):
            pass

        @task
        def b(self):
            pass

    class U(User):
        tasks = [Set]

    class V(User):
        tasks = {Set: 2}

        @task
        def c(self):
            pass

    environment(U, V, tags=["x"])._filter_tasks_by_tags()
    say(shown(U), shown(V), shown(Set))


@probe.each("", "x", ("x", "y"), 5, None)
def tags_given(value, say):
    try:

        @tag(*value) if isinstance(value, tuple) else tag(value)
        @task
        def a(self):
            pass

        say(sorted(map(str, a.locust_tag_set)), a.locust_task_weight)
    except Exception as error:
        say(type(error).__name__, str(error))


@probe
def without_parentheses_or_tags(say):
    def a(self):
        pass

    for attempt in (lambda: tag(a), lambda: tag(), lambda: tag(TaskSet), lambda: tag()(a)):
        try:
            say(attempt())
        except Exception as error:
            say(type(error).__name__, str(error))


@probe
def of_a_set(say):
    @tag("x")
    class Set(TaskSet):
        @task
        def a(self):
            pass

        def b(self):
            pass

    say(hasattr(Set, "locust_tag_set"), Set.a.locust_tag_set, hasattr(Set.b, "locust_tag_set"), isinstance(Set, type))


@probe
def of_a_user(say):
    @tag("x")
    class U(User):
        @task
        def a(self):
            pass

    say(hasattr(U, "locust_tag_set"), U.a.locust_tag_set)


@probe
def of_an_inherited_set(say):
    class Base(TaskSet):
        @tag("base")
        @task
        def a(self):
            pass

    @tag("below")
    class Set(Base):
        @task
        def b(self):
            pass

    say(sorted(Base.a.locust_tag_set), sorted(Set.b.locust_tag_set), Set.tasks == [Base.a, Set.b])


@probe
def of_an_overridden_task(environment, say):
    class Base(User):
        abstract = True

        @tag("x")
        @task
        def a(self):
            pass

    class U(Base):
        @task
        def a(self):
            pass

    environment(U, tags=["x"])._filter_tasks_by_tags()
    say(len(U.tasks), U.tasks == [Base.a], shown(Base))


@probe
def on_a_class_without_tasks(environment, say):
    class U(User):
        pass

    environment(U)._filter_tasks_by_tags()
    environment(U, tags=["x"])._filter_tasks_by_tags()
    U.tasks = None
    try:
        environment(U, tags=["x"])._filter_tasks_by_tags()
    except TypeError as error:
        say(type(error).__name__)
    say(U.tasks)


@probe
def markov_sets_are_kept(say):
    class Chain(MarkovTaskSet):
        @transition("m")
        def m(self):
            pass

    say(is_markov_taskset(Chain), is_markov_taskset(TaskSet), is_markov_taskset(Chain.m), is_markov_taskset(5))
    say(filter_tasks_by_tags(Chain, {"x"}), Chain.tasks)
    try:
        tag("x")(Chain)
        say(hasattr(Chain, "locust_tag_set"), hasattr(Chain.m, "locust_tag_set"))
    except Exception as error:
        say(type(error).__name__)


@probe
def nothing_is_left(run, step):
    class U(User):
        @task
        def a(self):
            step("never")

        def on_start(self):
            step("on_start")

    run(U, tags=["x"], steps=4)


@probe
def nothing_is_left_of_a_set(run, step):
    class U(User):
        @tag("x")
        @task
        def a(self):
            step("a")

        @task
        class Set(TaskSet):
            @task
            def b(self):
                step("never")

    run(U, tags=["x"], steps=4)


@probe
def of_what_is_no_function(say):
    for strange in (5, "text", None, len, object()):
        try:
            tag("x")(strange)
            say(repr(strange), "tagged")
        except Exception as error:
            say(type(error).__name__)
