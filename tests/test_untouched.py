"""When a task set may run on the engine, and when its own methods have to be called."""

from __future__ import annotations

import sys

from traces import printed

SCRIPT = """
    from unittest import mock
    from gregaria.untouched import is_untouched
    from locust.user.task import DefaultTaskSet
    class Plain(TaskSet):
        @task
        def t(self): pass
    class Sequence(SequentialTaskSet):
        @task
        def t(self): pass
    class Chain(MarkovTaskSet):
        @transition("t")
        def t(self): pass
    class Hooks(Plain):
        def on_start(self): pass
        def on_stop(self): pass
        def run_more(self): pass
    class OwnWait(Plain): wait_time = constant(1)
    class OwnPick(Sequence):
        def get_next_task(self): return self.t
    class Mixin:
        def execute_task(self, task): pass
    class Mixed(Mixin, Plain): pass
    class U(User): tasks = [Plain]
    user = U(Environment(user_classes=[U]))
    def show(word):
        sets = [DefaultTaskSet, Plain, Sequence, Chain, Hooks, OwnWait, OwnPick, Mixed]
        say(word, *(cls.__name__ for cls in sets if is_untouched(cls(user))))
    show("at first:")
    with mock.patch.object(TaskSet, "_sleep"): show("_sleep patched:")
    with mock.patch.object(Plain, "wait"): show("wait of one patched:")
    with mock.patch.object(DefaultTaskSet, "execute_task"): show("of the root patched:")
    Plain.tasks = []
    Plain.anything = 1
    show("at last:")
    one = Plain(user)
    one.counter = 1
    say(is_untouched(one))
    one.wait = lambda: None
    say(is_untouched(one))
    del one.wait
    say(is_untouched(one))
"""


def test_what_a_locustfile_touches_is_noticed():
    assert printed(sys.executable, SCRIPT) == [
        "at first: DefaultTaskSet Plain Sequence Chain Hooks OwnWait",
        "_sleep patched:",
        "wait of one patched: DefaultTaskSet Sequence Chain",
        "of the root patched: Plain Sequence Chain Hooks OwnWait",
        "at last: DefaultTaskSet Plain Sequence Chain Hooks OwnWait",
        "True",
        "False",
        "True",
    ]
