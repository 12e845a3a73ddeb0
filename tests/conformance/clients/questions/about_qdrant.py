"""`locust.contrib.qdrant`, with the server that its client can be."""

from __future__ import annotations

from asking import ask, attributes, environment, listener, own, typed
from qdrant_client import models

from locust import events
from locust.contrib.qdrant import QdrantLocustClient, QdrantUser


def questions(_address: str) -> None:
    events.request.add_listener(listener("all"))

    class Shopper(QdrantUser):
        url = None  # with a location: in this process
        collection_name = "fruit"
        client_kwargs = {"location": ":memory:"}
        vectors_config = models.VectorParams(size=2, distance=models.Distance.COSINE)

    ask("no collection", lambda: QdrantUser(environment()))
    user = Shopper(environment())
    ask("the client", lambda: [type(user.client) is QdrantLocustClient, attributes(user.client), attributes(user)])
    ask("the user", lambda: own(QdrantUser))
    points = [models.PointStruct(id=n, vector=[1.0, n / 10], payload={"n": n}) for n in range(20)]
    ask("upsert", lambda: user.upsert(points))
    ask("search", lambda: user.search([1.0, 0.2]))
    ask("search few", lambda: user.search([1.0, 0.2], limit=2, with_payload=False))
    odd = models.Filter(must=[models.FieldCondition(key="n", match=models.MatchValue(value=5))])
    ask("search with a filter", lambda: user.search(query=[1.0, 0.2], query_filter=odd))
    never = models.Filter(must=[models.FieldCondition(key="n", match=models.MatchValue(value=-5))])
    ask("search for nothing", lambda: user.search([1.0, 0.2], query_filter=never))
    ask("scroll to nothing", lambda: user.scroll(never))
    ask("search in vain", lambda: user.search([1.0, 0.2, 0.3]))
    ask("scroll", lambda: user.scroll())
    ask("scroll with a filter", lambda: user.scroll(scroll_filter=odd, limit=1))
    ask("delete", lambda: user.delete(models.PointIdsList(points=[1, 2])))
    ask("delete by nothing", lambda: user.delete(None))
    ask("upsert nothing", lambda: user.upsert([]))
    ask("of the client: upsert", lambda: typed(user.client.upsert(points)))
    ask("of the client: search", lambda: typed(user.client.search([1.0, 0.2], limit=3)))
    ask("of the client: scroll", lambda: typed(user.client.scroll(limit=3)))
    ask("of the client: delete", lambda: typed(user.client.delete(models.PointIdsList(points=[3]))))
    ask("of the client: a failure", lambda: typed(user.client.search([1.0, 0.2, 0.3])))
    ask("on_stop", user.on_stop)
    ask("after the end", lambda: user.scroll())
    ask("the collection again", lambda: user.client.create_collection(Shopper.vectors_config))

    class Lost(QdrantUser):
        url = "http://127.0.0.1:1"
        collection_name = "fruit"

    ask("nobody there", lambda: Lost(environment()).scroll())
