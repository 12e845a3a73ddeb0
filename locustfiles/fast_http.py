"""`FastHttpUser`: a leaner client with the same verbs. Here it reads and writes a feed."""

from locust import FastHttpUser, between, task


class Reader(FastHttpUser):
    wait_time = between(0.1, 0.5)
    connection_timeout = 5
    network_timeout = 5

    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": "finn", "password": "secret"}).json()["access"]
        self.headers = {"Authorization": f"Bearer {token}"}

    @task(4)
    def read_feed(self) -> None:
        with self.client.get("/api/feed", headers=self.headers, catch_response=True) as response:
            if response.status_code == 200 and "posts" not in response.json():
                response.failure("a feed without posts")

    @task
    def write_post(self) -> None:
        self.client.post("/api/post", json={"text": "quick"}, headers=self.headers)
