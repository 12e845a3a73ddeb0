"""Fewer users, and users that are busy meanwhile; tests that are ended from all kinds of places."""

from __future__ import annotations

import gevent

import locust
from locust import constant, task
from locust.exception import StopTest, StopUser

from ..probe import probe
from ..running import ended, local, logged, started, unhandled, until, user_class


def busy_class(begun, finished, seconds=0.15, **attributes):
    """Users whose task takes that long."""

    def work(user):
        begun.append(user)
        gevent.sleep(seconds)
        finished.append(user)

    return user_class("Busy", tasks=[work], wait_time=constant(0), **attributes)


@probe
def fewer_users_finish_their_tasks(say):
    begun, finished = [], []
    env = local(busy_class(begun, finished), stop_timeout=5)
    with ended(env) as runner:
        started(env, 3)
        until(lambda: len(begun) == 3)
        runner.start(1, 100)
        runner.spawning_greenlet.join()
        say(runner.user_count, len(finished) >= 2, runner.state)


@probe
def fewer_users_are_killed_without_a_stop_timeout(say):
    begun, finished = [], []
    env = local(busy_class(begun, finished, seconds=5))
    with ended(env) as runner:
        started(env, 3)
        until(lambda: len(begun) == 3)
        runner.start(1, 100)
        runner.spawning_greenlet.join()
        say(runner.user_count, len(finished), runner.state)


@probe
def the_test_is_stopped_while_users_finish(say):
    begun, finished = [], []
    env = local(busy_class(begun, finished, seconds=0.3), stop_timeout=5)
    runner = env.runner
    started(env, 3)
    until(lambda: len(begun) == 3)
    runner.start(1, 100)
    until(lambda: sum(user._state == "stopping" for user in begun) == 2)
    with logged("locust.runners") as lines:
        runner.stop()
    say(runner.user_count, runner.state, len(finished), lines)
    runner.quit()


@probe
def more_users_are_wanted_while_others_finish(say):
    begun, finished = [], []
    env = local(busy_class(begun, finished, seconds=0.3), stop_timeout=5)
    with ended(env) as runner:
        started(env, 3)
        until(lambda: len(begun) == 3)
        runner.start(1, 100)
        until(lambda: sum(user._state == "stopping" for user in begun) == 2)
        runner.start(4, 100)
        runner.spawning_greenlet.join()
        say(runner.user_count, runner.target_user_count, runner.state)
        until(lambda: len(finished) >= 3)
        gevent.sleep(0.05)
        say(runner.user_count, runner.user_classes_count)


@probe
def stopped_twice_in_a_row_with_busy_users(say):
    begun, finished = [], []
    env = local(busy_class(begun, finished), stop_timeout=5)
    started(env, 2)
    until(lambda: len(begun) == 2)
    gevent.joinall([gevent.spawn(env.runner.stop_users, {"Busy": 2}) for _ in range(2)], timeout=5)
    say(env.runner.user_count, len(finished))
    env.runner.quit()


@probe
def the_test_is_stopped_while_it_ramps(say):
    env = local()
    env.events.spawning_complete.add_listener(lambda **kw: say("complete"))
    runner = env.runner
    runner.start(10, 2)
    until(lambda: runner.user_count == 2)
    runner.stop()
    say(runner.state, runner.user_count, runner.spawning_greenlet.dead, runner.target_user_classes_count)
    gevent.sleep(0.05)
    say(runner.user_count)
    runner.quit()


@probe.each("on_start", "task", "on_stop", "request", "test_start", "constructor")
def stop_test_is_raised_in(value, say):
    def end(*args, **kw):
        if value == "constructor":
            locust.User.__init__(*args)
        raise StopTest("enough")

    def task_of(user):
        user.environment.events.request.fire(request_type="X", name="n", response_time=1, response_length=1)
        gevent.sleep(0.05)
        if value == "on_stop":
            user.stop()

    places = {"on_start": {"on_start": end}, "task": {"tasks": [end]}, "on_stop": {"on_stop": end}}
    attributes = {"tasks": [task_of], **places.get(value, {})}
    if value == "constructor":
        attributes["__init__"] = end
    env = local(user_class("U", **attributes))
    if value in ("request", "test_start"):
        getattr(env.events, value).add_listener(end)
    for name in ("test_stopping", "test_stop"):
        getattr(env.events, name).add_listener(lambda name=name, **kw: say(name))
    with logged("locust") as lines:
        env.runner.start(1, 100)
        env.runner.spawning_greenlet.join()
        gevent.sleep(0.2)
        say(env.runner.state, env.runner.user_count, unhandled(), len(env.runner.exceptions))
    say([line.splitlines()[0].partition(" in greenlet")[0] for line in lines])
    env.runner.quit()


@probe.each("on_start", "task", "on_stop", "request listener", "user_error listener")
def the_runner_quits_in(value, say):
    def end(user=None, **kw):
        env.runner.quit()
        say("after")

    def work(user):
        user.environment.events.request.fire(request_type="X", name="n", response_time=1, response_length=1)
        gevent.sleep(0.02)
        if value == "user_error listener":
            raise ValueError
        user.stop()

    places = {"on_start": {"on_start": end}, "task": {"tasks": [end]}, "on_stop": {"on_stop": end}}
    env = local(user_class("U", **{"tasks": [work], **places.get(value, {})}))
    if value.endswith("listener"):
        getattr(env.events, value.split()[0]).add_listener(end)
    with logged("locust"):
        env.runner.start(1, 100)
        env.runner.greenlet.join(timeout=2)
        gevent.sleep(0.02)
    say(env.runner.state, env.runner.user_count, len(env.runner.greenlet))
    env.runner.quit()


@probe.each(0, 5)
def a_user_ends_the_test_while_others_are_busy(value, say):
    begun, finished = [], []

    def end(user):
        until(lambda: len(begun) == 3)
        user.environment.runner.quit()

    env = local(
        busy_class(begun, finished, on_stop=lambda user: say("on_stop")),
        user_class("Ender", tasks=[end], fixed_count=1),
        stop_timeout=value,
    )
    env.runner.start(4, 100)
    env.runner.greenlet.join(timeout=5)
    say(env.runner.state, env.runner.user_count, len(finished))
    env.runner.quit()


@probe
def another_user_quits_while_the_test_stops(say):
    """The runner's greenlets are there until all users are gone."""

    def on_stop(user):
        gevent.sleep(0.1)
        say("gone", len(env.runner.greenlet))

    def end(user):
        begun.append(user)
        until(lambda: len(begun) == 2)
        gevent.sleep(user.delay)
        user.environment.runner.quit()

    begun = []
    env = local(
        user_class("Sooner", tasks=[end], fixed_count=1, delay=0),
        user_class("Later", tasks=[end], fixed_count=1, delay=0.02),
        user_class("Last", on_stop=on_stop),
        stop_timeout=5,
    )
    env.runner.start(3, 100)
    env.runner.greenlet.join(timeout=5)
    say(env.runner.state, env.runner.user_count)
    env.runner.quit()


@probe
def users_raise_stop_user_while_the_test_stops(say):
    def on_stop(user):
        gone.append(user)
        raise StopUser

    gone = []
    env = local(user_class(on_stop=on_stop))
    started(env, 3)
    with logged() as lines:
        env.runner.stop()
    say(env.runner.state, env.runner.user_count, len(gone), lines)
    env.runner.quit()


@probe
def on_stop_raises_while_the_test_stops(say):
    def on_stop(user):
        raise ValueError("in on_stop")

    env = local(user_class(on_stop=on_stop))
    env.events.user_error.add_listener(lambda exception, **kw: say(repr(exception)))
    started(env, 2)
    with logged() as lines:
        env.runner.stop()
        say(env.runner.state, env.runner.user_count, [line.splitlines()[0].partition(" in")[0] for line in lines])
    env.runner.quit()


@probe
def on_start_takes_its_time_while_the_test_stops(say):
    def on_start(user):
        begun.append(1)
        gevent.sleep(5)
        say("never")

    begun = []
    env = local(user_class(on_start=on_start, on_stop=lambda user: say("on_stop")))
    env.runner.start(1, 100)
    until(lambda: begun)
    env.runner.stop()
    say(env.runner.state, env.runner.user_count)
    env.runner.quit()


@probe
def a_user_spawns_others(say):
    def on_start(user):
        if len(spawned) < 3:
            spawned.extend(user.environment.runner.spawn_users({"Idler": 1}))

    spawned = []
    env = local(user_class(on_start=on_start))
    with ended(env) as runner:
        started(env, 1)
        until(lambda: len(spawned) == 3)
        gevent.sleep(0.01)
        say(runner.user_count, runner.target_user_count)


@probe
def a_user_stops_others(say):
    def work(user):
        say(user.environment.runner.stop_users({"Idler": 2}))
        gevent.sleep(10)

    env = local(user_class(on_stop=lambda user: say("gone")), user_class("Stopper", tasks=[work], fixed_count=1))
    with ended(env) as runner:
        started(env, 4)
        until(lambda: runner.user_count == 2)
        say(runner.user_classes_count)


@probe
def a_user_changes_the_number_of_users(say):
    class Changer(locust.User):
        fixed_count = 1
        wait_time = constant(60)

        @task
        def change(self):
            self.environment.runner.start(5, 100)
            say(self.environment.runner.user_count)

    env = local(user_class(), Changer)
    with ended(env) as runner:
        runner.start(2, 100)
        until(lambda: runner.user_count == 5)
        say(runner.user_classes_count)


@probe
def users_killed_from_outside(say):
    env = local(user_class(on_stop=lambda user: say("on_stop")))
    with ended(env) as runner:
        users = runner.spawn_users({"Idler": 3})
        gevent.sleep(0.01)
        users[0].greenlet.kill()
        say(runner.user_count, users[0]._state)
        gevent.killall([user.greenlet for user in users[1:]])
        say(runner.user_count)
        runner.start(2, 100)
        until(lambda: runner.state == "running")
        say(runner.user_count)


@probe.each(0, 5)
def users_that_are_spawned_and_stopped_at_once(value, say):
    events = {"on_start": lambda user: say("on_start"), "on_stop": lambda user: say("on_stop")}
    env = local(user_class(**events), stop_timeout=value)
    with ended(env) as runner:
        runner.spawn_users({"Idler": 2})
        runner.stop_users({"Idler": 2})
        say(runner.user_count)


@probe
def a_test_that_is_stopped_at_once(say):
    env = local(user_class(on_start=lambda user: say("on_start"), on_stop=lambda user: say("on_stop")))
    for name in ("test_start", "test_stopping", "test_stop", "spawning_complete"):
        getattr(env.events, name).add_listener(lambda name=name, **kw: say(name))
    env.runner.start(3, 100)
    env.runner.stop()
    say(env.runner.state, env.runner.user_count)
    gevent.sleep(0.05)
    say(env.runner.state, env.runner.user_count)
    env.runner.quit()


@probe
def starts_in_a_row(say):
    env = local()
    env.events.test_start.add_listener(lambda **kw: say("test_start"))
    env.events.spawning_complete.add_listener(lambda user_count, **kw: say("complete", user_count))
    with ended(env) as runner:
        for users in (3, 1, 4, 2):
            runner.start(users, 100)
        runner.spawning_greenlet.join()
        say(runner.user_count, runner.state, runner.target_user_count)
