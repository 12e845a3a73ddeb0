"""Users that end by themselves, many at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_each_sees_those_gone_that_ended_before_it(python_script: Callable[..., Any]) -> None:
    found = python_script(
        """
        import json, gevent
        from locust import User, constant, task
        from locust.env import Environment
        from locust.exception import StopUser

        seen = []

        class Short(User):
            wait_time = constant(0.05)
            rounds = 0

            @task
            def t(self):
                self.rounds += 1
                if self.rounds > 2:
                    seen.append(self.environment.runner.user_count)
                    raise StopUser()

        environment = Environment(user_classes=[Short])
        runner = environment.create_local_runner()
        runner.start(20, spawn_rate=1000)
        with gevent.Timeout(10):
            while runner.user_count or len(seen) < 20:
                gevent.sleep(0.01)
        runner.quit()
        print(json.dumps([seen, len(runner.user_greenlets)]))
        """
    ).last_line
    # Their waits end together, so they run one after the other before gevent tells the group of the first.
    assert found == [list(range(20, 0, -1)), 0]


def test_nobody_lives_when_a_stop_returns_whoever_asked_for_it_too(python_script: Callable[..., Any]) -> None:
    found = python_script(
        """
        import json, gevent
        from gevent.event import Event
        from locust import User, task
        from locust.env import Environment

        go, users, living = Event(), [], []

        class Stops(User):
            @task
            def stop(self):
                users.append(self)
                go.wait()
                self.environment.runner.stop()

        for turns in range(10):
            users.clear()
            go.clear()
            runner = Environment(user_classes=[Stops]).create_local_runner()
            runner.start(3, 1000)
            with gevent.Timeout(10):
                while len(users) < 3:
                    gevent.sleep(0.001)
            go.set()
            for _ in range(turns):
                gevent.sleep(0)
            runner.stop()
            living.append([runner.state, sum(not user.greenlet.dead for user in users)])
        print(json.dumps(living))
        """
    ).last_line
    # Each number of turns finds the three at another place on their way out.
    assert found == [["stopped", 0]] * 10


def test_who_kills_the_one_that_stops_the_test_stops_it_instead(python_script: Callable[..., Any]) -> None:
    found = python_script(
        """
        import json, gevent
        from gevent.event import Event
        from locust import LoadTestShape, User, constant, task
        from locust.env import Environment

        class Idle(User):
            wait_time = constant(1)

            @task
            def t(self):
                pass

        class Over(LoadTestShape):
            def tick(self):
                return None

        environment = Environment(user_classes=[Idle], shape_class=Over())
        stopping = Event()

        @environment.events.test_stopping.add_listener
        def linger(**_):
            stopping.set()
            gevent.sleep(0.05)

        runner = environment.create_local_runner()
        runner.start_shape()
        # The shape ends the test by itself, and a stop ends the shape.
        assert stopping.wait(10)
        runner.stop()
        print(json.dumps(runner.state))
        """
    ).last_line
    assert found == "stopped"


def test_a_shape_started_while_another_ends_is_found_by_a_stop(python_script: Callable[..., Any]) -> None:
    found = python_script(
        """
        import json, gevent
        from gevent.event import Event
        from locust import LoadTestShape, User, constant, task
        from locust.env import Environment

        stopping, followed = Event(), Event()

        class Idle(User):
            wait_time = constant(1)

            @task
            def t(self):
                pass

            def on_stop(self):
                stopping.set()
                gevent.sleep(0.05)

        class First(LoadTestShape):
            ticks = 0

            def tick(self):
                self.ticks += 1
                return None if self.ticks == 1 else (self.ticks, 100)

        environment = Environment(user_classes=[Idle], shape_class=First())
        environment.events.spawning_complete.add_listener(lambda **_: followed.set())
        runner = environment.create_local_runner()
        runner.start(1, 100)
        assert followed.wait(10)
        followed.clear()
        runner.start_shape()
        assert stopping.wait(10)
        runner.start_shape()
        second = runner.shape_greenlet
        assert followed.wait(10)
        known = runner.shape_greenlet is second
        runner.stop()
        print(json.dumps([known, second.dead, runner.state]))
        """
    ).last_line
    # Unknown to the runner it would go on, and change the number of users of the next test.
    assert found == [True, True, "stopped"]


def test_two_who_start_a_test_at_the_same_moment_start_one(python_script: Callable[..., Any]) -> None:
    found = python_script(
        """
        import json, gevent
        from gevent.event import Event
        from locust import User, constant, task
        from locust.env import Environment

        class Idle(User):
            wait_time = constant(1)

            @task
            def t(self):
                pass

        environment = Environment(user_classes=[Idle])
        begun, complete = Event(), Event()
        beginning, most = 0, 0

        @environment.events.test_start.add_listener
        def prepare(**_):
            global beginning, most
            beginning += 1
            most = max(most, beginning)
            begun.set()
            try:
                gevent.sleep(0.05)
            finally:
                beginning -= 1

        environment.events.spawning_complete.add_listener(lambda **_: complete.set())
        runner = environment.create_local_runner()
        runner.start(2, 100)
        assert begun.wait(10)
        # Each of them ends the first ramp, which takes a turn of the loop.
        gevent.joinall([gevent.spawn(runner.start, 3, 100), gevent.spawn(runner.start, 5, 100)])
        assert complete.wait(10)
        print(json.dumps([most, runner.user_count, runner.target_user_count]))
        runner.quit()
        """
    ).last_line
    assert found == [1, 5, 5]
