"""`locust.contrib.postgres`."""

from __future__ import annotations

from asking import ask, attributes, environment, listener, own, times

from locust import events
from locust.contrib.postgres import PostgresClient, PostgresUser


def questions(address: str) -> None:
    events.request.add_listener(listener("all"))

    class Shopper(PostgresUser):
        conn_string = address

    user = Shopper(environment())
    ask("the client", lambda: [type(user.client) is PostgresClient, own(PostgresUser), attributes(user.client)])
    ask("a query", lambda: user.client.execute_query("SELECT 1"))
    ask("several rows", lambda: user.client.execute_query("SELECT generate_series(1, 5)"))
    ask("a slow one", lambda: user.client.execute_query("SELECT pg_sleep(0.08)"))
    ask("how slow", lambda: 80 <= times[-1] < 8000)
    ask("a table", lambda: user.client.execute_query("CREATE TABLE once (n int)"))
    ask("a row", lambda: user.client.execute_query("INSERT INTO once VALUES (1)"))
    other = Shopper(environment())
    ask("is it there for others", lambda: other.client.execute_query("SELECT n FROM once"))
    ask("no query", lambda: user.client.execute_query(""))
    ask("a mistake", lambda: user.client.execute_query("SELEC 1"))
    ask("after a mistake", lambda: user.client.execute_query("SELECT 2"))
    ask("on_stop", user.on_stop)
    ask("after the end", lambda: user.client.execute_query("SELECT 1"))
    ask("close twice", user.client.close)
    ask("nobody there", lambda: PostgresClient("host=127.0.0.1 port=1"))
    ask("no connection string", lambda: PostgresUser(environment()))
    other.on_stop()
