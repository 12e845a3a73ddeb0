"""How users and tasks share the load: what `--show-task-ratio` prints, and the functions behind it."""

from __future__ import annotations

import contextlib
import io

import gevent

from locust import MarkovTaskSet, SequentialTaskSet, TaskSet, User, task, transition
from locust.exception import StopUser
from locust.user import inspectuser

from ..probe import probe


def f(user):
    pass


def g(user):
    pass


class Inner(TaskSet):
    tasks = {f: 3, g: 1}


class Steps(SequentialTaskSet):
    tasks = [f, Inner, g]


class Chain(MarkovTaskSet):
    @transition("a")
    def a(self):
        pass


class A(User):
    weight = 3
    tasks = {Inner: 2, f: 1, Steps: 1}


class B(User):
    tasks = [g, Chain]


class Fixed(User):
    fixed_count = 2
    tasks = [f]


class Empty(User):
    pass


class Half(User):
    weight = 0.5
    tasks = [f, f, g]


CLASSES = {
    "A": [A],
    "A B": [A, B],
    "B A": [B, A],
    "Fixed": [Fixed],
    "A Fixed": [A, Fixed],
    "A B Fixed Half": [A, B, Fixed, Half],
    "Empty": [Empty],
    "Half B": [Half, B],
    "none": [],
}


def printed(show, *arguments):
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        show(*arguments)
    return text.getvalue().splitlines()


@probe.each(*CLASSES)
def as_lines(value, say):
    for users in (None, 0, 1, 7, 100):
        for total in (False, True):
            try:
                say(users, total, printed(inspectuser.print_task_ratio, CLASSES[value], users, total))
            except Exception as error:
                say(users, total, type(error).__name__)


@probe.each(*CLASSES)
def as_json(value, say):
    for users in (None, 1, 7):
        try:
            say(users, printed(inspectuser.print_task_ratio_json, CLASSES[value], users))
        except Exception as error:
            say(users, type(error).__name__)


@probe.each(*CLASSES)
def of_users_that_run(value, say):
    for count in (0, 1, 3):
        spawned = {each.__name__: count for each in CLASSES[value]}
        for total in (False, True):
            say(count, total, inspectuser.get_ratio(CLASSES[value], spawned, total))


@probe
def of_users_that_run_while_they_do(run, say):
    class U(User):
        @task(3)
        def a(self):
            counts = self.environment.runner.user_classes_count
            say(counts, inspectuser.get_ratio(self.environment.user_classes, counts, False))
            gevent.sleep(0)
            raise StopUser()

        @task
        def b(self):
            pass

    class V(U):
        weight = 2

    run(V, U, users=3)


@probe
def of_tasks(say):
    say(inspectuser._get_task_ratio(A.tasks, False, 0.0))
    say(inspectuser._get_task_ratio(A.tasks, True, 0.5))
    say(inspectuser._get_task_ratio([], True, 0.5))
