"""Every customer has an account of its own, over all workers; who finds none left stays away.

gregaria target
locust -f locustfiles/feeders/own_account.py --headless -H http://localhost:8080 -u 20 -r 10 -t 30s
locust -f locustfiles/feeders/own_account.py --headless -H http://localhost:8080 -u 20 -r 10 -t 30s --processes 2
"""

from gregaria import Feeder, FeederEmpty
from locust import HttpUser, between, task
from locust.exception import StopUser

accounts = Feeder("accounts.csv", when_empty="error")


class Customer(HttpUser):
    wait_time = between(0.2, 1)

    def on_start(self) -> None:
        try:
            account = next(accounts)
        except FeederEmpty:
            raise StopUser from None
        credentials = {"user": account["user"], "password": account["password"]}
        token = self.client.post("/login", json=credentials).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @task
    def view_profile(self) -> None:
        self.client.get("/api/profile")
