"""Run one user in a debugger: every request is printed, and breakpoints work as usual.

python locustfiles/library/debug_one_user.py -H http://localhost:8080
"""

from typing import Any

from locust import HttpUser, events, run_single_user, task
from locust.env import Environment
from locust.exception import StopUser


@events.test_start.add_listener
def on_test_start(environment: Environment, **kwargs: Any) -> None:
    assert environment.parsed_options is not None
    print("options are parsed as for `locust`:", environment.parsed_options.num_users, environment.runner)


class Visitor(HttpUser):
    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": "ada", "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @task
    def look(self) -> None:
        self.client.get("/api/cart")
        self.client.get("/status/404", name="nowhere")
        raise StopUser


if __name__ == "__main__":
    run_single_user(Visitor, include_length=True)
