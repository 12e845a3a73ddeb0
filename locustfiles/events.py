"""Listeners: count what happens, print a summary, and let a threshold decide the exit code."""

import logging
from collections import Counter
from typing import Any

from requests import Response

from locust import HttpUser, constant, events, task
from locust.env import Environment

status_codes: Counter[int | None] = Counter()


@events.test_start.add_listener
def on_test_start(environment: Environment, **kwargs: Any) -> None:
    status_codes.clear()
    logging.info("testing %s", environment.host)


@events.spawning_complete.add_listener
def on_spawning_complete(user_count: int, **kwargs: Any) -> None:
    logging.info("all %s users are there", user_count)


@events.request.add_listener
def on_request(
    name: str,
    response_time: float,
    response: Response | None,
    exception: Exception | None,
    context: dict[str, Any],
    **kwargs: Any,
) -> None:
    status_codes[response.status_code if response is not None else None] += 1
    if exception:
        logging.warning("%s failed after %.0f ms for %s: %s", name, response_time, context.get("user"), exception)


@events.test_stop.add_listener
def on_test_stop(environment: Environment, **kwargs: Any) -> None:
    print("status codes:", dict(status_codes))


@events.quitting.add_listener
def judge(environment: Environment, **kwargs: Any) -> None:
    total = environment.stats.total
    if total.fail_ratio > 0.5:
        environment.process_exit_code = 4
    elif (total.get_response_time_percentile(0.95) or 0) > 2_000:
        environment.process_exit_code = 5


class Visitor(HttpUser):
    wait_time = constant(0.5)

    def context(self) -> dict[str, Any]:
        return {"user": id(self)}

    @task(3)
    def log_in(self) -> None:
        self.client.post("/login", json={"user": "gil", "password": "secret"})

    @task
    def guess_password(self) -> None:
        with self.client.post("/login", json={"user": "gil", "password": "?"}, catch_response=True) as response:
            if response.status_code == 401:
                response.success()
