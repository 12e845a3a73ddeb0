"""`idle_http_user.py` on Locust's fast client."""

from locust import FastHttpUser, constant, task


class Sleeper(FastHttpUser):
    wait_time = constant(100_000)

    @task
    def get(self) -> None:
        self.client.get("/")
