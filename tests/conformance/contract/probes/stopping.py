"""Stopping: users, tests, runners."""

from __future__ import annotations

import gevent

from ..probe import probe
from ..running import ended, local, logged, started, until, user_class


@probe
def stop_users_more_than_there_are(say):
    env = local()
    with ended(env) as runner:
        started(env, 3)
        runner.stop_users({"Idler": 10})
        say(runner.user_count, runner.state)
        runner.stop_users({"Idler": 1})
        runner.stop_users({})
        runner.stop_users({"Idler": 0})
        say(runner.user_count)


@probe
def stop_users_of_zero(say):
    env = local()
    with ended(env) as runner:
        started(env, 3)
        runner.stop_users({"Idler": 0})
        say(runner.user_count)


@probe
def stop_users_and_what_it_logs(say):
    env = local()
    with ended(env) as runner:
        started(env, 3)
        with logged("locust", 10) as lines:
            runner.stop_users({"Idler": 2})
        say(*[line for line in lines if "Stopping Greenlet" not in line and "Stopping <" not in line])


@probe
def stop_users_with_a_subclass(say):
    a = user_class("Base")
    b = type("Derived", (a,), {})
    env = local(a, b)
    with ended(env) as runner:
        runner.spawn_users({"Base": 2, "Derived": 2})
        runner.stop_users({"Base": 2})
        say(runner.user_classes_count)


@probe.each(0, 5)
def on_stop_is_run_before_stop_returns(say, value):
    def on_stop(user):
        gevent.sleep(0.02)
        gone.append(1)

    gone = []
    env = local(user_class(on_stop=on_stop), stop_timeout=value)
    started(env, 3)
    env.runner.stop()
    say(len(gone), env.runner.user_count, env.runner.state)
    env.runner.quit()


@probe
def users_that_are_busy_get_their_stop_timeout(say):
    def task(user):
        begun.append(1)
        gevent.sleep(0.1)
        finished.append(1)

    begun, finished = [], []
    env = local(user_class(tasks=[task]), stop_timeout=5)
    env.runner.start(3, 100)
    until(lambda: len(begun) == 3)
    with logged("locust") as lines:
        env.runner.stop()
    say(len(finished), env.runner.user_count, lines)
    env.runner.quit()


@probe
def users_that_are_busy_for_longer_are_killed(say):
    def task(user):
        begun.append(1)
        try:
            gevent.sleep(30)
        except BaseException as e:
            say(type(e).__name__)
            raise

    begun = []
    env = local(user_class(tasks=[task], on_stop=lambda user: say("on_stop")), stop_timeout=0.05)
    env.runner.start(1, 100)
    until(lambda: begun)
    with logged("locust") as lines:
        env.runner.stop()
    say(env.runner.user_count, lines)
    env.runner.quit()


@probe
def the_stop_timeout_may_be_changed_while_it_runs(say):
    def task(user):
        begun.append(1)
        gevent.sleep(0.1)
        finished.append(1)

    begun, finished = [], []
    env = local(user_class(tasks=[task]))
    env.runner.start(1, 100)
    until(lambda: begun)
    env.stop_timeout = 5
    env.runner.stop()
    say(len(finished))
    env.runner.quit()


@probe.each("stop", "quit")
def a_user_stops_the_test(say, value):
    def task(user):
        getattr(user.environment.runner, value)()
        say("after", user.environment.runner.state)
        gevent.sleep(0)
        say("awake")

    cls = user_class(tasks=[task], on_stop=lambda user: say("on_stop"))
    env = local(cls)
    for name in ("test_stopping", "test_stop"):
        getattr(env.events, name).add_listener(lambda name=name, **kw: say(name))
    env.runner.start(1, 100)
    until(lambda: env.runner.state == "stopped")
    gevent.sleep(0.02)
    say(env.runner.user_count, len(env.runner.greenlet))
    env.runner.quit()


@probe.each("stop", "quit")
def several_users_stop_the_test_at_once(say, value):
    def task(user):
        gevent.sleep(0.02)
        getattr(user.environment.runner, value)()
        gevent.sleep(0)
        said.append("awake")

    said = []
    cls = user_class(tasks=[task], on_stop=lambda user: said.append("on_stop"))
    env = local(cls)
    for name in ("test_stopping", "test_stop"):
        getattr(env.events, name).add_listener(lambda name=name, **kw: say(name))
    env.runner.start(3, 100)
    until(lambda: env.runner.state == "stopped")
    until(lambda: env.runner.user_count == 0)
    gevent.sleep(0.02)
    say(said.count("on_stop"), said.count("awake"), env.runner.user_count, len(env.runner.greenlet))
    env.runner.quit()


@probe
def on_stop_stops_the_test(say):
    def on_stop(user):
        user.environment.runner.quit()
        say("after")

    env = local(user_class(on_stop=on_stop))
    for name in ("test_stopping", "test_stop"):
        getattr(env.events, name).add_listener(lambda name=name, **kw: say(name))
    started(env, 1)
    try:
        with gevent.Timeout(1):
            env.runner.stop()
        say("stopped")
    except gevent.Timeout:
        say("hangs")
    say(env.runner.state, env.runner.user_count)


@probe
def stop_from_two_sides_at_once(say):
    def on_stop(user):
        gevent.sleep(0.05)
        say("on_stop")

    env = local(user_class(on_stop=on_stop))
    for name in ("test_stopping", "test_stop"):
        getattr(env.events, name).add_listener(lambda name=name, **kw: say(name))
    started(env, 1)
    gevent.joinall([gevent.spawn(env.runner.stop), gevent.spawn(env.runner.stop)], timeout=3)
    say(env.runner.state, env.runner.user_count)
    env.runner.quit()


@probe
def join_returns_when_the_runner_quits(say):
    env = local()
    started(env, 2)
    gevent.spawn_later(0.05, env.runner.quit)
    env.runner.greenlet.join()
    say(env.runner.state, env.runner.user_count, len(env.runner.greenlet))


@probe
def join_does_not_return_when_the_test_stops(say):
    env = local()
    started(env, 2)
    env.runner.stop()
    say(env.runner.greenlet.join(timeout=0.05), len(env.runner.greenlet) > 0)
    env.runner.quit()
    say(len(env.runner.greenlet))


@probe
def start_after_quit(say):
    env = local()
    started(env, 2)
    env.runner.quit()
    started(env, 3)
    say(env.runner.user_count)
    env.runner.quit()
    say(env.runner.user_count)
