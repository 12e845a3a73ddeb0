"""Tags choose the tasks of a run: `--tags read`, `--exclude-tags slow`, or both."""

from locust import HttpUser, constant, tag, task


class Member(HttpUser):
    wait_time = constant(0.5)

    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": "ann", "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @tag("read")
    @task(5)
    def read_feed(self) -> None:
        self.client.get("/api/feed")

    @tag("read", "slow")
    @task
    def search(self) -> None:
        self.client.get("/api/search?q=boots", name="/api/search")

    @tag("write")
    @task
    def write_post(self) -> None:
        self.client.post("/api/post", json={"text": "hello"})
