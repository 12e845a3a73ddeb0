"""The local runner: ramps, states, events, shapes, messages."""

from __future__ import annotations

import sys

from traces import printed, same


def test_life_of_a_test():
    same(
        """
        class A(User):
            wait_time = constant(10)
            @task
            def t(self): pass
        class B(A): weight = 2
        environment = Environment(user_classes=[A, B], host="http://here")
        runner = environment.create_local_runner()
        for name in ("test_start", "spawning_complete", "test_stopping", "test_stop"):
            def tell(name=name, **kwargs):
                del kwargs["user_count" if "user_count" in kwargs else "environment"]
                say("event", name, runner.state, runner.user_classes_count, kwargs)
            getattr(environment.events, name).add_listener(tell)
        def show():
            say(runner.state, runner.user_count, runner.user_classes_count, runner.final_user_classes_count)
            say(runner.target_user_count, runner.target_user_classes_count)
        show()
        runner.start(6, 100); show()
        gevent.sleep(0.1); show()
        say(A.host)
        runner.start(3, 100); gevent.sleep(0.1); show()
        runner.start(7, 100); gevent.sleep(0.1); show()
        runner.stop(); show()
        runner.stop(); show()
        runner.start(2, 100); gevent.sleep(0.1); show()
        runner.quit(); show()
        runner.quit()
        say(len(runner.greenlet))
        try: environment.create_local_runner()
        except RunnerAlreadyExistsError: say("exists")
        """
    )


def test_stopping_what_never_ran_fires_the_events():
    same(
        """
        class U(User): pass
        environment = Environment(user_classes=[U])
        runner = environment.create_local_runner()
        environment.events.test_stopping.add_listener(lambda **_: say("test_stopping"))
        environment.events.test_stop.add_listener(lambda **_: say("test_stop"))
        runner.quit()
        say(runner.state)
        """,
        "test_stopping",
        "test_stop",
        "stopped",
    )


def test_a_ramp_takes_its_time_and_can_be_changed():
    same(
        """
        class U(User):
            wait_time = constant(10)
            @task
            def t(self): pass
        environment = Environment(user_classes=[U])
        runner = environment.create_local_runner()
        environment.events.spawning_complete.add_listener(lambda user_count: say("complete", user_count))
        runner.start(3, 2)
        for _ in range(5):
            gevent.sleep(0.25)
            say(runner.state, runner.user_count, runner.target_user_count, runner.target_user_classes_count)
        runner.start(10, 4)
        gevent.sleep(0.5); say(runner.state, runner.user_count)
        runner.start(1, 4)
        gevent.sleep(0.5); say(runner.state, runner.user_count)
        gevent.sleep(1); say(runner.state, runner.user_count)
        runner.start(9, 1); gevent.sleep(0.1)
        runner.stop(); say(runner.state, runner.user_count)
        """
    )


def test_shape_with_classes_end_and_restart():
    same(
        """
        class A(User):
            wait_time = constant(10)
            @task
            def t(self): pass
        class B(A): pass
        class Shape(LoadTestShape):
            ticks = [(2, 10), (2, 10), (4, 10, [A]), None]
            def __init__(self):
                super().__init__()
                self.left = list(self.ticks)
            def tick(self):
                say("tick", self.get_current_user_count(), self.runner.state, self.runner.user_classes_count)
                return self.left.pop(0)
        shape = Shape()
        environment = Environment(user_classes=[A, B], shape_class=shape)
        runner = environment.create_local_runner()
        say(Shape.abstract, LoadTestShape.abstract, shape.runner is runner)
        runner.start_shape()
        runner.start_shape()
        say(runner.state)
        gevent.sleep(3.5)
        say(runner.state, runner.shape_greenlet, runner.user_count)
        shape.left = [(1, 1)] * 9
        runner.start_shape()
        gevent.sleep(0.5)
        say(runner.state, runner.user_count)
        runner.stop()
        say(runner.state, runner.shape_greenlet, runner.shape_last_tick)
        """
    )


def test_stopping_from_inside():
    # Not compared: on Locust the task that stops the test dies half-way through stopping it, and `test_stop` is lost.
    script = """
        for how in ("stop", "quit"):
            class U(User):
                wait_time = constant(0.1)
                number = 0
                def on_start(self):
                    U.number += 1
                    self.number = U.number
                def on_stop(self): say("on_stop")
                @task
                def t(self):
                    if self.number != 2: return gevent.sleep(10)
                    gevent.sleep(0.05)
                    getattr(self.environment.runner, how)()
                    say("after", how)
                    gevent.sleep(1)
                    say("never")
            run(U, users=3, seconds=0.4)
        """
    told = [line.split(" ready")[0].split(" stopped")[0] for line in printed(sys.executable, script)]
    ending = ["event spawning_complete spawning 3", "event test_stopping running 3", "on_stop", "on_stop"]
    once = ["event test_start", *ending, "event test_stop", "on_stop", "ended"]
    assert [line for line in told if line != "after stop"] == once * 2
    assert told.count("after stop") == 1


def test_stop_test_while_users_are_created():
    same(
        """
        class U(User):
            count = 0
            wait_time = constant(10)
            def __init__(self, environment):
                super().__init__(environment)
                U.count += 1
                if U.count == 3: raise StopTest("enough")
            @task
            def t(self): say("task")
        run(U, users=5)
        """
    )


def test_listeners_that_stop_the_test():
    same(
        """
        class U(User):
            wait_time = constant(10)
            def on_stop(self): say("on_stop")
            @task
            def t(self): say("task")
        for event in ("test_start", "spawning_complete"):
            environment = Environment(user_classes=[U])
            runner = environment.create_local_runner()
            environment.events.test_stop.add_listener(lambda **_: say("test_stop"))
            getattr(environment.events, event).add_listener(lambda **_: gevent.spawn_later(0.1, runner.quit))
            runner.start(2, 10)
            runner.greenlet.join(timeout=2)
            say(event, runner.state, runner.user_count)
        """
    )


def test_spawn_and_stop_users_directly():
    same(
        """
        class A(User):
            wait_time = constant(10)
            @task
            def t(self): pass
        class B(A): pass
        environment = Environment(user_classes=[A, B])
        runner = environment.create_local_runner()
        say([type(user).__name__ for user in runner.spawn_users({"A": 2, "B": 1})], runner.user_count)
        gevent.sleep(0.05)
        runner.stop_users({"A": 1})
        say(runner.user_classes_count)
        runner.stop_users({"A": 5, "B": 0})
        say(runner.user_classes_count, runner.user_count)
        """
    )


def test_messages_to_oneself():
    same(
        """
        class U(User): pass
        environment = Environment(user_classes=[U])
        runner = environment.create_local_runner()
        runner.register_message("hello", lambda environment, msg, **_: say(msg.type, msg.data, msg.node_id, msg))
        runner.send_message("hello", {"a": 1})
        runner.send_message("unknown")
        try: runner.register_message("hello", print)
        except Exception as error: say(error)
        """
    )


def test_environment_checks():
    same(
        """
        class A(User): weight = 0
        class B(User): pass
        def twin():
            class B(User): pass
            return B
        def attempt(**settings):
            try: Environment(**settings)
            except ValueError as error: say(str(error)[:80])
            else: say("fine")
        attempt(user_classes=[A])
        attempt(user_classes=[B, twin()])
        attempt(user_classes=[B], shape_class=LoadTestShape)
        classes = [A, B]
        attempt(user_classes=classes)
        say(len(classes))
        @task
        class Set(TaskSet):
            @task(4)
            def s(self): pass
        class C(User):
            weight = 7
            tasks = [Set]
            @task(3)
            def c(self): pass
        environment = Environment(user_classes=[C], available_user_classes={"C": C}, available_user_tasks={"C": [C.c]})
        environment.assign_equal_weights()
        say(C.weight, sorted(t.__name__ for t in C.tasks))
        environment.update_user_class({"user_class_name": "C", "tasks": ["c"], "weight": 3, "host": "h"})
        say(C.weight, C.host, [t.__name__ for t in C.tasks])
        say(environment.stop_timeout, environment.user_classes_by_name == {"C": C})
        """
    )


def test_usage_is_monitored():
    same(
        """
        import locust.runners
        locust.runners.CPU_MONITOR_INTERVAL = 0.2
        locust.runners.CPU_WARNING_THRESHOLD = 15
        class U(User): pass
        environment = Environment(user_classes=[U])
        environment.events.usage_monitor.add_listener(lambda memory_usage, **_: say("used", memory_usage > 10**7))
        environment.events.cpu_warning.add_listener(lambda cpu_usage, **_: say("too much", cpu_usage > 15))
        runner = environment.create_local_runner()
        say(runner.current_cpu_usage, runner.current_memory_usage)
        gevent.sleep(0.5)
        until = time.process_time() + 0.3  # however much of the machine others use
        while time.process_time() < until: pass
        gevent.sleep(0.01)
        say(runner.current_memory_usage > 10**7, runner.cpu_warning_emitted)
        runner.quit()
        """
    )


def test_task_ratio():
    same(
        """
        from locust.user.inspectuser import *
        class A(User):
            weight = 9
            @task(2)
            def t(self): pass
            @task
            class Set(TaskSet):
                @task
                def x(self): pass
                @task(3)
                def y(self): pass
        class B(User):
            fixed_count = 2
            @task
            def t(self): pass
        class C(User):
            @task
            def t(self): pass
        for users in (None, 0, 1, 20):
            for total in (False, True): print_task_ratio([A, B, C], users, total)
        print_task_ratio_json([A, C], 5)
        say(get_ratio([A], {"A": 0}, True))
        """
    )
