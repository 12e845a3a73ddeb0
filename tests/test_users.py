"""Users: their life from creation to `on_stop`."""

from __future__ import annotations

from traces import same


def test_the_class():
    same(
        """
        def f():
            class U(User):
                host = "http://x"
                weight = 2.5
                @task(2)
                def t(self): pass
            return U
        U = f()
        say(U.json(), U.fullname())
        class Base(User): abstract = True
        class Heir(Base): pass
        say(User.abstract, HttpUser.abstract, Base.abstract, Heir.abstract)
        user = U(Environment(user_classes=[U]))
        say(user.context(), user.greenlet, user._state)
        from locust.user.task import TaskSet as T, LOCUST_STATE_RUNNING
        import locust.user
        say(locust.user.task is task, LOCUST_STATE_RUNNING, wait_time.__name__)
        """
    )


def test_a_user_can_be_run_without_a_runner():
    same(
        """
        class U(User):
            count = 0
            def on_start(self): say("start")
            def on_stop(self): say("stop", self._state)
            @task
            def t(self):
                self.count += 1
                say(self.count, self._state)
                if self.count == 2: raise StopUser
        U(Environment(user_classes=[U])).run()
        """,
        "start",
        "1 running",
        "2 running",
        "stop running",
    )


def test_on_start_that_raises():
    same(
        """
        class Broken(User):
            def on_start(self): raise ValueError("broken")
            def on_stop(self): say("on_stop")
            @task
            def t(self): say("task")
        run(Broken)
        class Leaves(Broken):
            def on_start(self): raise StopUser
        run(Leaves)
        """
    )


def test_exceptions_that_only_end_one_user():
    same(
        """
        for kind in (StopUser, StopTest, InterruptTaskSet, GeneratorExit):
            class U(User):
                def on_stop(self): say("on_stop")
                @task
                def t(self):
                    say("task", kind.__name__)
                    raise kind
            run(U)
        """
    )


def test_a_constructor_that_forgets_its_base():
    same(
        """
        class U(User):
            def __init__(self, environment): pass
        environment = Environment(user_classes=[U])
        try: environment.create_local_runner().spawn_users({"U": 1})
        except AssertionError as error: say(str(error)[:90])
        """
    )


def test_a_missing_host_stops_the_test():
    same(
        """
        class U(HttpUser):
            @task
            def t(self): say("task")
        run(U, users=3)
        """
    )


def test_stop_waits_for_a_task_when_there_is_a_stop_timeout():
    same(
        """
        class U(User):
            wait_time = constant(10)
            number = 0
            def on_start(self):
                U.number += 1
                self.number = U.number
            def on_stop(self): say("on_stop", self.number, self._state)
            @task
            def t(self):
                if self.number == 1: return
                gevent.sleep(0.4 if self.number == 2 else 5)
                say("finished", self.number)
        run(U, users=3, stop_timeout=1)
        """,
        "event test_start ready 0",
        "event spawning_complete spawning 3",
        "event test_stopping running 3",
        "on_stop 1 waiting",
        "finished 2",
        "on_stop 2 stopping",
        "on_stop 3 stopping",
        "event test_stop stopped 0",
        "ended stopped 0 []",
    )


def test_on_start_completes_within_the_stop_timeout_and_no_task_runs():
    same(
        """
        class U(User):
            def on_start(self):
                gevent.sleep(0.4)
                say("started")
            def on_stop(self): say("on_stop")
            @task
            def t(self): say("task")
        run(U, seconds=0.1, stop_timeout=2)
        """
    )


def test_stop_of_one_user():
    same(
        """
        class U(User):
            wait_time = constant(10)
            def on_stop(self): say("on_stop")
            @task
            def t(self): gevent.sleep(self.long)
        class Long(U): long = 0.1
        class Short(U): long = 0
        environment = Environment(user_classes=[Long, Short])
        runner = environment.create_local_runner()
        long, short = runner.spawn_users({"Long": 1, "Short": 1})
        gevent.sleep(0.05)
        say(long._state, long.stop(), long._state)
        say(short._state, short.stop(), runner.user_count)
        say(long.group is runner.user_greenlets, long.greenlet.args == (long,))
        gevent.sleep(0.2)
        say(runner.user_count)
        (fresh,) = runner.spawn_users({"Long": 1})
        say(fresh.stop())
        """
    )


def test_a_wait_in_a_task_can_be_stopped():
    same(
        """
        class U(User):
            wait_time = constant(10)
            def on_stop(self): say("on_stop", self._state)
            @task
            def t(self):
                self.wait()
                say("never")
        run(U, stop_timeout=3)
        """
    )


def test_an_overridden_or_patched_part_of_the_loop_is_called():
    same(
        """
        from unittest import mock
        class Counting(TaskSet):
            def execute_task(self, task):
                say("execute", task.__name__)
                super().execute_task(task)
            @task
            def t(self): self.interrupt()
        class Plain(TaskSet):
            @task
            def t(self):
                say("plain task")
                self.interrupt()
        class OnInstance(Plain):
            def on_start(self): self.get_next_task = lambda: say("pick") or self.t
        class U(User):
            steps = iter([Counting, Plain, OnInstance])
            wait_time = constant(0)
            @task
            def t(self):
                inner = next(U.steps, None)
                if inner is None: raise StopUser
                inner(self).run()
        run(U)
        with mock.patch.object(TaskSet, "execute_next_task", lambda self: say("patched") or self.interrupt(False)):
            U.steps = iter([Plain])
            run(U)
        U.steps = iter([Plain])
        run(U)
        """
    )
