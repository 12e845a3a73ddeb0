"""`http_user.py` against a certificate nobody signed: requests verifies unless told, FastHttpUser does not."""

from locust import HttpUser, task


class Getter(HttpUser):
    def on_start(self) -> None:
        self.client.verify = False

    @task
    def get(self) -> None:
        self.client.get("/")
