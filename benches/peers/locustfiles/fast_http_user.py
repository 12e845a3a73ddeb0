"""The same on Locust's fast client, over HTTP and HTTPS alike."""

from locust import FastHttpUser, task


class Getter(FastHttpUser):
    @task
    def get(self) -> None:
        self.client.get("/")
