"""Sequential task sets: what runs after what."""

from __future__ import annotations

from locust import SequentialTaskSet, TaskSet, User, task
from locust.exception import LocustError, RescheduleTask, RescheduleTaskImmediately, StopUser
from locust.user.sequential_taskset import SequentialTaskSetMeta

from ..probe import probe


def f(tasks):
    tasks.user.step("f", type(tasks).__name__)


def g(tasks):
    tasks.user.step("g")


def user_of(step, *tasks):
    listed = list(tasks)

    class U(User):
        tasks = listed

    U.step = staticmethod(step)
    return U


@probe
def in_the_order_of_the_body(run, step):
    class Steps(SequentialTaskSet):
        @task
        def b(self):
            step("b")

        @task(2)
        def a(self):
            step("a")

        tasks = [f, g]

        @task
        def c(self):
            step("c")

    run(user_of(step, Steps), steps=15)


@probe.each("list", "dict", "pairs")
def tasks_of(value, run, step, say):
    given = {"list": [f, g, f], "dict": {g: 2, f: 1}, "pairs": [(f, 2), (g, 1)]}[value]

    class Steps(SequentialTaskSet):
        tasks = given

    run(user_of(step, Steps), steps=10)


@probe.each("tuple", "set", "none", "generator", "text")
def tasks_it_refuses(value, say):
    given = {"tuple": (f,), "set": {f}, "none": None, "generator": iter([f]), "text": "f"}[value]
    try:
        type("Steps", (SequentialTaskSet,), {"tasks": given})
        say("taken")
    except Exception as error:
        say(type(error).__name__, str(error))


@probe
def inherited(run, step):
    class Base(SequentialTaskSet):
        @task
        def a(self):
            step("a of Base")

        @task
        def b(self):
            step("b of Base")

    class Steps(Base):
        @task
        def a(self):
            step("a of Steps")

        def b(self):
            step("b of Steps")

    run(user_of(step, Steps), steps=10)


@probe
def inherited_from_a_plain_set(run, step):
    class Base(TaskSet):
        tasks = {f: 2}

        @task
        def a(self):
            step("a")

    class Steps(SequentialTaskSet, Base):
        @task
        def b(self):
            step("b")

    run(user_of(step, Steps), steps=10)


@probe
def inserted_sets(run, step):
    class Steps(SequentialTaskSet):
        @task
        def a(self):
            step("a", type(self.parent).__name__)

        @task(2)
        class Inner(SequentialTaskSet):
            @task
            def x(self):
                step("x", type(self.parent).__name__)

            @task
            def y(self):
                step("y")
                self.interrupt()

        @task
        class Other(TaskSet):
            @task
            def z(self):
                step("z")
                self.interrupt(reschedule=False)

        @task
        def b(self):
            step("b")

    run(user_of(step, Steps), steps=20)


@probe
def begins_again_on_each_entry(run, step):
    class Steps(SequentialTaskSet):
        @task
        def a(self):
            step("a")

        @task
        def b(self):
            step("b")
            self.interrupt()

        @task
        def c(self):
            step("never")

    run(user_of(step, Steps), steps=9)


@probe
def only_one_task(run, step):
    class Steps(SequentialTaskSet):
        @task
        def a(self):
            step("a")

    run(user_of(step, Steps), steps=4)


@probe
def without_tasks(run, step, say):
    class Steps(SequentialTaskSet):
        def on_start(self):
            step("on_start")

        def wait(self):
            step("wait")
            super().wait()

    run(user_of(step, Steps), steps=4)


@probe
def asked_for_the_next_by_hand(environment, say):
    class Steps(SequentialTaskSet):
        tasks = [f, g]

    class U(User):
        pass

    user = U(environment(U))
    steps = Steps(user)
    say([steps.get_next_task().__name__ for _ in range(5)])
    steps.tasks = [g]
    say([steps.get_next_task().__name__ for _ in range(2)])
    for nothing in ([], None):
        steps.tasks = nothing
        try:
            steps.get_next_task()
        except LocustError as error:
            say(str(error))
    Steps.tasks = []
    say([Steps(user).tasks])
    try:
        Steps(user).get_next_task()
    except LocustError as error:
        say(str(error))


@probe
def scheduled_in_between(run, step):
    class Steps(SequentialTaskSet):
        @task
        def a(self):
            step("a")
            self.schedule_task(self.extra)
            self.schedule_task(g, first=True)

        @task
        def b(self):
            step("b")

        def extra(self):
            step("extra")

    run(user_of(step, Steps), steps=12)


@probe.each(RescheduleTask, RescheduleTaskImmediately, ValueError)
def task_that_raises_is_over(value, run, step):
    class Steps(SequentialTaskSet):
        @task
        def a(self):
            step("a")
            raise value("x")

        @task
        def b(self):
            step("b")

    run(user_of(step, Steps), steps=6)


@probe
def own_cycle(run, step):
    class Steps(SequentialTaskSet):
        def on_start(self):
            import itertools

            self._task_cycle = itertools.cycle([g, f])

        @task
        def a(self):
            step("a")

    run(user_of(step, Steps), steps=5)


@probe
def own_init(run, step):
    class Steps(SequentialTaskSet):
        def __init__(self, parent):
            super().__init__(parent)
            self.pages = ["x", "y"]
            step("init", type(parent).__name__)

        @task
        def a(self):
            step(self.pages.pop())
            if not self.pages:
                self.interrupt()

    run(user_of(step, Steps), steps=9)


@probe
def exhausted_cycle(run, step):
    class Steps(SequentialTaskSet):
        def on_start(self):
            self._task_cycle = iter([f])

        @task
        def a(self):
            step("a")

    class U(User):
        tasks = [Steps]

        def wait(self):
            step("wait")

    U.step = staticmethod(step)

    run(U, steps=5)


@probe
def made_by_the_metaclass(say):
    made = SequentialTaskSetMeta("Made", (SequentialTaskSet,), {"tasks": {f: 2}, "a": task(g)})
    say([each.__name__ for each in made.tasks], made.__mro__[1].__name__)


@probe
def two_users_have_two_places(run, say):
    seen = []

    class Steps(SequentialTaskSet):
        def on_start(self):
            self.seen = []
            seen.append(self.seen)

        @task
        def a(self):
            self.seen.append("a")

        @task
        def b(self):
            self.seen.append("b")
            if len(self.seen) > 5:
                raise StopUser()

    run(user_of(None, Steps), users=3)
    say(seen)
