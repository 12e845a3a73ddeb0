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
