"""Redis: its client is plain Python over sockets, which gevent makes cooperative; a user may even wait in `BLPOP`.

Needs `pip install redis`. `REDIS=redis://localhost:6379/0 locust -f redis_client.py --headless -u 4`.
"""

import os
from typing import Any

import redis

from locust import User, constant, task
from locust.env import Environment

SERVER = os.environ.get("REDIS", "redis://localhost:6379/0")


class RedisUser(User):
    """Executes commands, each counted under its name."""

    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.request = environment.events.request
        self.redis = redis.Redis.from_url(SERVER, decode_responses=True)

    def on_stop(self) -> None:
        self.redis.close()

    def command(self, name: str, *arguments: str | int) -> Any:
        with self.request.measure("redis", name):
            return self.redis.execute_command(name, *arguments)


class Shopper(RedisUser):
    wait_time = constant(0.05)

    @task(3)
    def order(self) -> None:
        self.command("INCR", "orders")
        self.command("RPUSH", "to-pack", "pear")

    @task
    def look(self) -> None:
        self.command("GET", "orders")

    @task
    def order_with_a_text_for_a_number(self) -> None:
        self.command("SET", "name", "pear")
        self.command("INCR", "name")


class Packer(RedisUser):
    """Waits for what shoppers order. The time of `BLPOP` is how long there was nothing to do."""

    @task
    def pack(self) -> None:
        self.command("BLPOP", "to-pack", 1)
