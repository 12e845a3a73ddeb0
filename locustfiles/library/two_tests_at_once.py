"""Locust as a library: two tests in one process, each with users, events and statistics of its own.

python locustfiles/library/two_tests_at_once.py http://localhost:8080 http://localhost:8081
"""

import sys

import gevent

from locust import HttpUser, User, constant, task
from locust.env import Environment


class Reader(HttpUser):
    wait_time = constant(0.1)

    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": "ada", "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @task
    def look(self) -> None:
        self.client.get("/api/cart")


class Guest(Reader):
    @task
    def order(self) -> None:
        self.client.get("/api/orders?limit=5", name="/api/orders")


def environment_for(user_class: type[User], host: str) -> Environment:
    environment = Environment(user_classes=[user_class], host=host, stop_timeout=5)
    name = user_class.__name__
    environment.events.test_start.add_listener(lambda **kwargs: print(name, "starts"))
    environment.events.test_stop.add_listener(lambda **kwargs: print(name, "is over"))
    return environment


def main(first: str, second: str) -> None:
    tests = [environment_for(Reader, first), environment_for(Guest, second)]
    for environment in tests:
        environment.create_local_runner().start(4, 20)
        gevent.sleep(0.5)
    gevent.sleep(1)
    for environment in tests:
        assert environment.runner is not None
        environment.runner.quit()
        rows = sorted(f"{method} {name}" for name, method in environment.stats.entries)
        print(rows, "failures:", environment.stats.total.num_failures)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
