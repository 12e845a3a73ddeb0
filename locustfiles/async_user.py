"""`async def` tasks: what a page needs is asked for at once, and any asyncio library can be used. Not in Locust."""

import asyncio
import random

from locust import HttpUser, between, events, task

PARTS = ["/api/profile", "/api/orders?limit=5", "/api/cart"]


@events.test_start.add_listener
async def begin_slowly(**_: object) -> None:
    """Listeners may be coroutines, too: users start when this has ended."""
    await asyncio.sleep(0.1)


class Browser(HttpUser):
    wait_time = between(0.1, 0.5)

    async def on_start(self) -> None:
        login = await self.client.post("/login", json={"user": "hedda", "password": "secret"})
        self.client.headers["Authorization"] = f"Bearer {login.json()['access']}"

    @task(3)
    async def open_page(self) -> None:
        """The parts of a page, side by side."""
        async with asyncio.timeout(10):
            await asyncio.gather(*(self.client.get(part) for part in PARTS))

    @task
    async def search(self) -> None:
        word = random.choice(["lamp", "tent", "kettle"])
        async with self.client.get(f"/api/search?q={word}", name="/api/search", catch_response=True) as response:
            if not response.json()["results"]:
                response.failure("found nothing")


class Reader(HttpUser):
    """A user without coroutines, in the same run."""

    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        login = self.client.post("/login", json={"user": "hedda", "password": "secret"})
        self.client.headers["Authorization"] = f"Bearer {login.json()['access']}"

    @task
    def look(self) -> None:
        self.client.get(f"/api/products/{random.randint(1, 1000)}", name="/api/products/[id]")
