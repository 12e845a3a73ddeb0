"""`Environment`: arguments, attributes, methods; several in one process."""

from __future__ import annotations

import inspect
from argparse import Namespace

import gevent

import locust

from ..probe import probe
from ..running import ended, local, logged, until, user_class


@probe
def the_parameters(say):
    signature = inspect.signature(locust.env.Environment)
    say(
        [
            (p.name, str(p.kind), p.default if not isinstance(p.default, type) else p.default.__name__)
            for p in signature.parameters.values()
        ]
    )


@probe
def attributes_of_an_empty_one(say):
    env = locust.env.Environment()
    say(
        {
            k: v
            for k, v in vars(env).items()
            if not k.startswith("_") and k not in ("events", "stats", "dispatcher_class", "checks")
        }
    )
    say(type(env.events).__name__, type(env.stats).__name__, env.dispatcher_class.__name__, env.user_classes_by_name)


@probe
def positional_arguments(say):
    locust.env.Environment([])


@probe
def all_arguments(say):
    a = user_class("A")
    options = Namespace(stop_timeout="7")
    events = locust.event.Events()
    given = dict(
        user_classes=[a],
        tags=["x"],
        locustfile="f.py",
        exclude_tags=["y"],
        events=events,
        host="http://h",
        reset_stats=True,
        stop_timeout=3.5,
        catch_exceptions=False,
        parsed_options=options,
        parsed_locustfiles=["f.py"],
        available_user_classes={"A": a},
        available_shape_classes={"S": None},
        available_user_tasks={"A": []},
        profile="p",
    )
    env = locust.env.Environment(**given)
    say([name for name, value in given.items() if getattr(env, name) is not value])


@probe.each(None, 0, 2, 2.5)
def the_stop_timeout(say, value):
    say(locust.env.Environment(stop_timeout=value).stop_timeout)
    for options in (Namespace(), Namespace(stop_timeout=4), Namespace(stop_timeout="5.5"), Namespace(stop_timeout=0.0)):
        say(locust.env.Environment(stop_timeout=value, parsed_options=options).stop_timeout)


@probe
def the_list_of_classes_is_kept(say):
    a, b, c = user_class("A"), user_class("B", weight=0), user_class("C", weight=0, fixed_count=1)
    classes = [a, b, c]
    env = locust.env.Environment(user_classes=classes)
    say(env.user_classes is classes, [x.__name__ for x in classes], sorted(env.user_classes_by_name))


@probe
def an_empty_list_of_classes(say):
    classes = []
    env = locust.env.Environment(user_classes=classes)
    say(env.user_classes)


@probe
def no_class_has_a_weight(say):
    locust.env.Environment(user_classes=[user_class("A", weight=0), user_class("B", weight=0)])


@probe.each(-1, 0.5, -0.5)
def a_weight_of(say, value):
    a, b = user_class("A", weight=value), user_class("B")
    say([c.__name__ for c in locust.env.Environment(user_classes=[a, b]).user_classes])


@probe
def two_classes_of_one_name(say):
    locust.env.Environment(user_classes=[user_class("A"), user_class("B"), user_class("A")])


@probe
def the_same_class_twice(say):
    a = user_class("A")
    locust.env.Environment(user_classes=[a, a])


@probe
def a_class_without_weight_of_the_same_name(say):
    env = locust.env.Environment(user_classes=[user_class("A"), user_class("A", weight=0)])
    say(len(env.user_classes))


@probe
def a_tuple_of_classes(say):
    try:
        env = locust.env.Environment(user_classes=(user_class("A"),))
        say(env.user_classes)
    except TypeError:
        say("TypeError")


@probe
def events_that_are_falsy(say):
    env = locust.env.Environment(events=None)
    say(type(env.events).__name__)


@probe
def user_classes_by_name(say):
    a, b = user_class("A"), user_class("B")
    env = locust.env.Environment(user_classes=[a, b])
    say(env.user_classes_by_name == {"A": a, "B": b})
    env.user_classes.remove(a)
    say(env.user_classes_by_name == {"B": b})
    env.user_classes = [a]
    say(env.user_classes_by_name == {"A": a})


@probe
def update_user_class(say):
    def one(user): ...
    def two(user): ...

    a = user_class("A", tasks=[one, two])
    env = locust.env.Environment(
        user_classes=[a], available_user_classes={"A": a}, available_user_tasks={"A": [one, two]}
    )
    say(env.update_user_class({"user_class_name": "A", "host": "http://x", "weight": 5, "fixed_count": 2, "mine": [1]}))
    say(a.host, a.weight, a.fixed_count, a.mine, len(a.tasks))
    env.update_user_class({"user_class_name": "A", "tasks": ["two"]})
    say([t.__name__ for t in a.tasks])
    env.update_user_class({"user_class_name": "A", "tasks": []})
    say(a.tasks)


@probe.each("no name", "unknown")
def update_user_class_with(say, value):
    a = user_class("A")
    env = locust.env.Environment(user_classes=[a], available_user_classes={"A": a}, available_user_tasks={"A": []})
    try:
        env.update_user_class(
            {"host": "x"}
            if value == "no name"
            else {"user_class_name": "X" if value == "unknown" else "A", "host": "x"}
        )
    except Exception as e:
        say(type(e).__name__)


@probe
def update_worker_logs(say):
    env = locust.env.Environment()
    for report in (
        {"worker_id": "a", "logs": ["x"]},
        {"worker_id": "b"},
        {"logs": ["y"]},
        {},
        {"worker_id": "a", "logs": ["z"]},
    ):
        env.update_worker_logs(report)
    say(env.worker_logs)


@probe
def assign_equal_weights(say):
    def one(user): ...
    def two(user): ...

    class Inner(locust.TaskSet):
        @locust.task(3)
        def three(self): ...

        tasks_more = None

    class Outer(locust.TaskSet):
        tasks = [Inner, one]

    a = user_class("A", tasks={one: 3, two: 1, Outer: 2}, weight=7)
    b = user_class("B", fixed_count=2, weight=3)
    env = locust.env.Environment(user_classes=[a, b])
    say(env.assign_equal_weights())
    say(a.weight, b.weight, b.fixed_count, sorted(t.__name__ for t in a.tasks), [t.__name__ for t in b.tasks])


@probe
def the_order_after_assign_equal_weights(say):
    def one(user): ...
    def two(user): ...
    def three(user): ...

    a = user_class("A", tasks=[one, two, three, one])
    locust.env.Environment(user_classes=[a]).assign_equal_weights()
    say([t.__name__ for t in a.tasks])


@probe
def assign_equal_weights_with_what_is_no_task(say):
    a = user_class("A", tasks=[7])
    locust.env.Environment(user_classes=[a]).assign_equal_weights()


@probe
def tags_of_the_environment(say):
    @locust.tag("x", "z")
    def one(user): ...
    @locust.tag("y")
    def two(user): ...
    def three(user): ...
    def left(tags=None, exclude=None, options=None):
        cls = user_class("A", tasks=[one, two, three])
        env = locust.env.Environment(user_classes=[cls], tags=tags, exclude_tags=exclude, parsed_options=options)
        env._filter_tasks_by_tags()
        return [t.__name__ for t in cls.tasks]

    say(left(), left(["x"]), left([]), left(None, ["x"]), left(["x", "y"], ["z"]), left(None, []))
    say(
        left(options=Namespace(tags=["y"])),
        left(options=Namespace(tags=None, exclude_tags=["y"])),
        left(options=Namespace()),
    )
    say(
        left(["x"], options=Namespace(tags=["y"])),
        left([], options=Namespace(tags=["y"])),
        left(options=Namespace(tags=[], exclude_tags=[])),
    )


@probe
def tags_that_leave_nothing(say):
    @locust.tag("x")
    def one(user): ...

    a = user_class("A", tasks=[one])
    env = locust.env.Environment(user_classes=[a], tags=["nope"])
    with logged() as lines:
        env._filter_tasks_by_tags()
    say(a.tasks, *lines)


@probe
def several_environments_at_once(say):
    def counts(user):
        user.environment.events.request.fire(request_type=user.kind, name="n", response_time=1, response_length=1)
        user.environment.mine += 1
        if user.kind == "B":
            raise ValueError("b")

    envs = []
    for name in "AB":
        env = local(user_class("Same", tasks=[counts], kind=name, wait_time=locust.constant(0.01)))
        env.mine = 0
        env.events.test_start.add_listener(lambda name=name, **kw: say(name))
        envs.append(env)
    a, b = envs
    with logged():
        a.runner.start(2, 100)
        gevent.sleep(0.05)
        b.runner.start(3, 100)
        until(lambda: all(env.runner.state == "running" and env.mine > 5 for env in envs))
        say(a.runner.user_count, b.runner.user_count, a.events is b.events, a.stats is b.stats)
        a.runner.stop()
        say(a.runner.state, b.runner.state, a.runner.user_count, b.runner.user_count)
        before = b.mine
        until(lambda: b.mine > before)
        b.runner.quit()
        a.runner.quit()
    say([e.method for e in a.stats.entries.values()], [e.method for e in b.stats.entries.values()])
    say(
        a.stats.total.num_requests == a.mine,
        b.stats.total.num_requests == b.mine,
        len(a.runner.exceptions),
        len(b.runner.exceptions),
    )


@probe
def environments_that_share_events(say):
    events = locust.event.Events()
    a, b = local(events=events), local(events=events)
    events.request.fire(request_type="X", name="y", response_time=1, response_length=1)
    say(a.stats.total.num_requests, b.stats.total.num_requests)
    a.runner.start(1, 100)
    until(lambda: a.runner.state == "running")
    say(b.runner.state, b.runner.user_count)
    a.runner.quit()
    b.runner.quit()


@probe
def the_statistics_of_the_environment_are_replaced(say):
    env = local()
    with ended(env) as runner:
        old, env.stats = env.stats, locust.stats.RequestStats()
        env.events.request.fire(request_type="X", name="y", response_time=1, response_length=1, exception=OSError())
        say(old.total.num_requests, env.stats.total.num_requests, runner.stats is env.stats, len(runner.errors))


@probe
def statistics_without_a_runner(say):
    env = locust.env.Environment()
    env.events.request.fire(request_type="X", name="y", response_time=1, response_length=1)
    say(env.stats.total.num_requests)


@probe
def a_runner_by_its_class(say):
    env = locust.env.Environment(user_classes=[user_class()])
    runner = locust.runners.LocalRunner(env)
    say(env.runner, runner.environment is env)
    env.runner = runner
    runner.start(1, 100)
    until(lambda: runner.state == "running")
    say(runner.user_count)
    runner.quit()


@probe
def users_without_a_runner(say):
    def task(user):
        say("task", user.environment is env)
        user.stop()

    cls = user_class(tasks=[task], on_start=lambda user: say("on_start"), on_stop=lambda user: say("on_stop"))
    env = locust.env.Environment(user_classes=[cls])
    cls(env).run()
    say(env.stats.total.num_requests)


@probe
def catch_exceptions_false(say):
    def fails(user):
        raise ValueError("task")

    env = local(user_class(tasks=[fails]), catch_exceptions=False)
    with logged() as lines, ended(env) as runner:
        (user,) = runner.spawn_users({"Idler": 1})
        greenlet = user.greenlet
        until(lambda: greenlet.dead)
        say(
            repr(greenlet.exception),
            len(runner.exceptions),
            *[line.splitlines()[0].partition("<")[0] for line in lines],
        )


@probe
def process_exit_code_and_attributes_of_ones_own(say):
    env = locust.env.Environment()
    env.process_exit_code = 7
    env.my_data = {"a": 1}
    say(env.process_exit_code, env.my_data)


@probe
def a_subclass_of_the_environment(say):
    class Mine(locust.env.Environment):
        def __init__(self, **kw):
            super().__init__(**kw)
            self.more = 1

    env = Mine(user_classes=[user_class()])
    env.create_local_runner()
    with ended(env) as runner:
        runner.start(1, 100)
        until(lambda: runner.state == "running")
        say(env.more, runner.user_count)


@probe
def a_user_class_added_later(say):
    a, b = user_class("A"), user_class("B")
    env = local(a)
    with ended(env) as runner:
        runner.start(2, 100)
        until(lambda: runner.state == "running")
        env.user_classes.append(b)
        say(runner.user_classes_count)
        runner.spawn_users({"B": 1})
        say(runner.user_classes_count)
        runner.stop()
        runner.start(4, 100)
        until(lambda: runner.state == "running")
        say(runner.user_classes_count)
