"""What a task set runs next: its queue, its `tasks`, and the draw, changed while users run."""

from __future__ import annotations

import random

import locust
from locust import TaskSet, User, task

from ..probe import probe


@probe.each("class", "instance", "user")
def tasks_of_a_set_replaced_while_running(value, run, step):
    def other(tasks):
        step("other", type(tasks).__name__)

    class U(User):
        @task
        class Set(TaskSet):
            @task
            def a(self):
                step("a")
                holder = {"class": type(self), "instance": self, "user": self.user}[value]
                holder.tasks = [other]
                if value == "user":
                    self.interrupt()

    run(U, steps=4)


@probe
def queue_by_hand(run, step, say):
    class Set(TaskSet):
        @task
        def a(self):
            step("a", len(self._task_queue))
            self.schedule_task(self.b)
            self._task_queue.append(self.b)
            self._task_queue.appendleft(self.c)
            step([each.__name__ for each in self._task_queue])

        def b(self):
            step("b")

        def c(self):
            step("c")
            self._task_queue.clear()

    run(type("U", (User,), {"tasks": [Set]}), steps=12)


@probe
def queue_filled_without_scheduling(run, step):
    class Set(TaskSet):
        def on_start(self):
            self._task_queue.append(type(self).b)

        @task
        def a(self):
            step("a")

        def b(self):
            step("b")

    run(type("U", (User,), {"tasks": [Set]}), steps=4)


@probe.each("function", "bound method", "method of the class", "task set", "class", "lambda", "nothing")
def scheduled(value, run, step):
    class Inner(TaskSet):
        @task
        def deep(self):
            step("deep", type(self.parent).__name__)
            self.interrupt()

    class Thing:
        def __init__(self, tasks):
            step("Thing", type(tasks).__name__)

    class Set(TaskSet):
        @task
        def a(self):
            step("a")
            self.schedule_task(
                {
                    "function": function,
                    "bound method": self.b,
                    "method of the class": type(self).b,
                    "task set": Inner,
                    "class": Thing,
                    "lambda": lambda tasks: step("lambda", type(tasks).__name__),
                    "nothing": None,
                }[value]
            )

        def b(self):
            step("b")

    def function(tasks):
        step("function", type(tasks).__name__)

    run(type("U", (User,), {"tasks": [Set]}), steps=8)


@probe.each("function", "bound method", "method of the class", "first")
def scheduled_for_the_user_s_own_set(value, run, step):
    class U(User):
        @task
        def a(self):
            step("a")
            scheduled = {"function": function, "bound method": self.b, "method of the class": U.b, "first": U.b}[value]
            self._taskset_instance.schedule_task(U.c)
            self._taskset_instance.schedule_task(scheduled, first=value == "first")

        def b(self):
            step("b")

        def c(self):
            step("c")

    def function(user):
        step("function", type(user).__name__)

    run(U, steps=9)


@probe
def scheduled_in_on_start(run, step):
    class Set(TaskSet):
        def on_start(self):
            self.schedule_task(self.first)
            self.schedule_task(self.zeroth, True)

        def first(self):
            step("first")

        def zeroth(self):
            step("zeroth")

        @task
        def a(self):
            step("a")
            self.interrupt()

    run(type("U", (User,), {"tasks": [Set]}), steps=8)


@probe
def scheduled_with_words(run, step):
    class Set(TaskSet):
        @task
        def a(self):
            step("a")
            for arguments in ({"task_callable": self.b}, {"task_callable": self.c, "first": True}):
                self.schedule_task(**arguments)
            try:
                self.schedule_task()
            except TypeError:
                step("TypeError")

        def b(self):
            step("b")

        def c(self):
            step("c")

    run(type("U", (User,), {"tasks": [Set]}), steps=10)


@probe
def called_by_hand(run, step):
    class Set(TaskSet):
        @task
        def a(self):
            step("a")
            if not hasattr(self, "once"):
                self.once = True
                self.execute_task(self.b)
                self.execute_task(Set.b)
                self.execute_task(lambda tasks: step("lambda"))
                self.schedule_task(self.b)
                self.execute_next_task()
                step(self.get_next_task().__name__)
                try:
                    self.execute_next_task()
                except IndexError as error:
                    step(type(error).__name__)

        def b(self):
            step("b")

    run(type("U", (User,), {"tasks": [Set]}), steps=10)


@probe
def called_on_the_user_s_own_set(run, step):
    class U(User):
        @task
        def a(self):
            step("a")
            if not hasattr(self, "once"):
                self.once = True
                own = self._taskset_instance
                own.execute_task(U.b)
                own.execute_task(lambda user: step("lambda", type(user).__name__))
                try:
                    own.execute_task(self.b)
                except TypeError as error:
                    step(type(error).__name__)

        def b(self):
            step("b")

    run(U, steps=6)


@probe.each("class", "instance", "property", "tuple", "generator", "other list", "empty list", "none", "text")
def tasks_replaced_while_running(value, run, step):
    class U(User):
        @task
        def a(self):
            step("a")
            new = [U.b]
            if value == "class":
                U.tasks = new
            elif value == "property":
                U.tasks = property(lambda self: [U.b, U.b])
            else:
                self.tasks = {
                    "instance": new,
                    "tuple": (U.b,),
                    "generator": iter(new),
                    "other list": type("Other", (list,), {})(new),
                    "empty list": [],
                    "none": None,
                    "text": "b",
                }[value]

        def b(self):
            step("b")

    run(U, steps=5)


@probe
def tasks_as_a_list_of_ones_own(run, step):
    class Turns(list):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return U.b

    class U(User):
        @task
        def a(self):
            step("a")
            self.tasks = Turns([U.a, U.a])

        def b(self):
            step("b")

    run(U, steps=5)


@probe
def choice_patched(run, step, patch):
    class U(User):
        @task
        def a(self):
            step("a")

        @task
        def b(self):
            step("b")

    patch(random, "choice", lambda tasks: tasks[-1])
    run(U, steps=4)


@probe
def seeded_while_running(run, step):
    class U(User):
        wait_time = locust.between(0, 0.00001)

        @task
        def a(self):
            step("a", random.random())
            random.seed(3)

        @task
        def b(self):
            step("b", random.randint(0, 99))

        @task(5)
        def c(self):
            step("c")

    run(U, steps=20)


@probe
def many_tasks(run, step):
    def numbered(number):
        return lambda user: step(number)

    class U(User):
        tasks = [numbered(number) for number in range(1000)]

    run(U, steps=20)
