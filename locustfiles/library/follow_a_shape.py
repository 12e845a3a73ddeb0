"""Locust as a library: follow a load shape, and look at the run from outside while it goes on.

python locustfiles/library/follow_a_shape.py http://localhost:8080
"""

import sys

import gevent

from locust import HttpUser, LoadTestShape, constant, task
from locust.env import Environment


class Visitor(HttpUser):
    wait_time = constant(0.2)

    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": "ada", "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @task
    def look(self) -> None:
        self.client.get("/api/cart")


class Steps(LoadTestShape):
    """Seconds up to which that many users run."""

    steps = ((1.5, 2), (3.5, 6), (5.5, 3))

    def tick(self) -> tuple[int, float] | None:
        now = self.get_run_time()
        return next(((users, 10) for end, users in self.steps if now < end), None)


def main(host: str) -> None:
    environment = Environment(user_classes=[Visitor], shape_class=Steps(), host=host, stop_timeout=5)
    runner = environment.create_local_runner()
    reached: list[int] = []
    environment.events.spawning_complete.add_listener(lambda user_count, **kwargs: reached.append(user_count))

    runner.start_shape()
    assert runner.shape_greenlet is not None
    runner.shape_greenlet.join()  # until `tick()` has returned None
    while runner.state != "stopped":
        gevent.sleep(0.1)
    print("steps:", reached, "requests:", environment.stats.total.num_requests > 0, "left:", runner.user_count)
    runner.quit()


if __name__ == "__main__":
    main(sys.argv[1])
