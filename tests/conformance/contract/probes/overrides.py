"""Steps of the task loop overridden, each alone: on classes, on instances, and patched while users run."""

from __future__ import annotations

import random

import gevent

from locust import MarkovTaskSet, SequentialTaskSet, TaskSet, User, constant, tag, task, transition
from locust.exception import LocustError, RescheduleTask, StopUser
from locust.user.task import DefaultTaskSet

from ..probe import probe

STEPS = ("get_next_task", "schedule_task", "execute_next_task", "execute_task", "wait", "_sleep", "wait_time")
OTHERS = ("interrupt", "on_start", "on_stop", "run")


def telling(step, name, original):
    """A method that says that it is called, and with what, and passes on."""

    def method(self, *args, **kwargs):
        shown = [getattr(each, "__name__", each) for each in args]
        step(name, type(self).__name__, shown, kwargs)
        return original(self, *args, **kwargs)

    return method


def body_of(kind, step):
    """Tasks that do most of what tasks do; and a method to be scheduled."""

    def a(self):
        step("a")

    def b(self):
        step("b")
        if hasattr(self, "schedule_task"):
            self.schedule_task(self.extra)
            self.schedule_task(plain, first=True)

    def c(self):
        step("c")
        if hasattr(self, "interrupt"):
            self.interrupt(reschedule=False)
        raise RescheduleTask()

    def extra(self):
        step("extra")

    def plain(self):
        step("plain")

    if kind is MarkovTaskSet:
        return {"a": transition("b")(a), "b": transition("c")(b), "c": transition("a")(c), "extra": extra}
    return {"a": task(a), "b": task(b), "c": task(c), "extra": extra}


@probe.each(*STEPS)
def of_a_task_set(value, run, step):
    for kind in (TaskSet, SequentialTaskSet, MarkovTaskSet):
        Set = type("Set", (kind,), {**body_of(kind, step), value: telling(step, value, getattr(kind, value))})
        run(type("U", (User,), {"tasks": [Set], "wait_time": constant(0)}), steps=25)


@probe.each(*OTHERS)
def of_a_task_set_but_no_step(value, run, step):
    for kind in (TaskSet, SequentialTaskSet, MarkovTaskSet):
        Set = type("Set", (kind,), {**body_of(kind, step), value: telling(step, value, getattr(kind, value))})
        run(type("U", (User,), {"tasks": [Set]}), steps=25)


@probe.each(*OTHERS)
def of_the_module_s_class_but_no_step(value, run, step, patch):
    patch(TaskSet, value, telling(step, value, getattr(TaskSet, value)))
    Set = type("Set", (TaskSet,), body_of(TaskSet, step))
    run(type("U", (User,), {"tasks": [Set]}), steps=25)


@probe.each("user", "client", "parent", "tasks")
def properties_of_a_task_set(value, run, step):
    class Set(TaskSet):
        @task
        def a(self):
            step("a", type(self.user).__name__, type(self.parent).__name__, self.tasks is not None)

        @task
        def leave(self):
            step("leave")
            self.interrupt()

    tasks = Set.tasks
    own = {
        "user": lambda self: self._user,
        "client": lambda self: "a client",
        "parent": lambda self: self,
        "tasks": lambda self: tasks[:1],
    }
    setattr(Set, value, property(own[value]))
    run(type("U", (User,), {"tasks": [Set]}), steps=10)


@probe.each("parent", "parent and more", "raises", "by name")
def constructor_of_a_task_set(value, run, step):
    class Set(TaskSet):
        if value == "parent":

            def __init__(self, parent):
                super().__init__(parent)
                self.words = "set"

        elif value == "parent and more":

            def __init__(self, parent, words="default"):
                super().__init__(parent)
                self.words = words

        elif value == "raises":

            def __init__(self, parent):
                step("made")
                raise ValueError("broken")

        elif value == "by name":

            def __init__(self, *args, **kwargs):
                step(len(args), sorted(kwargs))
                super().__init__(*args, **kwargs)
                self.words = "set"

        @task
        def a(self):
            step("a", self.words)
            self.interrupt()

    run(type("U", (User,), {"tasks": [Set]}), steps=5)


@probe.each(*STEPS)
def of_an_instance(value, run, step):
    for kind in (TaskSet, SequentialTaskSet):

        def on_start(self):
            setattr(self, value, telling(step, value, getattr(type(self), value)).__get__(self))

        Set = type("Set", (kind,), {**body_of(kind, step), "on_start": on_start})
        run(type("U", (User,), {"tasks": [Set]}), steps=25)


@probe.each(*STEPS)
def of_the_module_s_class(value, run, step, patch):
    for kind in (TaskSet, DefaultTaskSet):
        patch(kind, value, telling(step, value, getattr(kind, value)))
        Set = type("Set", (TaskSet,), body_of(TaskSet, step))
        run(type("U", (User,), {"tasks": [Set]}), steps=25)


@probe.each(*STEPS)
def of_the_module_s_class_on_a_user_with_tasks(value, run, step, patch):
    patch(DefaultTaskSet, value, telling(step, value, getattr(DefaultTaskSet, value)))
    run(type("U", (User,), body_of(User, step)), steps=25)


@probe.each("wait", "wait_time", "_sleep", "get_next_task", "execute_task", "schedule_task", "run")
def of_a_user(value, run, step):
    class U(User):
        @task
        def a(self):
            step("a")

        @task
        class Set(TaskSet):
            @task
            def b(self):
                step("b")
                self.interrupt(reschedule=False)

    own = getattr(User, value, lambda self: None)
    setattr(U, value, telling(step, value, own))
    run(U, steps=12)


@probe.each(*STEPS)
def of_a_mixin(value, run, step):
    class Mixin:
        pass

    setattr(Mixin, value, telling(step, value, getattr(TaskSet, value)))
    Set = type("Set", (Mixin, TaskSet), body_of(TaskSet, step))
    run(type("U", (User,), {"tasks": [Set]}), steps=25)


@probe.each(*STEPS)
def of_a_mixin_patched_later(value, run, step):
    class Mixin:
        pass

    class Set(Mixin, TaskSet):
        @task
        def a(self):
            step("a")
            setattr(Mixin, value, telling(step, value, getattr(TaskSet, value)))
            self.interrupt(reschedule=False)

    run(type("U", (User,), {"tasks": [Set]}), steps=12)


@probe.each(*STEPS)
def patched_by_a_task(value, run, step):
    for kind in (TaskSet, SequentialTaskSet):

        class Set(kind):
            @task
            def a(self):
                step("a")
                setattr(Set, value, telling(step, value, getattr(type(self).__mro__[1], value)))

            @task
            def b(self):
                step("b")

        run(type("U", (User,), {"tasks": [Set]}), steps=12)


@probe.each(*STEPS)
def patched_by_a_task_on_the_module_s_class_and_back(value, run, step, patch):
    original = getattr(DefaultTaskSet, value)
    patch(DefaultTaskSet, value, original)

    class U(User):
        turn = 0

        @task
        def a(self):
            self.turn += 1
            step("a", self.turn)
            if self.turn == 3:
                setattr(DefaultTaskSet, value, telling(step, value, original))
            if self.turn == 6:
                setattr(DefaultTaskSet, value, original)

    run(U, steps=20)


@probe.each(*STEPS)
def set_on_the_instance_by_a_task_and_back(value, run, step):
    for kind in (TaskSet, SequentialTaskSet):

        class Set(kind):
            turn = 0

            @task
            def a(self):
                self.turn += 1
                step("a", self.turn)
                if self.turn == 3:
                    setattr(self, value, telling(step, value, getattr(type(self), value)).__get__(self))
                if self.turn == 6:
                    delattr(self, value)

        run(type("U", (User,), {"tasks": [Set]}), steps=20)


@probe.each(*STEPS)
def patched_while_the_user_waits(value, run, step):
    class Set(TaskSet):
        def wait_time(self):
            step("wait_time")
            return 0.001

        @task
        def a(self):
            step("a")
            if value not in vars(Set):
                gevent.spawn(setattr, Set, value, telling(step, value, getattr(TaskSet, value)))

    run(type("U", (User,), {"tasks": [Set]}), steps=12)


@probe
def next_task_chosen_by_hand(run, step):
    class Set(TaskSet):
        turn = 0

        @task
        def a(self):
            step("a")

        @task(100)
        def b(self):
            step("b")

        def get_next_task(self):
            self.turn += 1
            return self.a if self.turn % 3 else type(self).b

    run(type("U", (User,), {"tasks": [Set]}), steps=9)


@probe
def next_task_that_is_wrong(run, step):
    for wrong in (None, "a", 5, [step], int):
        Set = type("Set", (TaskSet,), {"get_next_task": lambda self, wrong=wrong: wrong, "tasks": [step]})
        run(type("U", (User,), {"tasks": [Set]}), steps=3)


@probe
def next_task_raises(run, step):
    class Set(TaskSet):
        def get_next_task(self):
            step("get_next_task")
            raise LocustError("no idea")

    run(type("U", (User,), {"tasks": [Set]}), steps=5)


@probe
def tasks_chosen_by_weight_of_the_moment(run, step):
    class Set(TaskSet):
        @task
        def a(self):
            step("a")

        @task
        def b(self):
            step("b")

        def get_next_task(self):
            return random.choices(self.tasks, weights=[1, 9])[0]

    run(type("U", (User,), {"tasks": [Set]}), steps=15)


@probe
def execution_measured(run, step, say):
    class Set(TaskSet):
        def execute_task(self, task):
            step("before", task.__name__)
            try:
                super().execute_task(task)
            finally:
                say("after", task.__name__)

        @task
        def a(self):
            step("a")

        @task
        def b(self):
            step("b")
            raise ValueError("broken")

        @task
        class Inner(TaskSet):
            @task
            def c(self):
                step("c")
                self.interrupt()

    run(type("U", (User,), {"tasks": [Set]}), steps=20)


@probe
def execution_skipped(run, step):
    class Set(TaskSet):
        def execute_next_task(self):
            step("skip", self._task_queue.popleft().__name__)

        @task
        def a(self):
            step("never")

    run(type("U", (User,), {"tasks": [Set]}), steps=5)


@probe
def wait_that_does_not(run, step):
    class Set(TaskSet):
        wait_time = constant(1000)

        def wait(self):
            step("no wait")
            gevent.sleep(0)

        @task
        def a(self):
            step("a")

    run(type("U", (User,), {"tasks": [Set]}), steps=8)


@probe
def sleep_that_is_short(run, step):
    class Set(TaskSet):
        wait_time = constant(1000)

        def _sleep(self, seconds):
            step("sleep", seconds, self.user._state)
            gevent.sleep(0)

        @task
        def a(self):
            step("a", self.user._state)

    run(type("U", (User,), {"tasks": [Set]}), steps=8)


@probe
def wait_raises(run, step):
    class Set(TaskSet):
        def wait(self):
            step("wait")
            raise StopUser()

        def on_stop(self):
            step("on_stop")

        @task
        def a(self):
            step("a")

    run(type("U", (User,), {"tasks": [Set], "on_stop": lambda self: step("on_stop of the user")}))


@probe
def handed_from_one_loop_to_the_other(run, step):
    """What is scheduled, and where a sequence is, stays when a step is replaced."""

    class Set(SequentialTaskSet):
        @task
        def one(self):
            step("one")
            self.schedule_task(self.extra)
            self.schedule_task(self.extra)

        @task
        def two(self):
            step("two")
            self.execute_task = telling(step, "execute_task", SequentialTaskSet.execute_task).__get__(self)

        @task
        def three(self):
            step("three")
            del self.execute_task

        @task
        def four(self):
            step("four", sorted(name for name in vars(self) if name in STEPS))

        def extra(self):
            step("extra")

    run(type("U", (User,), {"tasks": [Set]}), steps=22)


@probe
def tagged_and_overridden(run, step):
    class Set(TaskSet):
        @tag("x")
        @task
        def a(self):
            step("a")

        @task
        def b(self):
            step("b")

        def get_next_task(self):
            step("pick of", len(self.tasks))
            return super().get_next_task()

    run(type("U", (User,), {"tasks": [Set]}), steps=6, tags=["x"])
