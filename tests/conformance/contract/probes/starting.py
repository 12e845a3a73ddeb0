"""Users started, run and stopped by hand."""

from __future__ import annotations

import gevent

from locust import TaskSet, User, constant, task
from locust.exception import StopTest, StopUser

from ..probe import probe


@probe
def started_and_stopped_by_hand(environment, group, say):
    class U(User):
        wait_time = constant(0)

        def on_start(self):
            say("on_start", self._state)

        def on_stop(self):
            say("on_stop", self._state)

        @task
        def a(self):
            say("a", self._state)
            gevent.sleep(5)

    user = U(environment(U))
    greenlet = user.start(group)
    say(user.greenlet is greenlet, user.group is group, greenlet in group, greenlet.args[0] is user, user._state)
    gevent.sleep(0)
    gevent.sleep(0)
    say(user._state, user.stop(), user._state, greenlet.dead)
    try:
        say(user.stop(), user._state, greenlet.dead)
    except Exception as error:
        say(type(error).__name__, str(error))
    say(user.stop(force=True), greenlet.dead, len(group))
    say(user._state, type(greenlet.exception).__name__, greenlet.successful())


@probe.each(False, True)
def stopped_while_waiting(value, environment, group, say):
    class U(User):
        wait_time = constant(5)

        def on_stop(self):
            say("on_stop", self._state)

        @task
        def a(self):
            say("a")

    user = U(environment(U))
    user.start(group)
    gevent.sleep(0.001)
    say(user._state)
    say(user.stop(value), user.greenlet.dead, len(group), user._state)


@probe.each(False, True)
def stopped_before_it_runs(value, environment, group, say):
    class U(User):
        def on_start(self):
            say("on_start")

        def on_stop(self):
            say("on_stop")

    user = U(environment(U))
    user.start(group)
    say(user._state)
    say(user.stop(value), user.greenlet.dead, len(group), user._state)


@probe.each(False, True)
def stopped_while_it_starts(value, environment, group, say):
    class U(User):
        def on_start(self):
            say("on_start")
            gevent.sleep(0.002)
            say("on_start has slept")

        def on_stop(self):
            say("on_stop", self._state)

        @task
        def a(self):
            say("a")
            gevent.sleep(5)

    user = U(environment(U))
    user.start(group)
    gevent.sleep(0)
    say(user.stop(value), user._state)
    group.join(5)
    say(user.greenlet.dead, len(group))
    user.greenlet.kill()


@probe.each("waiting", "unknown", "stopped", "", 5)
def stopped_in_a_strange_state(value, environment, group, say):
    user = User(environment())
    user.start(group)
    user._state = value
    try:
        say(user.stop(), user._state)
    except Exception as error:
        say(type(error).__name__, str(error))


@probe
def stopped_without_having_started(environment, say):
    user = User(environment())
    for force in (False, True):
        try:
            say(user.stop(force))
        except Exception as error:
            say(isinstance(error, Exception))


@probe
def stopped_gracefully_finishes_its_task(environment, group, say):
    class U(User):
        def on_stop(self):
            say("on_stop", self._state)

        @task
        class Set(TaskSet):
            def on_stop(self):
                say("on_stop of the set")

            @task
            def a(self):
                say("a")
                gevent.sleep(0.002)
                say("a has slept", self.user._state)

    user = U(environment(U))
    user.start(group)
    gevent.sleep(0.001)
    say(user.stop())
    say(group.join(5), user.greenlet.dead)


@probe
def run_by_hand(environment, say):
    class U(User):
        turn = 0

        def on_start(self):
            say("on_start")

        def on_stop(self):
            say("on_stop", self._state)

        @task
        def a(self):
            self.turn += 1
            say("a", self._state)
            if self.turn > 1:
                raise StopUser()

    user = U(environment(U))
    say(user.run(), user._state, user.turn, user.greenlet)
    say(user.run(), user.turn)


@probe.each(ValueError, StopUser, StopTest, KeyboardInterrupt, gevent.GreenletExit)
def run_by_hand_raises(value, environment, say):
    class U(User):
        def on_stop(self):
            say("on_stop")

        @task
        def a(self):
            say("a")
            raise value("x")

    try:
        say(U(environment(U, catch_exceptions=False)).run())
    except BaseException as error:
        say("raised", type(error).__name__)
