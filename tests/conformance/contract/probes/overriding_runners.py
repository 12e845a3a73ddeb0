"""Hooks and runners that are subclassed, patched, and used in unusual ways."""

from __future__ import annotations

import gevent

import locust

from ..probe import probe
from ..running import ended, local, logged, until, user_class


@probe
def nested_fire(say):
    hook = locust.event.EventHook()

    def a(n, **kw):
        say("a", n)
        if n:
            hook.fire(n=n - 1)

    hook.add_listener(a)
    hook.add_listener(lambda n, **kw: say("b", n))
    hook.fire(n=2)


@probe
def hook_attrs(say):
    hook = locust.event.EventHook()
    hook.mine = 3
    say(hook.mine, vars(hook).keys() >= {"mine"}, callable(hook.measure), bool(hook))
    say(hook == hook, hash(hook) == hash(hook), hook != locust.event.EventHook())


@probe
def iadd(say):
    hook = locust.event.EventHook()
    try:
        hook += print
    except TypeError:
        say("TypeError")


@probe
def class_patched(say):
    old = locust.event.EventHook.fire

    def fire(self, **kw):
        say("fire", sorted(kw))
        return old(self, **kw)

    locust.event.EventHook.fire = fire
    try:
        locust.event.EventHook().fire(a=1)
    finally:
        locust.event.EventHook.fire = old


@probe
def async_thread_fire(say):
    import threading

    hook = locust.event.EventHook()
    hook.add_listener(lambda **kw: say("heard"))
    t = threading.Thread(target=hook.fire)
    t.start()
    t.join()


@probe
def listener_with_star_only(say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda *a, **kw: say(a, kw))
    hook.fire(x=1)


@probe
def fire_returns(say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda **kw: 5)
    say(hook.fire())


@probe
def reverse_named_argument(say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda **kw: say(kw))
    hook.fire(reverse=True, a=1)
    hook.fire(reverse=0, a=1)


@probe
def self_named_argument(say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda **kw: say(kw))
    try:
        hook.fire(self=1)
    except TypeError:
        say("TypeError")


@probe
def measure_as_decorator(say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda name, **kw: say(name))

    @hook.measure("A", "deco")
    def f():
        say("in")

    f()
    f()


@probe
def measure_context_none(say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda context, **kw: say(context))
    with hook.measure("A", "b", context=None):
        pass
    with hook.measure("A", "b", context={}):
        pass
    c = {"x": 1}
    with hook.measure("A", "b", context=c) as m:
        say(m["context"] is c)


@probe
def measure_return_inside(say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda name, **kw: say(name))

    def f():
        with hook.measure("A", "b"):
            return 7

    say(f())


@probe
def measure_timeout(say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda exception, **kw: say(repr(exception)))
    try:
        with gevent.Timeout(0.01), hook.measure("A", "b"):
            gevent.sleep(1)
    except BaseException as e:
        say(type(e).__name__)


@probe
def request_in_task_by_hand_kinds(say):
    def work(user):
        fire = user.environment.events.request.fire
        fire(request_type="A", name="x", response_time=5, response_length=1)
        with user.environment.events.request.measure("A", "y"):
            raise ValueError("in measure")
        user.stop()
        gevent.sleep(1)

    env = local(user_class(tasks=[work]))
    with ended(env) as runner:
        runner.start(1, 10)
        until(lambda: runner.state == "running" and runner.user_count == 0)
        say(
            sorted((e.name, e.num_requests, e.num_failures) for e in env.stats.entries.values()), len(runner.exceptions)
        )


@probe
def runner_attributes_set(say):
    env = local()
    with ended(env) as runner:
        runner.target_user_count = 99
        runner.mine = 1
        runner.exceptions = {}
        say(runner.target_user_count, runner.mine)
        for name in ("user_count", "user_classes_count", "stats", "errors", "user_classes"):
            try:
                setattr(runner, name, 1)
                say(name, "set")
            except AttributeError:
                say(name, "AttributeError")


@probe
def user_count_of_subclass_overridden(say):
    class Mine(locust.runners.LocalRunner):
        @property
        def user_count(self):
            return 42

    env = locust.env.Environment(user_classes=[user_class()])
    env.runner = runner = Mine(env)
    runner.start(1, 10)
    runner.spawning_greenlet.join()
    say(runner.user_count, len(runner.user_greenlets))
    runner.quit()


@probe
def update_state_overridden(say):
    class Mine(locust.runners.LocalRunner):
        def update_state(self, new):
            say(new)
            super().update_state(new)

    env = locust.env.Environment(user_classes=[user_class()])
    env.runner = runner = Mine(env)
    runner.start(1, 10)
    runner.spawning_greenlet.join()
    runner.quit()


@probe
def stop_overridden(say):
    class Mine(locust.runners.LocalRunner):
        def stop(self):
            say("stop", self.state)
            super().stop()

        def log_exception(self, node, msg, tb):
            say(node, msg)
            super().log_exception(node, msg, tb)

    def bad(user):
        raise ValueError("x")

    env = locust.env.Environment(user_classes=[user_class(tasks=[bad])])
    env.runner = runner = Mine(env)
    with logged():
        runner.start(1, 10)
        until(lambda: runner.exceptions)
        runner.quit()
        runner.quit()
