"""Steps: ten more users at a time, to see at which step the response times begin to rise.

The last step adds buyers to the visitors: a tick may say which classes new users have.
"""

import os

from locust import HttpUser, LoadTestShape, User, between, task

SECONDS = float(os.environ.get("TEST_SECONDS", 60))


class Visitor(HttpUser):
    wait_time = between(0.2, 0.6)

    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": "ann", "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @task
    def read(self) -> None:
        self.client.get("/api/feed")


class Buyer(Visitor):
    @task
    def buy(self) -> None:
        self.client.post("/api/cart", json={"product_id": 1})
        self.client.post("/api/checkout")


class Steps(LoadTestShape):
    stages: list[tuple[int, list[type[User]]]] = [(10, [Visitor]), (20, [Visitor]), (30, [Visitor]), (40, [Buyer])]

    def tick(self) -> tuple[int, float, list[type[User]]] | None:
        step = int(self.get_run_time() / SECONDS * len(self.stages))
        if step >= len(self.stages):
            return None
        users, classes = self.stages[step]
        return users, 10, classes
