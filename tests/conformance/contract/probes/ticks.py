"""The ticks of a shape, one after the other."""

from __future__ import annotations

import time
from itertools import pairwise

import gevent

import locust

from ..probe import probe
from ..running import ended, hurry, local, logged, ticking, until, user_class


@probe
def start_shape_twice(say):
    shape = ticking((1, 10))
    env = local(shape_class=shape)
    with logged("locust") as lines, ended(env) as runner:
        runner.start_shape()
        until(lambda: runner.state == "running")
        runner.start_shape()
        say(runner.state, *lines)


@probe
def start_shape_without_a_shape(say):
    env = local()
    with logged() as lines:
        runner = env.runner
        try:
            runner.start_shape()
        except Exception as e:
            say(type(e).__name__)
        gevent.sleep(0.05)
        say(runner.state, runner.shape_greenlet, *lines)
        runner.quit()


@probe
def a_shape_is_started_again(say):
    shape = ticking((2, 100))
    env = local(shape_class=shape)
    for name in ("test_start", "test_stop"):
        getattr(env.events, name).add_listener(lambda name=name, **kw: say(name, shape.get_run_time() < 0.5))
    with ended(env) as runner:
        runner.start_shape()
        until(lambda: runner.state == "running")
        shape.start_time -= 100
        runner.stop()
        say(runner.state, runner.shape_greenlet, runner.shape_last_tick, runner.user_count)
        runner.start_shape()
        say(runner.state)
        until(lambda: runner.state == "running")
        say(runner.user_count, runner.shape_last_tick)


@probe
def the_clock_is_reset_when_a_shape_starts(say):
    shape = ticking((1, 100))
    shape.start_time -= 100
    reset = []
    real = shape.reset_time
    shape.reset_time = lambda: (reset.append(1), real())
    env = local(shape_class=shape)
    with ended(env) as runner:
        runner.start_shape()
        say(shape.get_run_time() < 1, len(reset))
        until(lambda: runner.state == "running")
        say(len(reset))


@probe
def ticks_come_each_second(say):
    class Clock(locust.LoadTestShape):
        def tick(self):
            times.append(time.monotonic())
            gevent.sleep(0.2)
            return 1, 10

    times = []
    env = local(shape_class=Clock())
    with ended(env) as runner:
        runner.start_shape()
        until(lambda: len(times) == 3)
    say([round(b - a, 1) for a, b in pairwise(times)])


@probe
def a_tick_that_takes_longer_than_a_second(say):
    class Slow(locust.LoadTestShape):
        def tick(self):
            times.append(time.monotonic())
            gevent.sleep(1.1)
            return 1, 10

    times = []
    env = local(shape_class=Slow())
    with ended(env) as runner:
        runner.start_shape()
        until(lambda: len(times) == 2)
    say([round(b - a, 1) for a, b in pairwise(times)])


@probe
def the_same_tick_starts_no_ramp(patch, say):
    hurry(patch)
    shape = ticking((1, 100), (1, 100), (2, 100))
    env = local(shape_class=shape)
    env.events.spawning_complete.add_listener(lambda user_count, **kw: say("complete", user_count, shape.asked))
    with logged("locust") as lines, ended(env) as runner:
        runner.start_shape()
        until(lambda: runner.user_count == 2)
        say(*lines)


@probe
def an_equal_tick_of_another_type(patch, say):
    hurry(patch)
    shape = ticking((1, 100), [1, 100], (1.0, 100.0))
    env = local(shape_class=shape)
    with logged("locust") as lines, ended(env) as runner:
        runner.start_shape()
        until(lambda: shape.asked == 3)
        gevent.sleep(0.02)
        say(*[line for line in lines if "updating" in line], runner.shape_last_tick)


@probe
def a_tick_during_a_ramp(patch, say):
    hurry(patch)
    shape = ticking((10, 1), (3, 100))
    env = local(shape_class=shape)
    env.events.spawning_complete.add_listener(lambda user_count, **kw: say("complete", user_count))
    with ended(env) as runner:
        runner.start_shape()
        until(lambda: runner.user_count == 3 and runner.state == "running")
        say(shape.asked, runner.target_user_count)


@probe
def classes_per_tick(patch, say):
    hurry(patch)
    a, b = user_class("A"), user_class("B")
    ticks = [(2, 100, [a]), (4, 100, [b]), (6, 100, None), (8, 100), (3, 100, [a]), (0, 100)]
    shape = ticking(*ticks)
    env = local(a, b, shape_class=shape)
    counts = []
    env.events.spawning_complete.add_listener(lambda **kw: counts.append(env.runner.user_classes_count))
    with ended(env) as runner:
        runner.start_shape()
        until(lambda: len(counts) == len(ticks))
    say(counts)


@probe
def the_same_counts_with_other_classes(patch, say):
    hurry(patch)
    a, b = user_class("A"), user_class("B")
    ticks = [(2, 100, [a]), (2, 100, [b]), (3, 100, [b])]
    shape = ticking(*ticks)
    env = local(a, b, shape_class=shape)
    counts = []
    env.events.spawning_complete.add_listener(lambda **kw: counts.append(env.runner.user_classes_count))
    with ended(env) as runner:
        runner.start_shape()
        until(lambda: len(counts) == len(ticks))
    say(counts)


@probe
def classes_per_tick_that_the_environment_has_not(say):
    a, b = user_class("A"), user_class("B")
    shape = ticking((2, 100, [b]))
    env = local(a, shape_class=shape)
    with logged() as lines:
        runner = env.runner
        runner.start_shape()
        gevent.sleep(0.1)
        say(runner.state, runner.user_count, [line.partition(":")[0] for line in lines])
        runner.quit()


@probe
def stop_ends_the_shape(say):
    shape = ticking((1, 100))
    env = local(shape_class=shape)
    runner = env.runner
    runner.start_shape()
    until(lambda: runner.state == "running")
    greenlet = runner.shape_greenlet
    runner.stop()
    say(greenlet.dead, runner.shape_greenlet, runner.shape_last_tick, runner.state)
    runner.quit()


@probe
def start_while_a_shape_runs(patch, say):
    hurry(patch)
    shape = ticking((1, 100))
    env = local(shape_class=shape)
    with ended(env) as runner:
        runner.start_shape()
        until(lambda: runner.state == "running")
        runner.start(4, 100)
        until(lambda: runner.user_count == 4 and runner.state == "running")
        until(lambda: shape.asked == 2)
        gevent.sleep(0.05)
        say(runner.user_count, runner.shape_last_tick)


@probe.each("stop", "quit")
def the_tick_itself_ends_the_test(patch, say, value):
    hurry(patch)

    class Ends(locust.LoadTestShape):
        def tick(self):
            asked.append(1)
            if len(asked) == 2:
                getattr(self.runner, value)()
                say("after", self.runner.state)
            return (1, 100) if len(asked) < 2 else None

    asked = []
    env = local(shape_class=Ends())
    for name in ("test_stopping", "test_stop"):
        getattr(env.events, name).add_listener(lambda name=name, **kw: say(name))
    runner = env.runner
    runner.start_shape()
    until(lambda: runner.state == "stopped")
    gevent.sleep(0.02)
    say(runner.state, runner.user_count, len(runner.greenlet), len(asked))
    runner.quit()


@probe
def a_tick_sees_the_user_count(patch, say):
    hurry(patch)

    class Sees(locust.LoadTestShape):
        def tick(self):
            counts.append([self.get_current_user_count(), self.runner.state])
            return 3, 100

    counts = []
    env = local(shape_class=Sees())
    with ended(env) as runner:
        runner.start_shape()
        until(lambda: len(counts) == 2)
    say(counts)


@probe
def a_shape_and_a_replaced_start(patch, say):
    hurry(patch)
    shape = ticking((2, 100), (3, 100, None))
    env = local(shape_class=shape)
    runner = env.runner
    real = runner.start

    def start(*args, **kw):
        say(args, kw)
        real(*args, **kw)

    runner.start = start
    with ended(env):
        runner.start_shape()
        until(lambda: runner.user_count == 3)


@probe
def a_shape_set_after_the_runner(say):
    env = local()
    shape = ticking((2, 100))
    env.shape_class = shape
    say(shape.runner)
    shape.runner = env.runner
    with ended(env) as runner:
        runner.start_shape()
        until(lambda: runner.state == "running")
        say(runner.user_count)


@probe
def a_shape_may_be_of_any_depth(say):
    class Base(locust.LoadTestShape):
        abstract = True
        stages: list = []

        def tick(self):
            for end, users in self.stages:
                if self.get_run_time() < end:
                    return users, 100
            return None

    class Two(Base):
        stages = [(0.5, 1), (1.5, 3)]

    env = local(shape_class=Two())
    counts = []
    env.events.spawning_complete.add_listener(lambda user_count, **kw: counts.append(user_count))
    with ended(env) as runner:
        runner.start_shape()
        until(lambda: runner.state == "stopped")
    say(counts)


@probe
def users_that_outlive_a_smaller_tick(patch, say):
    hurry(patch)
    gone = []
    cls = user_class(on_stop=lambda user: gone.append(1))
    env = local(cls, shape_class=ticking((3, 100), (1, 100), (2, 100)))
    with ended(env) as runner:
        runner.start_shape()
        until(lambda: runner.user_count == 3)
        until(lambda: runner.user_count == 1)
        say(len(gone))
        until(lambda: runner.user_count == 2)
        say(len(gone))
