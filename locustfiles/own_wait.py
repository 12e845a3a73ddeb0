"""Waits of one's own: a `wait_time` method that backs off, and `time.sleep` inside a task.

`time.sleep` makes only the user who calls it wait, not the others.
"""

import random
import time

from locust import HttpUser, task


class Reader(HttpUser):
    impatience = 1.0

    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": "ben", "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    def wait_time(self) -> float:
        """Shorter and shorter: whoever finds nothing new reloads more often."""
        self.impatience = max(0.1, self.impatience * 0.9)
        return self.impatience

    @task(2)
    def read_and_think(self) -> None:
        self.client.get("/api/feed")
        time.sleep(random.uniform(0.05, 0.2))
        self.client.get("/api/feed")

    @task
    def write(self) -> None:
        time.sleep(0.3)
        self.client.post("/api/post", json={"text": "typed for a while"})
        self.impatience = 1.0
