"""Tasks: how they are collected, picked, filtered; what may happen in one."""

from __future__ import annotations

from traces import same


def test_tasks_are_collected_from_bases_the_attribute_and_decorated_members():
    same(
        """
        def outside(user): pass
        class A(User):
            @task
            def a(self): pass
        class B(A):
            tasks = {outside: 2}
            @task(3)
            def b(self): pass
            @task()
            def c(self): pass
        class C(B, A):
            tasks = [outside, (outside, 2)]
            @task(0)
            def never(self): pass
        class D(C):
            tasks = []
            def a(self): pass
        class Nested(User):
            @task(2)
            class Set(TaskSet):
                @task
                def t(self): pass
            class Heir(Set):
                pass
        for cls in (A, B, C, D, Nested, Nested.Heir):
            say(cls.__name__, cls.abstract if issubclass(cls, User) else "", [t.__name__ for t in cls.tasks])
        """,
        "A False ['a']",
        "B False ['a', 'outside', 'outside', 'b', 'b', 'b', 'c']",
        "C False ['a', 'outside', 'outside', 'b', 'b', 'b', 'c', 'a', 'outside', 'outside', 'outside']",
        "D False ['a', 'outside', 'outside', 'b', 'b', 'b', 'c', 'a', 'outside', 'outside', 'outside']",
        "Nested False ['Set', 'Set', 'Heir', 'Heir']",
        "Heir  ['t']",
    )


def test_decorators_refuse_what_makes_no_sense():
    same(
        """
        for bad in (lambda: tag(), lambda: tag(print)):
            try: bad()
            except ValueError as error: say(error)
        try:
            @task
            def run(self): pass
        except Exception as error: say(error)
        try:
            class U(User):
                @task("2")
                def t(self): pass
        except TypeError as error: say("TypeError")
        """,
        "No tag name was supplied",
        "No tag name was supplied",
        "User.run() is a method used internally by Locust, and you must not override it or register it as a task",
        "TypeError",
    )


def test_picking_draws_from_pythons_random_as_locust_does():
    same(
        """
        random.seed(7)
        class U(User):
            wait_time = between(0.001, 0.002)
            count = 0
            def note(self, name):
                say(name)
                U.count += 1
                if U.count == 30: raise StopUser
            @task(3)
            def a(self): self.note("a")
            @task
            def b(self): self.note("b")
            @task(7)
            def c(self): self.note("c")
        run(U)
        say(random.random())
        """
    )


def test_tags_filter_nested_task_sets_in_place():
    same(
        """
        class U(User):
            @tag("x", "y")
            @task(2)
            def xy(self): pass
            @task
            def plain(self): pass
            @tag("y")
            @task
            class Set(TaskSet):
                @task
                def y(self): pass
                @tag("z")
                @task
                def yz(self): pass
            @task
            class Other(TaskSet):
                @tag("z")
                @task
                def z(self): pass
        def names(cls): return [t.__name__ for t in cls.tasks]
        full = {cls: list(cls.tasks) for cls in (U, U.Set, U.Other)}
        y, z = ["y"], ["z"]
        for tags, exclude in ((y, None), (None, z), (y, z), (["nothing"], None), (z, y), ([], None)):
            for cls, tasks in full.items(): cls.tasks = list(tasks)
            Environment(user_classes=[U], tags=tags, exclude_tags=exclude)._filter_tasks_by_tags()
            say(tags, exclude, names(U), names(U.Set), names(U.Other))
        say(hasattr(U.Set, "locust_tag_set"), sorted(U.Set.yz.locust_tag_set))
        """
    )


def test_a_nested_set_is_left_by_interrupt_and_its_hooks_are_called():
    same(
        """
        class U(User):
            wait_time = constant(0.01)
            rounds = 0
            def on_start(self): say("user on_start")
            def on_stop(self): say("user on_stop")
            @task
            class Outer(TaskSet):
                def on_start(self): say("outer on_start", type(self.parent).__name__)
                def on_stop(self): say("outer on_stop")
                @task
                class Inner(TaskSet):
                    def on_start(self): say("inner on_start", type(self.parent).__name__, type(self.user).__name__)
                    def on_stop(self): say("inner on_stop")
                    @task
                    def leave(self):
                        U.rounds += 1
                        say("task", U.rounds)
                        if U.rounds == 3: raise StopUser
                        self.interrupt(reschedule=U.rounds == 1)
        run(U)
        """,
        "event test_start ready 0",
        "event spawning_complete spawning 1",
        "user on_start",
        "outer on_start U",
        "inner on_start Outer U",
        "task 1",
        "inner on_stop",
        "inner on_start Outer U",
        "task 2",
        "inner on_stop",
        "inner on_start Outer U",
        "task 3",
        "inner on_stop",
        "outer on_stop",
        "user on_stop",
        "event test_stopping running 0",
        "event test_stop stopped 0",
        "ended stopped 0 []",
    )


def test_rescheduling_with_and_without_a_wait():
    same(
        """
        class U(User):
            steps = iter([RescheduleTask, RescheduleTaskImmediately, None, StopUser])
            def wait_time(self):
                say("wait")
                return 0.001
            @task
            def t(self):
                step = next(U.steps)
                say("task", step and step.__name__)
                if step: raise step()
        run(U)
        """,
        "event test_start ready 0",
        "event spawning_complete spawning 1",
        "task RescheduleTask",
        "wait",
        "task RescheduleTaskImmediately",
        "task None",
        "wait",
        "task StopUser",
        "event test_stopping running 0",
        "event test_stop stopped 0",
        "ended stopped 0 []",
    )


def test_an_exception_in_a_task_is_reported_and_the_loop_goes_on():
    same(
        """
        class U(User):
            wait_time = constant(0.01)
            def on_stop(self): say("user on_stop")
            @task
            class Inner(TaskSet):
                count = 0
                def on_stop(self): say("inner on_stop")
                @task
                def t(self):
                    self.count += 1
                    say("task", self.count)
                    if self.count < 3: raise ValueError("no")
                    raise StopUser
        run(U)
        """
    )


def test_exceptions_that_are_not_caught_end_the_user_at_every_level():
    same(
        """
        class U(User):
            wait_time = constant(0.01)
            def on_stop(self): say("user on_stop")
            @task
            class Inner(TaskSet):
                def on_stop(self): say("inner on_stop")
                @task
                def t(self): raise ValueError("no")
        run(U, catch_exceptions=False)
        """
    )


def test_a_user_killed_in_a_wait_after_a_failed_task():
    same(
        """
        class U(User):
            wait_time = constant(5)
            def on_stop(self): say("user on_stop")
            @task
            class Inner(TaskSet):
                def on_stop(self): say("inner on_stop")
                @task
                def t(self): raise ValueError("no")
        run(U)
        """
    )


def test_hooks_that_raise():
    same(
        """
        class U(User):
            wait_time = constant(0.02)
            count = 0
            def on_stop(self): say("user on_stop")
            @task
            class Inner(TaskSet):
                def on_start(self):
                    U.count += 1
                    say("inner on_start", U.count)
                    if U.count == 1: self.interrupt()
                    if U.count == 2: self.interrupt(reschedule=False)
                    if U.count == 3: raise ValueError("in on_start")
                def on_stop(self):
                    say("inner on_stop")
                    if U.count == 5: raise StopUser
                    raise ValueError("in on_stop")
                @task
                def t(self): self.interrupt()
        run(U)
        """
    )


def test_waits_that_fail():
    same(
        """
        class Nested(User):
            wait_time = constant(0.01)
            count = 0
            def on_stop(self): say("user on_stop")
            @task
            class Inner(TaskSet):
                def wait_time(self): raise KeyError("wait")
                def on_start(self):
                    Nested.count += 1
                    if Nested.count == 3: raise StopUser
                def on_stop(self): say("inner on_stop")
                @task
                def t(self): say("task")
        run(Nested)
        class Root(User):
            wait_time = None
            min_wait = 10
            def on_stop(self): say("user on_stop")
            @task
            def t(self): say("task")
        # What the error says differs on purpose: Locust shows its placeholders.
        environment = Environment(user_classes=[Root])
        environment.events.user_error.add_listener(lambda exception, **_: say(type(exception).__name__))
        Root(environment).start(gevent.pool.Group()).join()
        class Old(User):
            wait_time = None
            min_wait = 5
            max_wait = 6
            count = 0
            @task
            def t(self):
                Old.count += 1
                say("task")
                if Old.count == 3: raise StopUser
        run(Old)
        """
    )


def test_scheduled_tasks_come_first():
    same(
        """
        class U(User):
            @task
            class Set(TaskSet):
                def on_start(self):
                    self.schedule_task(self.later)
                    self.schedule_task(self.now, first=True)
                    self.schedule_task(Set2)
                    say(len(self._task_queue))
                def now(self): say("now")
                def later(self): say("later")
                @task
                def picked(self):
                    say("picked", len(self._task_queue))
                    raise StopUser
        class Set2(TaskSet):
            @task
            def t(self):
                say("set 2", type(self.parent).__name__)
                self.interrupt()
        run(U)
        """
    )


def test_users_and_sets_without_tasks_say_what_is_missing():
    same(
        """
        class Empty(User):
            wait_time = constant(10)
        class Typo(User):
            wait_time = constant(10)
            task = []
        class TypoSet(TaskSet):
            task = [1]
        class EmptySet(User):
            wait_time = constant(10)
            tasks = [TypoSet]
        class EmptySequence(User):
            wait_time = constant(10)
            @task
            class Steps(SequentialTaskSet): pass
        for cls in (Empty, Typo, EmptySet, EmptySequence):
            run(cls, seconds=0.05)
        """
    )


def test_sequences():
    same(
        """
        def f(t): say("f")
        class Base(SequentialTaskSet):
            @task
            def one(self): say("one")
            tasks = [f]
            @task(2)
            def two(self): say("two")
        class Steps(Base):
            tasks = {f: 2}
            @task
            def leave(self): self.interrupt()
        say([t.__name__ for t in Steps.tasks])
        try:
            class Bad(SequentialTaskSet): tasks = (f,)
        except ValueError as error: say(error)
        class U(User):
            count = 0
            tasks = [Steps]
            def on_stop(self): say("stop")
            def context(self): return {}
            def wait_time(self):
                U.count += 1
                if U.count == 20: raise StopUser
                return 0
        run(U)
        """
    )


def test_markov_chains():
    same(
        """
        random.seed(3)
        class Chain(MarkovTaskSet):
            count = 0
            @transition("b")
            def a(self): self.note("a")
            @transitions({"a": 1, "b": 2})
            def b(self): self.note("b")
            def note(self, name):
                say(name)
                Chain.count += 1
                if Chain.count == 12: raise StopUser
        say(Chain.a.transitions, Chain.b.transitions, Chain.tasks, Chain.abstract, Chain.current.__name__)
        class U(User):
            tasks = [Chain]
        run(U)
        from locust.user.markov_taskset import *
        def attempt(**body):
            try: type(MarkovTaskSet)("C", (MarkovTaskSet,), body)
            except Exception as error: say(type(error).__name__, str(error).split(".")[0])
            else: say("fine")
        def goes(name, *names):
            def f(self): pass
            f.__name__ = name
            return transitions(list(names))(f)
        def nowhere(self): pass
        attempt()
        attempt(x=goes("x", "y"))
        attempt(x=goes("x", "y"), y=nowhere)
        attempt(x=tag("t")(goes("x", "x")))
        attempt(x=goes("x", "x"), y=goes("y", "x"))
        attempt(abstract=True)
        """
    )


def test_waits():
    same(
        """
        random.seed(1)
        class Who: _cp_last_run = time.perf_counter() + 1000; _cp_last_wait_time = 0
        say(between(1, 3)(None), constant(4)(None), poisson(2)(None))
        who = Who()
        wait = constant_pacing(1)(who)
        say(999 < wait < 1002, who._cp_last_wait_time == wait)
        for bad in (lambda: constant_throughput(0), lambda: poisson(-1)):
            try: bad()
            except ValueError: say("refused")
        """
    )
