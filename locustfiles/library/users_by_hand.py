"""Locust as a library: start and stop users one by one, without a ramp, and use one without a runner at all.

python locustfiles/library/users_by_hand.py http://localhost:8080
"""

import sys

import gevent

from locust import HttpUser, constant, task
from locust.env import Environment


class Visitor(HttpUser):
    wait_time = constant(0.1)

    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": "ada", "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @task
    def look(self) -> None:
        self.client.get("/api/cart")


class Buyer(Visitor):
    @task
    def order(self) -> None:
        self.client.get("/api/orders?limit=5", name="/api/orders")


def main(host: str) -> None:
    environment = Environment(user_classes=[Visitor, Buyer], host=host)
    for user_class in environment.user_classes:
        user_class.host = host  # `start()` would do it

    # A user is an object like any other: its client works without a runner, and is counted nowhere.
    alone = Buyer(environment)
    alone.on_start()
    print("alone:", alone.client.get("/api/cart").status_code, environment.stats.total.num_requests)

    runner = environment.create_local_runner()
    users = runner.spawn_users({"Visitor": 3, "Buyer": 1})
    print("spawned:", [type(user).__name__ for user in users], runner.user_classes_count, runner.state)
    gevent.sleep(0.5)
    runner.stop_users({"Visitor": 2})
    print("left:", runner.user_classes_count)
    users[-1].stop(force=True)
    gevent.sleep(0.1)
    print("left:", runner.user_classes_count)
    runner.register_message("note", lambda environment, msg, **kwargs: print("message:", msg.type, msg.data))
    runner.send_message("note", {"to": "myself"})
    runner.quit()
    print("at the end:", runner.user_count, runner.state, environment.stats.total.num_failures)


if __name__ == "__main__":
    main(sys.argv[1])
