"""One task, no wait: the request itself is all there is to measure."""

from locust import HttpUser, task


class Getter(HttpUser):
    @task
    def get(self) -> None:
        self.client.get("/")
