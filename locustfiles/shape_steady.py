"""A steady load: the same number of users from beginning to end, for `TEST_SECONDS` (default 30)."""

import os

from locust import HttpUser, LoadTestShape, constant_throughput, task

SECONDS = float(os.environ.get("TEST_SECONDS", 30))


class Visitor(HttpUser):
    # Twice a second, however long the server takes, as long as it takes less than half a second.
    wait_time = constant_throughput(2)

    @task
    def log_in(self) -> None:
        self.client.post("/login", json={"user": "ann", "password": "secret"})


class Steady(LoadTestShape):
    def tick(self) -> tuple[int, float] | None:
        return (10, 10) if self.get_run_time() < SECONDS else None
