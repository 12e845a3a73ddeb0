"""Users and task sets without a runner, as unit tests of locustfiles have them."""

from __future__ import annotations

from unittest import mock

import gevent

from locust import FastHttpUser, HttpUser, MarkovTaskSet, SequentialTaskSet, TaskSet, User, constant, task, transition
from locust.exception import RescheduleTask, RescheduleTaskImmediately, StopUser
from locust.user.task import DefaultTaskSet

from ..probe import probe

SETS = (TaskSet, SequentialTaskSet, MarkovTaskSet)


def set_of(kind, say, leave):
    def a(self):
        say("a")

    def b(self):
        say("b")
        self.turn += 1
        if self.turn == 2:
            leave(self)

    body = {"turn": 0, "on_start": lambda self: say("on_start"), "on_stop": lambda self: say("on_stop")}
    if kind is MarkovTaskSet:
        return type("Set", (kind,), {**body, "a": transition("b")(a), "b": transition("a")(b)})
    return type("Set", (kind,), {**body, "a": task(a), "b": task(b)})


def stop(tasks):
    raise StopUser()


def fail(tasks):
    raise ValueError("broken")


WAYS = {
    "interrupted": lambda tasks: tasks.interrupt(),
    "interrupted without rescheduling": lambda tasks: tasks.interrupt(reschedule=False),
    "stopped": stop,
    "failing": fail,
}


@probe.each(*WAYS)
def run_of_a_task_set(value, environment, say, patch):
    for kind in SETS:
        user = User(environment(catch_exceptions=False))
        try:
            say(set_of(kind, say, WAYS[value])(user).run())
        except Exception as error:
            say(type(error).__name__, error.args, user._state)


@probe.each(*WAYS)
def run_of_a_task_set_inside_another(value, environment, say):
    user = User(environment(catch_exceptions=False))
    Outer = type("Outer", (TaskSet,), {"tasks": [set_of(TaskSet, say, WAYS[value])]})
    outer = Outer(user)
    outer.schedule_task(outer.get_next_task())
    try:
        say(outer.execute_next_task())
    except Exception as error:
        say(type(error).__name__, error.args)


@probe
def run_of_the_user_s_own_set(environment, say):
    class U(User):
        turn = 0

        @task
        def a(self):
            self.turn += 1
            say("a", self.turn)
            if self.turn == 3:
                raise StopUser()

    try:
        DefaultTaskSet(U(environment(U))).run()
    except StopUser:
        say("StopUser")


@probe.each("none", "mock", "object")
def user_of_an_environment_that_is(value, say):
    class U(User):
        turn = 0

        @task
        def a(self):
            self.turn += 1
            say("a", self.turn)
            if self.turn == 3:
                raise StopUser()

    user = U({"none": None, "mock": mock.Mock(), "object": object()}[value])
    say(user.run(), user._state)


@probe
def failing_without_an_environment(say):
    class U(User):
        @task
        def a(self):
            say("a")
            raise ValueError("broken")

    try:
        U(None).run()
    except AttributeError as error:
        say(str(error), type(error.__context__).__name__)


@probe
def failing_with_a_mock_for_an_environment(say):
    environment = mock.Mock(catch_exceptions=True)

    class U(User):
        turn = 0

        @task
        def a(self):
            self.turn += 1
            if self.turn == 3:
                raise StopUser()
            raise ValueError("broken")

    U(environment).run()
    fired = environment.events.user_error.fire
    say(fired.call_count, sorted(fired.call_args.kwargs))


@probe
def set_of_a_mock_for_a_user(say):
    class Set(TaskSet):
        @task
        def a(self):
            say("a", self.client.get("/").status_code)
            self.interrupt()

    user = mock.Mock(min_wait=None, max_wait=None, wait_function=None)
    user.client.get.return_value.status_code = 200
    try:
        Set(user).run()
    except RescheduleTaskImmediately:
        say("left", user.client.get.call_args)


@probe
def set_of_another_class_for_a_user(say):
    class Plain:
        min_wait = max_wait = wait_function = None
        _state = "running"

        def wait_time(self):
            return 0

    class Set(TaskSet):
        turn = 0

        @task
        def a(self):
            self.turn += 1
            say("a", type(self.user).__name__, self.user._state)
            if self.turn == 2:
                self.interrupt(reschedule=False)

    try:
        Set(Plain()).run()
    except RescheduleTask:
        say("left")


@probe
def methods_called_as_they_are(environment, say):
    class U(HttpUser):
        host = "http://h"

        @task
        def a(self):
            say(self.client.get("/a").text)

    class F(FastHttpUser):
        host = "http://h"

        @task
        def a(self):
            say(self.client.get("/a").text)

    for kind in (U, F):
        user = kind(environment(kind))
        user.client = mock.Mock()
        user.client.get.return_value.text = "answered"
        user.a()
        kind.tasks[0](user)
        say(user.client.get.call_count, kind.a is kind.tasks[0])


@probe
def method_of_a_set_called_as_it_is(environment, say):
    class Set(TaskSet):
        @task
        def a(self):
            say("a", type(self.user).__name__)

        @task
        class Inner(TaskSet):
            @task
            def b(self):
                say("b", type(self.parent).__name__)

    tasks = Set(User(environment()))
    tasks.a()
    Set.a(tasks)
    Set.Inner(tasks).b()
    tasks.Inner(tasks).b()


@probe
def patched_methods_of_a_user(environment, say):
    class U(User):
        @task
        def a(self):
            say("a")
            raise StopUser()

    with mock.patch.object(U, "on_start") as on_start, mock.patch.object(U, "on_stop") as on_stop:
        U(environment(U)).run()
        say(on_start.call_count, on_stop.call_count)
    with mock.patch.object(U, "wait_time", constant(1)), mock.patch.object(TaskSet, "_sleep") as sleep:
        U(environment(U)).run()
        say(sleep.call_count)


@probe
def mocks_as_tasks(environment, say):
    one = mock.create_autospec(fail, side_effect=[None, None, StopUser()])

    class U(User):
        tasks = [one]

    user = U(environment(U))
    user.run()
    say(one.call_count, one.call_args.args == (user,))

    inner = mock.create_autospec(fail, side_effect=[None, StopUser()])
    Set = type("Set", (TaskSet,), {"tasks": [inner]})
    V = type("V", (User,), {"tasks": [Set]})
    V(environment(V)).run()
    say(inner.call_count, type(inner.call_args.args[0]).__name__)


@probe
def in_greenlets_of_ones_own(environment, group, say):
    class U(User):
        turn = 0

        @task
        def a(self):
            self.turn += 1
            gevent.sleep(0)
            if self.turn == 3:
                raise StopUser()

    users = [U(environment(U)) for _ in range(3)]
    for user in users:
        group.spawn(user.run)
    group.join()
    say([user.turn for user in users], [user.greenlet for user in users])


@probe
def hooks_called_by_hand(environment, say):
    class Set(TaskSet):
        def on_start(self):
            say("on_start of the set")

    class U(User):
        def on_start(self):
            say("on_start")
            super().on_start()

        def on_stop(self):
            say("on_stop")
            super().on_stop()

    user = U(environment(U))
    user.on_start()
    user.on_stop()
    Set(user).on_start()
    say(Set(user).on_stop(), TaskSet(user).on_start())
