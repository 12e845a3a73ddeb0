"""What users do: picks, task sets, hooks, waits and the exceptions that steer them, line by line in the same order."""

from __future__ import annotations

from textwrap import dedent

import pytest

PREAMBLE = """
import logging, os, random, sys, time
import gevent
from locust import *
from locust.exception import *

random.seed(7)

def say(*words):
    print(*words, flush=True)

class Left:
    steps = 30

def step(user, *words):
    '''Say something, and end the run after a number of steps.'''
    say(*words)
    Left.steps -= 1
    if Left.steps == 0:
        say("signal SIGTERM")
        gevent.sleep(30)

@events.user_error.add_listener
def on_user_error(user_instance, exception, **kwargs):
    say("user_error", type(user_instance).__name__, repr(exception))
"""

CASES = {
    "picks by weight": """
        class U(User):
            @task(3)
            def a(self): step(self, "a")
            @task
            def b(self): step(self, "b")
            @task(6)
            def c(self): step(self, "c")
        """,
    "picks and random waits draw in the same order": """
        class U(User):
            wait_time = between(0, 0.01)
            @task(2)
            def a(self): step(self, "a", random.random())
            @task
            def b(self): step(self, "b", random.randint(1, 10))
        """,
    "tasks as a list": """
        def f(user): step(user, "f", type(user).__name__)
        def g(user): step(user, "g")
        class U(User): tasks = [f, g, g]
        """,
    "tasks as a dict": """
        def f(user): step(user, "f")
        def g(user): step(user, "g")
        class U(User): tasks = {f: 5, g: 1}
        """,
    "tasks of a base class": """
        class Base(User):
            abstract = True
            @task
            def a(self): step(self, "a of", type(self).__name__)
        class U(Base):
            @task(2)
            def b(self): step(self, "b")
        """,
    "one user many steps": """
        class U(User):
            def __init__(self, environment):
                super().__init__(environment)
                self.count = 0
            @task
            def a(self):
                self.count += 1
                step(self, self.count)
                if self.count % 7 == 0: gevent.sleep(0.001)
        """,
    "nested task sets": """
        class U(User):
            wait_time = constant(0)
            @task
            class Outer(TaskSet):
                def on_start(self): step(self, "outer on_start")
                def on_stop(self): say("outer on_stop")
                @task(2)
                class Inner(TaskSet):
                    def on_start(self): step(self, "inner on_start", type(self.parent).__name__, type(self.user).__name__)
                    def on_stop(self): say("inner on_stop")
                    @task(3)
                    def work(self): step(self, "work")
                    @task
                    def leave(self): step(self, "leave"); self.interrupt()
                @task
                def leave(self): step(self, "outer leave"); self.interrupt(reschedule=False)
        """,
    "a task set as a class of its own": """
        class Browsing(TaskSet):
            count = 0
            @task(2)
            def page(self):
                self.count += 1
                step(self, "page", self.count, self.user.name)
                if self.count == 4: self.interrupt()
        class U(User):
            name = "jo"
            tasks = [Browsing]
            @task
            def home(self): step(self, "home")
        """,
    "sequential": """
        class U(User):
            @task
            class Steps(SequentialTaskSet):
                def on_start(self): step(self, "begin")
                @task
                def one(self): step(self, "one")
                @task(2)
                def two(self): step(self, "two")
                @task
                def three(self): step(self, "three"); self.interrupt()
                @task
                def never(self): step(self, "never")
            @task(2)
            def other(self): step(self, "other")
        """,
    "sequential without an end": """
        class Steps(SequentialTaskSet):
            @task
            def one(self): step(self, "one")
            @task
            class Nested(TaskSet):
                @task
                def deep(self): step(self, "deep"); self.interrupt()
            @task
            def two(self): step(self, "two")
        class U(User): tasks = [Steps]
        """,
    "sequential, seen from a list": """
        def one(tasks): step(tasks, "one")
        def two(tasks): step(tasks, "two")
        class Steps(SequentialTaskSet): tasks = [one, two, one]
        class U(User): tasks = {Steps: 1}
        """,
    "markov": """
        class Visit(MarkovTaskSet):
            @transitions({"b": 3, "c": 1})
            def a(self): step(self, "a")
            @transitions([("c", 4), "a"])
            def b(self): step(self, "b")
            @transition("a")
            def c(self): step(self, "c")
        class U(User): tasks = [Visit]
        """,
    "hooks and the end": """
        class U(User):
            wait_time = constant(0.01)
            def on_start(self): step(self, "on_start")
            def on_stop(self): say("on_stop")
            @task
            def a(self): step(self, "a")
        """,
    "StopUser in a task": """
        class U(User):
            def on_stop(self): say("on_stop"); self.environment.runner.quit()
            @task
            class Set(TaskSet):
                def on_stop(self): say("set on_stop")
                @task
                def a(self): say("a"); raise StopUser()
        """,
    "StopUser in on_start": """
        class U(User):
            def on_start(self): say("on_start"); raise StopUser()
            def on_stop(self): say("on_stop"); gevent.spawn(self.environment.runner.quit)
            @task
            def a(self): say("a")
        """,
    "RescheduleTask": """
        class U(User):
            wait_time = constant(0.001)
            def wait(self): say("wait"); super().wait()
            @task
            def a(self): step(self, "a"); raise RescheduleTask("again")
            @task
            def b(self): step(self, "b"); raise RescheduleTaskImmediately("at once")
        """,
    "exceptions in tasks": """
        class U(User):
            wait_time = constant(0.001)
            @task(2)
            def a(self): step(self, "a"); raise ValueError("broken")
            @task
            class Set(TaskSet):
                @task
                def b(self): step(self, "b"); raise KeyError("inner")
                @task
                def out(self): step(self, "out"); self.interrupt()
        """,
    "exception in on_start": """
        class U(User):
            def on_start(self): say("on_start"); gevent.spawn_later(0.3, self.environment.runner.quit); raise ValueError("broken")
            def on_stop(self): say("on_stop")
            @task
            def a(self): say("a")
        """,
    "exception in on_start of a task set": """
        class U(User):
            wait_time = constant(0.001)
            @task
            class Set(TaskSet):
                def on_start(self): step(self, "on_start"); raise ValueError("broken")
                @task
                def b(self): say("never")
        """,
    "exception in on_stop": """
        class U(User):
            wait_time = constant(0.001)
            @task
            class Set(TaskSet):
                def on_stop(self): say("set on_stop"); raise ValueError("broken set")
                @task
                def b(self): step(self, "b")
        """,
    "no tasks": """
        class U(User):
            wait_time = constant(0.001)
        @events.user_error.add_listener
        def end(user_instance, **kwargs): step(user_instance, "error")
        """,
    "wait_time as a method": """
        class U(User):
            def wait_time(self): step(self, "wait"); return 0.001
            @task
            def a(self): step(self, "a")
        """,
    "wait_time that breaks": """
        class U(User):
            def on_start(self): gevent.spawn_later(0.5, self.environment.runner.quit)
            def on_stop(self): say("on_stop")
            def wait_time(self): raise ValueError("broken")
            @task
            def a(self): step(self, "a")
        """,
    "wait_time of a task set": """
        class U(User):
            wait_time = constant(9)
            @task
            class Set(TaskSet):
                wait_time = constant(0.001)
                @task
                def a(self): step(self, "a", self.wait_time())
        """,
    "wait in a task": """
        class U(User):
            wait_time = constant(0.001)
            @task
            def a(self): step(self, "a"); self.wait(); step(self, "waited")
        """,
    "time.sleep leaves the others alone": """
        class U(User):
            numbers = iter(range(9))
            def on_start(self): self.number = next(self.numbers)
            @task
            def a(self):
                time.sleep(0.05 + 0.1 * self.number)
                step(self, "user", self.number) if self.number == 0 else gevent.sleep(9)
        """,
    "schedule_task": """
        class U(User):
            @task
            class Set(TaskSet):
                @task
                def a(self):
                    step(self, "a")
                    self.schedule_task(self.b); self.schedule_task(self.c, first=True)
                def b(self): step(self, "b")
                def c(self): step(self, "c")
        """,
    "tasks replaced while running": """
        class U(User):
            @task
            def a(self):
                step(self, "a")
                if Left.steps < 20: self.tasks = [other]
        def other(user): step(user, "other")
        """,
    "own execute_task": """
        class U(User):
            @task
            class Set(TaskSet):
                def execute_task(self, task): say("execute", task.__name__); super().execute_task(task)
                def get_next_task(self): say("next"); return super().get_next_task()
                @task
                def a(self): step(self, "a")
                @task
                def b(self): step(self, "b")
        """,
    "a user that overrides run": """
        class U(User):
            def run(self):
                say("run"); super().run()
            @task
            def a(self): step(self, "a")
        """,
    "greenlets of a task": """
        from gevent.pool import Group
        class U(User):
            @task
            def a(self):
                group = Group()
                for number in range(3): group.spawn(step, self, number)
                group.join()
        """,
    "threading inside": """
        import threading
        class U(User):
            lock = threading.Lock()
            @task
            def a(self):
                with self.lock: step(self, "locked", threading.local() is not None)
        """,
    "sys.exit in a task": """
        class U(User):
            @task
            def a(self): say("a"); sys.exit(5)
        """,
    "StopTest in a task": """
        class U(User):
            def on_stop(self): say("on_stop"); gevent.spawn(self.environment.runner.quit)
            @task
            def a(self): say("a"); raise StopTest("enough")
        """,
}


def script(body: str) -> str:
    return PREAMBLE + dedent(body)


@pytest.mark.parametrize("case", list(CASES))
def test_users(both, case):
    users = ["-u", "3", "-r", "10"] if "leaves the others" in case else ["-u", "1"]
    ours = both(script(CASES[case]), "--only-summary", *users).assert_same()
    assert ours.printed


KINDS = """
        class A(User):
            weight = 3
            def on_start(self): say(type(self).__name__)
            @task
            def a(self): gevent.sleep(9)
        class B(A): weight = 1
        class C(A): fixed_count = 2
        class D(A): weight = 0.5
        @events.spawning_complete.add_listener
        def end(**kwargs): gevent.spawn_later(0.2, lambda: say("signal SIGTERM"))
        """


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["-u", "12"], 12),
        (["-u", "1"], 1),
        (["-u", "7", "A", "C"], 7),
        (["-u", "5", "C"], 2),
        (["-u", "4", "B", "D"], 4),
    ],
)
def test_kinds_of_users(both, arguments, count):
    pair = both(script(KINDS), "--only-summary", "-r", "100", *arguments)
    ours = pair.assert_same()
    assert len([line for line in ours.printed if line in "ABCD"]) == count


TAGGED = """
        @tag("slow")
        class Set(TaskSet):
            @task
            def a(self): step(self, "set a")
            @tag("read")
            @task
            def b(self): step(self, "set b")
            @tag("leave")
            @task
            def c(self): step(self, "set c"); self.interrupt()
        class U(User):
            wait_time = constant(0.001)
            tasks = [Set]
            @tag("read")
            @task(2)
            def r(self): step(self, "r")
            @tag("write", "slow")
            @task
            def w(self): step(self, "w")
            @task
            def n(self): step(self, "n")
        """


CHOICES = ["--tags read", "-T write leave", "--exclude-tags slow", "-T read -E slow", "-T nothing", "-T"]


@pytest.mark.parametrize("arguments", CHOICES)
def test_tags(both, arguments):
    text = script(TAGGED)
    if arguments == "-T nothing":
        text += "\n@events.user_error.add_listener\ndef end(user_instance, **kw): step(user_instance, 'error')\n"
    both(text, "--only-summary", "-u", "1", *arguments.split()).assert_same()
