"""A ramp: users are added evenly until `PEAK` of them run, which then hold the load for a while."""

import os

from locust import HttpUser, LoadTestShape, constant, task

SECONDS = float(os.environ.get("TEST_SECONDS", 60))
PEAK = 50


class Visitor(HttpUser):
    wait_time = constant(0.5)

    @task
    def log_in(self) -> None:
        self.client.post("/login", json={"user": "ann", "password": "secret"})


class Ramp(LoadTestShape):
    """Two thirds of the time go up, one third stays there."""

    def tick(self) -> tuple[int, float] | None:
        elapsed = self.get_run_time() / SECONDS
        if elapsed >= 1:
            return None
        return max(1, round(PEAK * min(1, elapsed * 1.5))), PEAK
