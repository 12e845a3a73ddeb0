"""Extending Locust: options of one's own, a watchdog beside the users, an event of one's own.

locust -f locustfiles/extending.py --headless -H http://localhost:8080 -u 5 -t 30s --give-up-at 0.2 --word tent
"""

import logging
from typing import Any

import gevent

from locust import HttpUser, constant, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.event import EventHook
from locust.runners import STATE_CLEANUP, STATE_STOPPED, STATE_STOPPING, WorkerRunner

found = EventHook()
"""Fired for each product that a search brought: `name`."""

seen: set[str] = set()


@found.add_listener
def remember(name: str, **kwargs: Any) -> None:
    seen.add(name)


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser, **kwargs: Any) -> None:
    parser.add_argument("--word", default="lamp", env_var="SHOP_WORD", help="what users look for")
    parser.add_argument("--give-up-at", type=float, default=0.5, help="the share of failures at which the test ends")


@events.init.add_listener
def watch(environment: Environment, **kwargs: Any) -> None:
    """A greenlet of one's own sees what all users of all workers do; a worker alone sees its part only."""
    if environment.runner is not None and not isinstance(environment.runner, WorkerRunner):
        gevent.spawn(give_up_when_it_fails, environment)


def give_up_when_it_fails(environment: Environment) -> None:
    runner = environment.runner
    assert runner is not None and environment.parsed_options is not None
    while runner.state not in (STATE_CLEANUP, STATE_STOPPING, STATE_STOPPED):
        gevent.sleep(0.2)
        total = runner.stats.total
        if total.num_requests > 10 and total.fail_ratio > environment.parsed_options.give_up_at:
            logging.error("too much fails: the test ends")
            environment.process_exit_code = 7
            runner.quit()
            return


@events.test_stop.add_listener
def tell(**kwargs: Any) -> None:
    print("products found:", bool(seen))


class Visitor(HttpUser):
    wait_time = constant(0.2)

    def on_start(self) -> None:
        token = self.client.post("/login", json={"user": "ada", "password": "secret"}).json()["access"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @task
    def search(self) -> None:
        assert self.environment.parsed_options is not None
        word = self.environment.parsed_options.word
        response = self.client.get("/api/search", params={"q": word}, name="/api/search")
        for product in response.json()["results"]:
            found.fire(name=product["name"])
