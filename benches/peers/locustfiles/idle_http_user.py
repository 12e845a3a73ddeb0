"""Connected and idle: one request, then a wait longer than any run. What is left is what a user weighs."""

from locust import HttpUser, constant, task


class Sleeper(HttpUser):
    wait_time = constant(100_000)

    def on_start(self) -> None:
        self.client.verify = False

    @task
    def get(self) -> None:
        self.client.get("/")
