"""Every order is placed exactly once, by whichever user of whichever worker comes to it; then the run ends.

gregaria target
locust -f locustfiles/feeders/every_order_once.py --headless -H http://localhost:8080 -u 20 -r 20
locust -f locustfiles/feeders/every_order_once.py --headless -H http://localhost:8080 -u 20 -r 20 --processes 4
"""

from collections.abc import Iterator
from typing import TypedDict

from gregaria import Feeder
from locust import HttpUser, constant_pacing, task


class Order(TypedDict):
    product_id: int
    quantity: int


def open_orders() -> Iterator[Order]:
    """A query in a database, say. Only the process that hands the rows out calls this: here, or the master."""
    for number in range(1, 201):
        yield {"product_id": number % 50 + 1, "quantity": number % 3 + 1}


orders = Feeder(open_orders, name="orders")


class Buyer(HttpUser):
    wait_time = constant_pacing(0.1)

    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": "buyer", "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @task
    def place_order(self) -> None:
        order = next(orders)
        self.client.post("/api/cart", json=dict(order))
        self.client.post("/api/checkout")
