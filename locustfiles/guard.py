"""A guard: refuses to run against production, whatever the command line says.

locust -f locustfiles/guard.py --headless -H https://shop.prod.example.com    # ends with exit code 3
"""

import logging
from typing import Any

from locust import HttpUser, constant, events, task
from locust.env import Environment


@events.test_start.add_listener
def refuse_production(environment: Environment, **kwargs: Any) -> None:
    host = environment.host or Visitor.host or ""
    if "prod" in host:
        logging.error("%s looks like production: this test only runs elsewhere", host)
        environment.process_exit_code = 3
        if environment.runner is not None:
            environment.runner.quit()


class Visitor(HttpUser):
    wait_time = constant(0.5)

    @task
    def log_in(self) -> None:
        self.client.post("/login", json={"user": "eve", "password": "secret"})
