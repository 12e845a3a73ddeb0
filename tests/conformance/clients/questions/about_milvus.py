"""`locust.contrib.milvus`, with pymilvus's own server, which keeps a file."""

from __future__ import annotations

from typing import Any

from asking import ask, attributes, environment, listener, typed
from pymilvus import AnnSearchRequest, DataType, MilvusClient, RRFRanker

from locust import events
from locust.contrib.milvus import BaseClient, MilvusUser, MilvusV2Client


def hits(*ids: Any) -> list[dict[str, Any]]:
    return [{"id": id, "distance": 0.1} for id in ids]


RECALLS = """
[hits(1, 2, 3)], [1, 2, 3], None
[hits(1, 2, 3)], [1, 2], None
[hits(1, 2, 3)], [1, 9, 8], None
[hits(1, 2, 3)], [3, 1], 1
[hits(1, 2, 3)], [9, 1], 1
[hits(1, 2, 3)], [9, 1], 2
[hits(1, 2, 3)], [1, 2, 3, 4, 5, 6], 5
[hits(1, 2, 3)], [1, 2, 3, 4, 5, 6], 7
[hits(1, 2, 3)], [1, 2, 3], 0
[hits(1, 2, 3)], [1, 2, 3], -1
[hits(1, 1, 2)], [1, 1], 2
[hits(1, 1, 2)], [1, 1, 2], None
[hits(1, 1, 2)], [1, 2, 3, 4], None
[hits(1, 2, 3), hits(4, 5)], [1, 2, 4], None
[hits(1, 2, 3)], [[1, 2, 3]], None
[hits(1, 2, 3)], {1, 2, 3}, None
[hits(1, 2, 3)], (1, 2, 3), None
[hits(1, 2, 3)], range(1, 4), None
[hits(1, 2, 3)], "123", None
[hits(1, 2, 3)], None, None
[hits(1, 2, 3)], 5, None
[hits(1, 2, 3)], [1, 2, 3], "2"
hits(1, 2, 3), [1, 2, 9], None
tuple(hits(1, 2, 3)), [1, 2, 9], None
([hits(1)]), [1], None
(hits(1),), [1], None
[tuple(hits(1))], [1], None
[[{"id": 1}, {"pk": 2}]], [1, 2], None
[["a"]], ["a"], None
[[None]], [1], None
[[]], [1], None
[], [1], None
None, [1], None
""".strip().splitlines()


def questions(address: str) -> None:
    events.request.add_listener(listener("all"))
    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("place", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("n", DataType.INT64)
    index = MilvusClient.prepare_index_params()
    index.add_index("place", index_type="FLAT", metric_type="L2")

    class Shopper(MilvusUser):
        pass

    ask("no address", lambda: Shopper(environment(), uri=None))
    ask("no collection", lambda: Shopper(environment(), collection_name=None))
    user = Shopper(environment(), uri=address, collection_name="fruit", schema=schema, index_params=index)
    ask("the client", lambda: [type(user.client) is MilvusV2Client, attributes(user.client), attributes(user)])
    ask("its class", lambda: [issubclass(MilvusV2Client, BaseClient), sorted(BaseClient.__abstractmethods__)])
    ask("the collection again", lambda: user.client.create_collection(schema, index))
    rows = [{"id": n, "place": [1.0, n / 10], "n": n} for n in range(20)]
    ask("insert", lambda: user.insert(rows))
    ask("insert what does not fit", lambda: user.insert([{"id": 1}]))
    ask("upsert", lambda: user.upsert(rows[:5]))
    ask("search", lambda: user.search([[1.0, 0.2]], "place", 3))
    ask("search with all", lambda: user.search([[1.0, 0.2]], "place", 3, "n > 5", {"metric_type": "L2"}, ["n"]))
    for truth in ([2, 7], [2, 1, 3], [7, 8], [2], []):
        recall = {"calculate_recall": True, "ground_truth": truth}
        ask(f"recall of {truth}", lambda recall=recall: user.search([[1.0, 0.2]], "place", 2, **recall))
    third = {"calculate_recall": True, "ground_truth": [2, 7, 8]}
    ask("a third", lambda: user.search([[1.0, 0.2]], "place", 3, **third))
    ask("two thirds", lambda: user.search([[1.0, 0.2]], "place", 3, calculate_recall=True, ground_truth=[2, 1, 9]))
    ask("found fewer than the truth", lambda: user.search([[1.0, 0.2]], "place", 3, "n == 2", **third))
    ask("no recall of nothing", lambda: user.search([[1.0, 0.2]], "place", 3, "n > 90", **third))
    ask("search for nothing", lambda: user.search([[1.0, 0.2]], "place", 3, "n > 90"))
    ask("query for nothing", lambda: user.query("n > 90"))
    ask("delete nothing", lambda: user.delete("n > 90"))
    ask("two searches", lambda: user.search([[1.0, 0.2], [1.0, 0.5]], "place", 2))
    ask("a filter that is none", lambda: user.query("n <> ]"))
    ask("recall without truth", lambda: user.search([[1.0, 0.2]], "place", 2, calculate_recall=True))
    requests = [AnnSearchRequest([[1.0, 0.2]], "place", {"metric_type": "L2"}, 3) for _ in range(2)]
    ask("hybrid search", lambda: user.hybrid_search(requests, RRFRanker(), 3))
    ask("query", lambda: user.query("n < 5", ["n"]))
    ask("query everything", lambda: user.query("n < 50"))
    ask("delete", lambda: user.delete("n < 5"))
    for name, arguments in {
        "insert": [[{"id": 77, "place": [0.5, 0.5], "n": 77}]],
        "upsert": [rows],
        "search": [[[1.0, 0.2]], "place", 3],
        "hybrid_search": [requests, RRFRanker(), 3],
        "query": ["n < 5", ["n"]],
        "delete": ["n < 3"],
    }.items():
        ask(
            f"of the client: {name}",
            lambda name=name, arguments=arguments: typed(getattr(user.client, name)(*arguments)),
        )
    for text in RECALLS:
        found, truth, limit = eval(text)
        ask(f"recall of {text}", lambda r=(found, truth, limit): MilvusV2Client.get_recall(*r))
    ask("on_stop", user.on_stop)
    ask("after the end", lambda: user.query("n < 5"))
