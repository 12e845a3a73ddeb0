"""Kinds of users: shared out by weight, with exactly one administrator, and a base class that is never run itself."""

from locust import HttpUser, TaskSet, between, constant_pacing, task


class Member(HttpUser):
    abstract = True
    wait_time = between(0.2, 0.6)
    name = "jo"

    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": self.name, "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"


class Reader(Member):
    weight = 3

    @task
    def read(self) -> None:
        self.client.get("/api/feed")


class Writer(Member):
    weight = 1

    @task(2)
    class Session(TaskSet):
        """Stays at the desk for a few posts, and then gets up."""

        posts = 0

        @task
        def write(self) -> None:
            self.client.post("/api/post", json={"text": f"post {self.posts}"})
            self.posts += 1
            if self.posts == 5:
                self.interrupt()

    @task
    def read(self) -> None:
        self.client.get("/api/feed")


class Administrator(Member):
    fixed_count = 1
    wait_time = constant_pacing(1)
    name = "admin"

    @task
    def inspect(self) -> None:
        self.client.get("/api/orders?limit=50", name="/api/orders")
