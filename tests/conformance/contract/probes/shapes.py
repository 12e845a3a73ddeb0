"""Load shapes: what they are, and what a tick may give."""

from __future__ import annotations

import gevent

import locust

from ..probe import probe
from ..running import ended, local, logged, ticking, unhandled, until


@probe
def the_base_class(say):
    shape = locust.LoadTestShape
    say(shape.abstract, shape.use_common_options, shape.runner, shape.__abstractmethods__)
    say(sorted(n for n in dir(shape) if not n.startswith("_")))
    say(type(shape).__name__, [c.__name__ for c in type(shape).__mro__])
    try:
        shape()
    except TypeError as e:
        say(str(e))


@probe
def abstract_is_not_inherited(say):
    class A(locust.LoadTestShape):
        abstract = True

    class B(A):
        def tick(self):
            return None

    class C(B): ...

    class D(C):
        abstract = 1

    say(A.abstract, B.abstract, C.abstract, D.abstract)


@probe
def a_shape_without_tick(say):
    class A(locust.LoadTestShape): ...

    try:
        A()
    except TypeError as e:
        say(str(e))


@probe
def the_clock(say):
    shape = ticking(None)
    say(shape.get_run_time() < 1)
    shape.start_time -= 100
    say(shape.get_run_time() > 99)
    shape.reset_time()
    say(shape.get_run_time() < 1, isinstance(shape.start_time, float))


@probe
def a_constructor_of_its_own(say):
    class A(locust.LoadTestShape):
        def __init__(self):
            super().__init__()
            self.mine = 1

        def tick(self):
            return None

    say(A().mine, A().get_run_time() < 1)

    class B(locust.LoadTestShape):
        def __init__(self): ...
        def tick(self):
            return None

    try:
        B().get_run_time()
    except AttributeError as e:
        say(str(e))


@probe
def the_runner_of_a_shape(say):
    shape = ticking(None)
    say(shape.runner)
    env = local(shape_class=shape)
    with ended(env) as runner:
        say(shape.runner is runner, shape.get_current_user_count(), type(shape).runner)


@probe
def the_user_count_without_a_runner(say):
    try:
        ticking(None).get_current_user_count()
    except (AttributeError, AssertionError) as e:
        say(type(e).__name__)


@probe.each("class", "text", "none")
def what_is_no_shape(say, value):
    what = {"class": type(ticking(None)), "text": "Shape", "none": None}[value]
    try:
        env = locust.env.Environment(shape_class=what)
        say(env.shape_class)
    except ValueError as e:
        say(str(e).rpartition(":")[0])


TICKS = {
    "a pair": (2, 100),
    "a triple": (2, 100, None),
    "a list": [2, 100],
    "an empty list of classes": (2, 100, []),
    "a number that is no integer": (2.0, 100),
    "a rate that is no integer": (2, 100.5),
    "no users": (0, 100),
}


@probe.each(*TICKS)
def a_tick_gives(say, value):
    shape = ticking(TICKS[value])
    env = local(shape_class=shape)
    with logged("locust") as lines, ended(env) as runner:
        say(runner.start_shape())
        say(runner.state)
        until(lambda: runner.state == "running")
        say(runner.user_count, runner.shape_last_tick, runner.target_user_count, *lines)


@probe.each((1,), (1, 2, 3, 4), 5, "ab", (2, 0), (-1, 1), (2, "x"), ("2", 1), False)
def a_tick_that_is_none(say, value):
    shape = ticking(value)
    env = local(shape_class=shape)
    for name in ("test_start", "test_stopping", "test_stop"):
        getattr(env.events, name).add_listener(lambda name=name, **kw: say(name))
    with logged() as lines:
        runner = env.runner
        runner.start_shape()
        shape_greenlet = runner.shape_greenlet
        gevent.sleep(0.1)
        say(runner.state, runner.user_count, shape_greenlet.dead, runner.shape_greenlet is shape_greenlet, unhandled())
        say(*[line.splitlines()[0].partition(" in greenlet")[0] for line in lines])
        runner.quit()


@probe
def none_ends_the_test(say):
    shape = ticking(None)
    env = local(shape_class=shape)
    for name in ("test_start", "test_stopping", "test_stop"):
        getattr(env.events, name).add_listener(lambda name=name, **kw: say(name))
    with logged("locust") as lines:
        env.runner.start_shape()
        until(lambda: env.runner.state == "stopped")
        gevent.sleep(0.02)
        say(
            env.runner.shape_greenlet,
            env.runner.shape_last_tick,
            env.runner.user_count,
            len(env.runner.greenlet),
            *lines,
        )
        env.runner.quit()


@probe
def none_ends_the_runner_where_headless(say):
    from argparse import Namespace

    shape = ticking(None)
    env = local(shape_class=shape, parsed_options=Namespace(headless=True))
    env.runner.start_shape()
    env.runner.greenlet.join()
    say(env.runner.state, len(env.runner.greenlet))


@probe
def a_tick_that_raises(say):
    class Raises(locust.LoadTestShape):
        def tick(self):
            raise ValueError("no tick")

    env = local(shape_class=Raises())
    for name in ("test_start", "test_stopping", "test_stop"):
        getattr(env.events, name).add_listener(lambda name=name, **kw: say(name))
    with logged() as lines:
        runner = env.runner
        runner.start_shape()
        greenlet = runner.shape_greenlet
        greenlet.join()
        gevent.sleep(0.02)
        say(runner.state, repr(greenlet.exception), unhandled(), *[line.splitlines()[0][:44] for line in lines])
        with logged() as more:
            runner.start_shape()
            say(*more)
        runner.quit()
        say(runner.shape_greenlet is None)


@probe.each(False, True)
def a_tick_that_raises_later(say, value):
    from argparse import Namespace

    class Raises(locust.LoadTestShape):
        def tick(self):
            if self.get_run_time() > 0.5:
                raise ValueError("no tick")
            return 1, 10

    env = local(shape_class=Raises(), parsed_options=Namespace(headless=value))
    with logged() as lines:
        runner = env.runner
        runner.start_shape()
        greenlet = runner.shape_greenlet
        greenlet.join()
        gevent.sleep(0.02)
        say(runner.state, runner.user_count, *[line.splitlines()[0][:44] for line in lines])
        runner.quit()


@probe.each("StopTest", "StopUser")
def a_tick_raises(say, value):
    class Raises(locust.LoadTestShape):
        def tick(self):
            raise getattr(locust.exception, value)("enough")

    env = local(shape_class=Raises())
    for name in ("test_stopping", "test_stop"):
        getattr(env.events, name).add_listener(lambda name=name, **kw: say(name))
    with logged() as lines:
        runner = env.runner
        runner.start_shape()
        greenlet = runner.shape_greenlet
        greenlet.join()
        gevent.sleep(0.05)
        say(runner.state, unhandled(), *[line.splitlines()[0][:44] for line in lines])
        runner.quit()
