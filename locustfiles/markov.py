"""A Markov chain: each task says which ones may follow, and how likely."""

from locust import HttpUser, MarkovTaskSet, constant, transition, transitions


class Visit(MarkovTaskSet):
    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": "iva", "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @transitions({"search": 3, "profile": 1})
    def feed(self) -> None:
        self.client.get("/api/feed")

    @transitions([("product", 4), "feed"])
    def search(self) -> None:
        self.client.get("/api/search?q=tent", name="/api/search")

    @transitions(["search", "feed"])
    def product(self) -> None:
        self.client.get("/api/products/7", name="/api/products/[id]")

    @transition("feed")
    def profile(self) -> None:
        self.client.get("/api/profile")


class Visitor(HttpUser):
    wait_time = constant(0.3)
    tasks = [Visit]
