"""PostgreSQL: psycopg waits through gevent by itself, so a connection per user is all it takes.

Needs `pip install 'psycopg[binary]'`. `POSTGRES="host=localhost dbname=shop" locust -f postgres_client.py --headless`.
`locust.contrib.postgres` has a user that is ready made, and simpler.
"""

import os
from typing import Any

import psycopg

from locust import User, constant, events, task
from locust.env import Environment

SERVER = os.environ.get("POSTGRES", "host=localhost dbname=postgres")


@events.test_start.add_listener
def make_tables(environment: Environment, **_: Any) -> None:
    with psycopg.connect(SERVER) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS orders (id bigserial PRIMARY KEY, product text, quantity int)")


class Shopper(User):
    wait_time = constant(0.05)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.request = environment.events.request

    def on_start(self) -> None:
        with self.request.measure("SQL", "connect"):
            self.connection = psycopg.connect(SERVER, autocommit=True)

    def on_stop(self) -> None:
        self.connection.close()

    def query(self, name: str, sql: Any, *values: object) -> list[Any]:
        rows: list[Any] = []
        with self.request.measure("SQL", name) as request:
            cursor = self.connection.execute(sql, values)
            rows = cursor.fetchall() if cursor.description else []
            request["response_length"] = len(rows)
        return rows

    @task(3)
    def order(self) -> None:
        self.query("order", "INSERT INTO orders (product, quantity) VALUES (%s, %s)", "pear", 3)

    @task
    def look(self) -> None:
        self.query("look", "SELECT product, sum(quantity) FROM orders GROUP BY product")

    @task
    def order_without_a_number(self) -> None:
        self.query("mistake", "INSERT INTO orders (product, quantity) VALUES (%s, %s)", "pear", "three")
