"""A shop's customers: they log in once, look around, and now and then buy something.

gregaria target
locust -f locustfiles/checkout.py --headless -H http://localhost:8080 -u 20 -r 5 -t 30s
"""

import random

from locust import HttpUser, SequentialTaskSet, between, task

PRODUCT_IDS = range(1, 1001)
WORDS = ["lamp", "tent", "kettle", "boots", "map", "rope"]


class Purchase(SequentialTaskSet):
    """One visit to the till. What one step learns, the next one uses: the state lives here until `interrupt()`."""

    product_id: int

    @task
    def search(self) -> None:
        results = self.client.get("/api/search", params={"q": random.choice(WORDS)}, name="/api/search").json()[
            "results"
        ]
        self.product_id = random.choice(results)["id"]

    @task
    def view(self) -> None:
        self.client.get(f"/api/products/{self.product_id}", name="/api/products/[id]")

    @task
    def put_into_cart(self) -> None:
        self.client.post("/api/cart", json={"product_id": self.product_id, "quantity": random.randint(1, 3)})

    @task
    def check_out(self) -> None:
        with self.client.post("/api/checkout", catch_response=True) as response:
            if response.ok and not response.json()["items"]:
                response.failure("bought nothing")
        self.interrupt()


class Customer(HttpUser):
    wait_time = between(0.2, 1)
    tasks = {Purchase: 1}

    def on_start(self) -> None:
        credentials = {"user": f"customer{random.randrange(10_000)}", "password": "secret"}
        token = self.client.post("/login", json=credentials).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @task(3)
    def view_profile(self) -> None:
        self.client.get("/api/profile")

    @task(2)
    def view_orders(self) -> None:
        self.client.get("/api/orders", params={"limit": 10}, name="/api/orders")

    @task(4)
    def view_product(self) -> None:
        self.client.get(f"/api/products/{random.choice(PRODUCT_IDS)}", name="/api/products/[id]")
