"""Users: their attributes, constructors, starting and stopping by hand, and how many of which class there are."""

from __future__ import annotations

from locust import FastHttpUser, HttpUser, TaskSet, User, task
from locust.exception import StopTest, StopUser
from locust.user import users as module
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from ..probe import probe


@probe
def attributes_of_the_class(say):
    for kind in (User, HttpUser, FastHttpUser):
        shown = ("host", "min_wait", "max_wait", "wait_function", "tasks", "weight", "fixed_count", "abstract")
        say(kind.__name__, {name: getattr(kind, name) for name in shown}, callable(kind.wait_time))


@probe
def attributes_of_an_instance(environment, say):
    env = environment()
    user = User(env)
    say(user.environment is env, user._state, user._greenlet, user._taskset_instance, user._cp_last_wait_time)
    say(user.greenlet, user.context(), user.wait_time())
    try:
        say(user.group)
    except AttributeError:
        say("no group")


@probe
def states(say):
    say(LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING, LOCUST_STATE_STOPPING)


@probe
def names_of_the_module(say):
    say(sorted(name for name in ("HttpUser", "User", "UserMeta", "TaskSet") if hasattr(module, name)))


class OfTheModule(User):
    """A user."""

    class Nested(User):
        pass


@probe
def fullname(say):
    class Local(User):
        class Deep(User):
            pass

    for kind in (OfTheModule, OfTheModule.Nested, Local, Local.Deep, type("Made", (User,), {}), User, HttpUser):
        say(kind.fullname(), kind.__qualname__)


@probe
def json(say):
    def f(user):
        pass

    class U(User):
        host = "http://h"
        weight = 3
        tasks = {f: 2}

        @task
        class Set(TaskSet):
            pass

    class V(U):
        fixed_count = 4

        @classmethod
        def json(cls):
            return {**super().json(), "more": cls.weight}

    say(U.json(), V.json(), User.json(), U(None).json())


@probe
def json_of_tasks_without_a_name(say):
    import functools

    class U(User):
        tasks = [functools.partial(print)]

    try:
        say(U.json())
    except AttributeError:
        say("AttributeError")


@probe.each(
    "nothing", "right", "without super", "super last", "more parameters", "environment by name", "raises", "stops"
)
def constructor(value, run, step):
    class U(User):
        if value == "right":

            def __init__(self, environment):
                super().__init__(environment)
                self.mine = 1

        elif value == "without super":

            def __init__(self, environment):
                self.mine = 1

        elif value == "super last":

            def __init__(self, environment):
                self.mine = 1
                super().__init__(environment)

        elif value == "more parameters":

            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.mine = len(args), sorted(kwargs)

        elif value == "environment by name":

            def __init__(self, environment):
                super().__init__(environment=environment)

        elif value == "raises":

            def __init__(self, environment):
                raise ValueError("broken")

        elif value == "stops":

            def __init__(self, environment):
                raise StopUser()

        def on_start(self):
            step("on_start", getattr(self, "mine", None))

        @task
        def a(self):
            step("a")

    run(U, steps=3)


@probe.each(1, 2, 3)
def constructor_that_raises_for_one_of_three(value, run, step):
    class U(User):
        made = []

        def __init__(self, environment):
            super().__init__(environment)
            self.made.append(self)
            step("made", len(self.made))
            if len(self.made) == value:
                raise ValueError("broken")

        @task
        def a(self):
            step("a")
            raise StopUser()

    run(U, users=3)


@probe
def constructor_that_stops_the_test(run, step):
    class U(User):
        def __init__(self, environment):
            super().__init__(environment)
            step("made")
            raise StopTest("enough")

    run(U)


@probe
def constructor_of_no_arguments(environment, say):
    for kind in (User, HttpUser):
        for arguments in ((), (None, None)):
            try:
                kind(*arguments)
                say("made")
            except TypeError:
                say("TypeError")


@probe.each(None, "", "http://h", "h", "ftp://h", "http://h/")
def host_of_an_http_user(value, environment, say):
    for kind in (HttpUser, FastHttpUser):
        made = type("U", (kind,), {"host": value})
        try:
            user = made(environment(made))
            say(kind.__name__, user.host, user.client.base_url)
        except Exception as error:
            say(kind.__name__, type(error).__name__, str(error))


@probe
def host_missing_while_running(run, step):
    class U(HttpUser):
        @task
        def a(self):
            step("never")

    run(U)


@probe
def host_of_the_environment(run, step):
    class U(User):
        host = "http://of-the-class"

        @task
        def a(self):
            step(self.host, type(self).host, self.environment.host)

    run(U, steps=1, host="http://of-the-environment")
    run(U, steps=1)


@probe
def client_of_an_http_user(environment, say):
    class U(HttpUser):
        host = "http://h"

    user = U(environment(U))
    say(type(user.client).__name__, user.client.trust_env, user.client.base_url, user.client.user is user)
    say(user.client.request_event is user.environment.events.request, U(user.environment).client is user.client)


@probe
def client_of_a_plain_user(environment, say):
    user = User(environment())
    try:
        say(user.client)
    except AttributeError:
        say("AttributeError")


@probe
def context(run, step, say):
    class U(User):
        def context(self):
            return {"mine": 5}

        @task
        def a(self):
            step(self.context(), User.context(self))

    run(U, steps=1)


@probe
def no_tasks(run, step):
    class U(User):
        pass

    class V(User):
        task = 5

    class W(User):
        @task
        class Set(TaskSet):
            pass

    class X(User):
        @task
        class Set(TaskSet):
            task = 5

    class Y(User):
        tasks = None

    for kind in (U, V, W, X, Y):
        run(kind, steps=2)


@probe
def attributes_are_each_user_s_own(run, say):
    users = []

    class U(User):
        def on_start(self):
            self.number = len(users)
            users.append(self)

        @task
        def a(self):
            self.number += 10
            if self.number > 30:
                raise StopUser()

    run(U, users=3)
    say([user.number for user in users], len({id(user._taskset_instance) for user in users}))


@probe
def slots_and_properties(run, step):
    class U(User):
        __slots__ = ("mine",)

        @property
        def host(self):
            return "http://computed"

        @task
        def a(self):
            self.mine = 5
            step(self.host, self.mine)

    run(U, steps=2)


@probe
def dunder_methods(run, step):
    class U(User):
        def __getattr__(self, name):
            if name.startswith("made_up"):
                return lambda: step(name)
            raise AttributeError(name)

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 1

        def __bool__(self):
            return False

        def __len__(self):
            return 0

        @task
        def a(self):
            self.made_up_method()

        @task
        class Set(TaskSet):
            def __len__(self):
                return 0

            def __eq__(self, other):
                return True

            __hash__ = None

            @task
            def b(self):
                step("b", self.user is not None)
                self.interrupt()

    run(U, steps=6)


@probe
def attribute_that_is_set_for_all(run, step):
    class U(User):
        def __setattr__(self, name, value):
            if not name.startswith("_") and name not in ("environment", "client"):
                step("set", name)
            super().__setattr__(name, value)

        @task
        def a(self):
            self.mine = 1
            step("a")

    run(U, steps=5)
