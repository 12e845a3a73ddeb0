"""Messages: the accounts of a test are dealt out among the workers, and each says when it is ready.

In one process the messages go to oneself, so the same file runs with and without workers.

locust -f locustfiles/messages.py --headless -H http://localhost:8080 -u 4 -t 10s
"""

from typing import Any

from locust import HttpUser, constant, events, task
from locust.env import Environment
from locust.runners import MasterRunner, Message, WorkerRunner

ACCOUNTS = [f"user{number}" for number in range(100)]

mine: list[str] = []
"""The accounts of this worker."""


def take(environment: Environment, msg: Message, **kwargs: Any) -> None:
    mine.extend(msg.data)
    assert environment.runner is not None
    environment.runner.send_message("accounts taken", len(msg.data))


def note(environment: Environment, msg: Message, **kwargs: Any) -> None:
    print("accounts taken:", msg.data)


@events.init.add_listener
def on_init(environment: Environment, **kwargs: Any) -> None:
    runner = environment.runner
    assert runner is not None
    if not isinstance(runner, MasterRunner):
        runner.register_message("accounts", take)
    if not isinstance(runner, WorkerRunner):
        runner.register_message("accounts taken", note)


@events.test_start.add_listener
def deal_out(environment: Environment, **kwargs: Any) -> None:
    runner = environment.runner
    if isinstance(runner, MasterRunner):
        for place, worker in enumerate(runner.clients):
            runner.send_message("accounts", ACCOUNTS[place :: len(runner.clients)], client_id=worker)
    elif not isinstance(runner, WorkerRunner) and runner is not None:
        runner.send_message("accounts", ACCOUNTS)


class Customer(HttpUser):
    wait_time = constant(0.5)

    def on_start(self) -> None:
        self.account = mine.pop(0)

    def on_stop(self) -> None:
        mine.append(self.account)

    @task
    def log_in(self) -> None:
        self.client.post("/login", json={"user": self.account, "password": "secret"})
