"""A spike: a calm load, ten times as many users for a short time, calm again. Does the server recover?"""

import os

from locust import HttpUser, LoadTestShape, constant, task

SECONDS = float(os.environ.get("TEST_SECONDS", 60))
CALM, SPIKE = 5, 50


class Visitor(HttpUser):
    wait_time = constant(0.5)

    @task
    def log_in(self) -> None:
        self.client.post("/login", json={"user": "ann", "password": "secret"})


class Spike(LoadTestShape):
    def tick(self) -> tuple[int, float] | None:
        elapsed = self.get_run_time() / SECONDS
        if elapsed >= 1:
            return None
        return (SPIKE, SPIKE) if 0.4 <= elapsed < 0.6 else (CALM, SPIKE)
