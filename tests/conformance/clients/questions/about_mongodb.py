"""`locust.contrib.mongodb`."""

from __future__ import annotations

from asking import ask, attributes, environment, listener, own
from pymongo import MongoClient

from locust import events
from locust.contrib.mongodb import MongoDBClient, MongoDBUser


def questions(address: str) -> None:
    events.request.add_listener(listener("all"))
    with MongoClient(address) as client:
        client["shop"]["fruit"].insert_many([{"n": number} for number in range(300)])

    class Shopper(MongoDBUser):
        conn_string = address
        db_name = "shop"

    user = Shopper(environment())
    ask("the client", lambda: [type(user.client) is MongoDBClient, type(user.client).__mro__[1].__name__])
    ask("the user", lambda: [own(MongoDBUser), attributes(user.client)])
    ask("a query", lambda: user.client.execute_query("fruit", {"n": {"$lt": 3}}))
    ask("many rows", lambda: user.client.execute_query("fruit", {}))
    ask("nothing found", lambda: user.client.execute_query("fruit", {"n": -1}))
    ask("an unknown collection", lambda: user.client.execute_query("none", {}))
    ask("a query that is none", lambda: user.client.execute_query("fruit", 5))
    ask("a collection that is none", lambda: user.client.execute_query("", {}))
    ask("on_stop", user.on_stop)
    ask("after the end", lambda: user.client.execute_query("fruit", {"n": 1}))
    lost = MongoDBClient("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50", "shop")
    ask("nobody there", lambda: lost.execute_query("fruit", {}) and None)
    ask("no connection string", lambda: MongoDBUser(environment()))
