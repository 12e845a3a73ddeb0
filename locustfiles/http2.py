"""`http2 = True`, on either user: requests that a user has under way at once share one connection. Not in Locust."""

import gevent

from locust import HttpUser, between, task


class Browser(HttpUser):
    http2 = True
    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": "hedda", "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @task
    def open_page(self) -> None:
        """A page's parts are asked for all at once, as browsers do."""
        parts = ["/api/profile", "/api/orders?limit=5", "/api/cart", "/api/products/7"]
        gevent.joinall([gevent.spawn(self.client.get, part) for part in parts], raise_error=True)
