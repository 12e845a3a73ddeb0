"""Tasks that compute: 4 ms of CPU each, then a request to a server that answers in 20 ms, whatever happens here."""

import time

from locust import HttpUser, task


class Thinker(HttpUser):
    @task
    def think_and_get(self) -> None:
        done = time.thread_time() + 0.004
        while time.thread_time() < done:
            pass
        self.client.get("/delay?ms=20", name="/delay")
