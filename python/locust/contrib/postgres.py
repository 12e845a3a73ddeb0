"""Users that query PostgreSQL. Needs psycopg: `pip install 'gregaria[postgres]'`."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from .. import events
from ..user.users import User


class PostgresClient:
    """One connection. Its queries are one transaction, which nothing commits: after a failed one all further ones fail.

    A locustfile that writes executes `COMMIT` itself, or sets `autocommit` on `client.connection`.
    """

    def __init__(self, conn_string: str) -> None:
        self.connection = psycopg.connect(conn_string)

    def execute_query(self, query: Any) -> None:
        """Execute a query, and count it as `postgres_success` or `postgres_failure`. Its rows are not handed out."""
        start = time.perf_counter()
        result: dict[str, Any] = {"request_type": "postgres_success"}
        try:
            self.connection.execute(query)
        except psycopg.Error as error:
            result = {"request_type": "postgres_failure", "exception": error}
        response_time = int((time.perf_counter() - start) * 1000)
        events.request.fire(name="execute_query", response_time=response_time, response_length=0, **result)

    def close(self) -> None:
        """Close the connection. What was not committed is gone."""
        self.connection.close()


class PostgresUser(User):
    """A user with a `PostgresClient`, connected to `conn_string` while he lives."""

    abstract = True

    conn_string: str
    """Where the server is and who asks, as psycopg takes it: `postgresql://user:password@host/database`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client = PostgresClient(self.conn_string)

    def on_stop(self) -> None:
        """Close the connection."""
        self.client.close()
