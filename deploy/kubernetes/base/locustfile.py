"""What the files in this folder run, against `gregaria target`: put your own in its place."""

from locust import HttpUser, between, task


class Visitor(HttpUser):
    wait_time = between(1, 3)

    def on_start(self):
        token = self.client.post("/login", json={"user": "eve", "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @task(3)
    def profile(self):
        self.client.get("/api/profile")

    @task
    def delay(self):
        self.client.get("/delay?ms=20", name="/delay")
