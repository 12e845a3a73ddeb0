"""Asks a module of `locust.contrib` what it does, in a process of its own: `questions.py NAME ADDRESS`.

Prints a JSON object, an answer a question: what the user's methods gave back, and every event they fired. It is run on Locust
and here, and the two outputs have to be equal. Times are told by their type, and by whether they can be true.
"""

from __future__ import annotations

import json
import os
import random
import re
import ssl
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OPENAI_API_KEY", "none")

import gevent

import locust
from locust import events
from locust.env import Environment

fired: list[Any] = []
times: list[float] = []
"""Every response time, as it was."""
answers: dict[str, Any] = {}


VARYING = r"(&t=|0x|Description id: |127\.0\.0\.1:|locust-(?!kY9))[0-9a-zA-Z.]+"
"""What is another at every run: times, addresses, ports, and numbers that are made up."""


def listener(whose: str) -> Callable[..., None]:
    def listen(**arguments: Any) -> None:
        times.append(arguments["response_time"])
        fired.append([whose, {name: shown(name, value) for name, value in sorted(arguments.items())}])

    return listen


def shown(name: str, value: Any) -> Any:
    """A value as both sides can have it: of times, whether they may be true; of objects, what they are and say."""
    match value:
        case int() | float() if name in ("response_time", "start_time"):
            return f"{type(value).__name__} {plausible(name, value)}"
        case dict():
            return {str(key): shown(str(key), item) for key, item in sorted(value.items())}
        case list() | tuple():
            return [shown("", item) for item in value]
        case BaseException():
            return f"{type(value).__module__}.{type(value).__name__}: {shown('', str(value))}"
        case str():
            return re.sub(VARYING, r"\1...", value)
        case None | bool() | int() | float():
            return value
        case _:
            return f"<{type(value).__name__}>"


def plausible(name: str, value: float) -> str:
    """A measured time is different each time; what is given as an int may be one that was cut off."""
    if name == "start_time":
        clocks = {"epoch": time.time(), "since start": time.perf_counter()}
        return next((clock for clock, now in clocks.items() if now - 60 < value <= now), "of no clock")
    return "of milliseconds" if 0 <= value < 60_000 else "of no time"


def ask(question: str, code: Callable[[], Any]) -> None:
    """Note what `code` gives or raises, and what it fires."""
    fired.clear()
    try:
        outcome = shown("", code())
    except BaseException as error:
        outcome = "raised " + shown("", error)
    answers[question] = {"outcome": outcome, "fired": list(fired)}


def eventually(check: Callable[[], Any], deadline: float = 10) -> Any:
    """What `check` gives, as soon as it is true; others run meanwhile."""
    end = time.monotonic() + deadline
    while not (result := check()) and time.monotonic() < end:
        gevent.sleep(0.01)
    return result


def attributes(made: object) -> list[str]:
    """The names that an object has of its own."""
    return sorted(name for name in vars(made) if not name.startswith("_"))


def own(kind: type) -> dict[str, Any]:
    """What a class defines for all to see, but for methods."""
    return {
        name: shown("", value)
        for name, value in vars(kind).items()
        if not name.startswith("_") and not callable(value) and not isinstance(value, staticmethod)
    }


def until_fired(number: int) -> None:
    eventually(lambda: len(fired) >= number, 5)


def environment() -> Environment:
    made = Environment()
    made.events.request.add_listener(listener("environment"))
    return made


def dns(address: str) -> None:
    import dns.message

    from locust.contrib.dns import DNSClient, DNSUser

    host, port = address.split(":")
    user = DNSUser(environment())
    shop, empty, unknown = (dns.message.make_query(name, "A") for name in ("shop.test", "empty.test", "other.test"))
    ask("a name that is there", lambda: user.client.udp(shop, host, port=int(port)))
    ask("a name for it", lambda: user.client.udp(shop, host, port=int(port), name="look up"))
    ask("over TCP", lambda: user.client.tcp(shop, host, port=int(port), timeout=5))
    ask("no address", lambda: user.client.udp(empty, host, port=int(port)))
    ask("no such name", lambda: user.client.udp(unknown, host, port=int(port)))
    ask("nobody answers", lambda: user.client.udp(shop, "127.0.0.1", port=1, timeout=0.01))
    ask("nobody accepts", lambda: user.client.tcp(shop, "127.0.0.1", port=1, timeout=5))
    ask("a method that is none", lambda: user.client.carrier_pigeon)
    ask("a call of a method that is none", lambda: user.client.carrier_pigeon(shop))
    ask("wrong arguments", lambda: user.client.udp(shop))
    ask("what the user has", lambda: [type(user.client) is DNSClient, own(DNSUser)])


def socketio(address: str) -> None:
    from locust.contrib.socketio import SocketIOClient, SocketIOUser

    user = SocketIOUser(environment())
    ask("the user", lambda: [type(user.sio) is SocketIOClient, type(user.sio_greenlet).__name__, own(SocketIOUser)])
    ask("the client", lambda: attributes(user.sio))
    ask("nobody there", lambda: user.sio.connect("http://127.0.0.1:1", wait_timeout=1))
    ask("not connected", lambda: user.sio.emit("ask", {"for": "pears"}))
    ask("not connected, called", lambda: user.sio.call("ask", {"for": "pears"}, timeout=0.001))

    def connect() -> Any:
        result = user.sio.connect(address, transports=["websocket"])
        until_fired(2)
        return result

    ask("connect", connect)
    ask("connected already", lambda: user.sio.connect(address, transports=["websocket"]))
    ask("emit", lambda: user.sio.emit("note", {"n": 1}))

    def told() -> Any:
        result = user.sio.emit("tell", "three words here")
        until_fired(2)
        return result

    ask("emit, answered by an event", told)
    ask("call", lambda: user.sio.call("ask", {"for": "pears"}))
    ask("call without data", lambda: user.sio.call("ask"))
    ask("call in vain", lambda: user.sio.call("ask", "slowly", timeout=0.001))
    ask("send", lambda: user.sio.send("hello"))
    ask("send under a name", lambda: user.sio.send({"a": 1, "b": 2}, name="two"))
    ask("send nothing", lambda: user.sio.send(None))
    ask("emit a number", lambda: user.sio.emit("note", 5))
    ask("emit nothing", lambda: user.sio.emit("note"))
    ask("send a number", lambda: user.sio.send(5))
    ask("an event that is no text", lambda: user.sio.emit(7, "x"))
    ask("a message of a number", lambda: user.sio.on_message("told", 5))
    ask("a message of nothing", lambda: user.sio.on_message("told", None))
    called: list[Any] = []
    ask("a callback", lambda: user.sio.emit("ask", "x", callback=lambda data: called.append(data)))
    ask("the callback was called", lambda: eventually(lambda: called))
    ask("another namespace", lambda: user.sio.emit("ask", "x", namespace="/elsewhere"))
    user.sio.disconnect()

    class Strict(SocketIOUser):
        options = {"reconnection": False}

    ask("options", lambda: Strict(environment()).sio.reconnection)


def postgres(address: str) -> None:
    from locust.contrib.postgres import PostgresClient, PostgresUser

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


def mongodb(address: str) -> None:
    from pymongo import MongoClient

    from locust.contrib.mongodb import MongoDBClient, MongoDBUser

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


def oai(address: str) -> None:
    from locust.contrib.oai import OpenAIClient, OpenAIUser

    os.environ["OPENAI_BASE_URL"] = address

    user = OpenAIUser(environment())
    client = user.client
    ask("the client", lambda: [type(client) is OpenAIClient, type(client).__mro__[1].__name__, client.request_name])
    ask("the user", lambda: [own(OpenAIUser), attributes(client)])
    other = OpenAIClient(user.environment.events.request, user, max_retries=1, api_key="other", timeout=3)
    ask("arguments", lambda: [other.max_retries, other.api_key, other.timeout, str(other.base_url)])
    ask("a transport of one's own", lambda: OpenAIClient(None, user, http_client=None))
    ask("no user", lambda: OpenAIClient(None))
    ask("a response", lambda: client.responses.create(model="small", input="fruit?").output_text)
    chat = {"model": "small", "messages": [{"role": "user", "content": "fruit?"}]}
    ask("a chat", lambda: client.chat.completions.create(**chat).choices[0].message.content)

    def renamed() -> Any:
        with client.rename_request("fruit"):
            return client.responses.create(model="small", input="fruit?").output_text, client.request_name

    ask("under a name", renamed)
    ask("the name afterwards", lambda: client.request_name)
    ask("not found", lambda: client.responses.create(model="missing", input="fruit?") and None)

    def raises() -> None:
        with client.rename_request("fruit"):
            raise ValueError("out of fruit")

    ask("a block that raises", raises)
    ask("the name after that", lambda: client.request_name)

    class WithContext(OpenAIUser):
        def context(self) -> dict[str, Any]:
            return {"from": "the user"}

    other = WithContext(environment()).client
    ask("a user's context", lambda: other.responses.create(model="small", input="x").output_text)
    for model in ("no usage", "null", "a list", "no JSON", "a stream"):
        ask(
            f"answered with {model}",
            lambda model=model: client.post("/responses", cast_to=object, body={"model": model}),
        )


def qdrant(_address: str) -> None:
    from qdrant_client import models

    from locust.contrib.qdrant import QdrantLocustClient, QdrantUser

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


def typed(result: dict[str, Any]) -> dict[str, Any]:
    """What a client's method gave, its results told by their type and number."""
    return {
        key: f"{type(value).__name__} of {len(value)}" if isinstance(value, (list, tuple, dict)) else shown(key, value)
        for key, value in result.items()
    }


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


def milvus(address: str) -> None:
    from locust.contrib.milvus import BaseClient, MilvusUser, MilvusV2Client
    from pymilvus import AnnSearchRequest, DataType, MilvusClient, RRFRanker

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


def mqtt(address: str) -> None:
    from paho.mqtt.client import CallbackAPIVersion, Client, MQTTv5

    from locust.contrib import mqtt
    from locust.contrib.mqtt import MqttClient, MqttUser, PublishedMessageContext

    _, port, websockets = address.split(":")

    class Shopper(MqttUser):
        host = "127.0.0.1"

    Shopper.port = int(port)
    ask("constants", lambda: [mqtt.REQUEST_TYPE, mqtt.SUBACK_FAILURE, PublishedMessageContext._fields])
    ask("the user", lambda: {name: str(value) for name, value in own(MqttUser).items()})

    def connected(**settings: Any) -> MqttUser:
        user = type("Shopper", (Shopper,), settings)(environment())
        eventually(user.client.is_connected, 0.2 if user.port == 1 else 10)
        gevent.sleep(0.1)
        return user

    def quiet(action: Callable[[], Any], number: int = 1) -> Any:
        """Do it, and wait for what it fires."""
        result = action()
        until_fired(number)
        return result

    def result(action: Callable[[], Any]) -> Callable[[], Any]:
        def done() -> Any:
            info = action()
            until_fired(1)
            return [int(info[0]), type(info).__name__]

        return done

    protocols = {"3.1.1": {}, "5": {"protocol": MQTTv5}, "selectors": {"use_loop_selectors": True}}
    protocols["websockets"] = {"transport": "websockets", "port": int(websockets)}
    for version, settings in protocols.items():
        users: list[MqttUser] = []
        ask(f"{version}: connect", lambda: quiet(lambda: users.append(connected(client_id="shop", **settings))))
        client = users[0].client
        ask(f"{version}: the client", lambda: [type(client) is MqttClient, attributes(users[0])])
        got: list[Any] = []
        client.on_message = lambda _client, _data, message: got.append([message.topic, str(message.payload)])
        fruit = lambda: sum(topic == "fruit/pear" for topic, _ in got)  # noqa: E731
        ask(f"{version}: subscribe", result(lambda: client.subscribe("fruit/#")))
        ask(f"{version}: subscribe at a level", result(lambda: client.subscribe("price", qos=1)))
        ask(f"{version}: subscribe to a pair", result(lambda: client.subscribe(("stock", 1))))
        ask(f"{version}: subscribe to several", result(lambda: client.subscribe([("a", 0), ("b", 2)])))
        ask(f"{version}: subscribe to what is forbidden", result(lambda: client.subscribe("forbidden")))
        ask(f"{version}: subscribe to both", result(lambda: client.subscribe([("c", 1), ("forbidden", 1)])))
        ask(f"{version}: subscribe to nothing", lambda: client.subscribe(""))
        ask(f"{version}: subscribe to an impossible level", lambda: client.subscribe("a", 5))
        for qos in (0, 1, 2):
            ask(f"{version}: publish {qos}", result(lambda qos=qos: client.publish("fruit/pear", f"ripe {qos}", qos)))
        ask(f"{version}: received", lambda: [eventually(lambda: fruit() == 3), sorted(got)])
        ask(f"{version}: publish nothing", result(lambda: client.publish("fruit/plum", qos=1)))
        ask(f"{version}: publish bytes", result(lambda: client.publish("fruit/plum", b"\xff\x00", 1, True)))
        ask(f"{version}: publish a number", result(lambda: client.publish("fruit/plum", 12, 1)))
        ask(f"{version}: publish more than text", result(lambda: client.publish("fruit/plum", "prunes \N{SNOWMAN}", 1)))
        ask(f"{version}: publish a list", lambda: client.publish("fruit/plum", [1]))
        ask(f"{version}: publish to nothing", lambda: client.publish("", "x"))
        ask(f"{version}: publish to a pattern", lambda: client.publish("a/#", "x"))
        ask(f"{version}: publish at an impossible level", lambda: client.publish("a", "x", 7))
        ask(f"{version}: an unknown message", lambda: client._on_publish_cb(client, None, 60_000))
        ask(f"{version}: disconnect", lambda: quiet(client.disconnect))
        eventually(lambda: not client.is_connected())
        ask(f"{version}: publish when gone", lambda: int(client.publish("fruit/pear", "x").rc))
        ask(f"{version}: publish later", lambda: int(client.publish("fruit/pear", "later", 1).rc))
        ask(f"{version}: subscribe when gone", lambda: [shown("", part) for part in client.subscribe("fruit/pear")])
        ask(f"{version}: disconnect when gone", lambda: int(client.disconnect()))
        client.loop_stop()
        ask(f"{version}: connect again", lambda: quiet(lambda: again(client), 2))
        usurper = Client(CallbackAPIVersion.VERSION2, "shop", protocol=client._protocol)
        ask(f"{version}: somebody else takes the name", lambda: quiet(lambda: usurped(usurper, int(port))))
        client.loop_stop()

    class Named(MqttClient):
        def _generate_event_name(self, event_type: str, qos: int, topic: str) -> str:
            return f"{event_type} at {qos}"

    user = connected(client_cls=Named)
    ask("names of one's own", result(lambda: user.client.publish("fruit", "x", 1)))
    ask("its number", lambda: [user.client._client_id[:7].decode(), len(user.client._client_id)])
    user.client.loop_stop()
    ask("many", lambda: many(connected(), 50))

    def refused(**settings: Any) -> Any:
        user = type("Shopper", (Shopper,), settings)(environment())
        until_fired(1)
        user.client.loop_stop()

    ask("a wrong password", lambda: refused(username="shop", password="wrong", client_id="refused"))
    ask("a wrong password, 5", lambda: refused(username="shop", password="wrong", client_id="r5", protocol=MQTTv5))
    ask("a name without a password", lambda: connected(username="shop", client_id="half").client.is_connected())
    context = ssl.create_default_context()
    random.seed(7)
    ask("made-up numbers", lambda: [MqttClient(environment=environment())._client_id.decode(), random.random()])
    ask("an empty number", lambda: len(MqttClient(environment=environment(), client_id="")._client_id))
    newer = MqttClient(CallbackAPIVersion.VERSION2, environment=environment())
    newer.connect_async("127.0.0.1", int(port))
    newer.loop_start()
    ask("newer callbacks: connect", lambda: eventually(lambda: fired))
    ask("newer callbacks: publish", lambda: quiet(lambda: int(newer.publish("a", "x").rc)))
    ask("newer callbacks: disconnect", lambda: quiet(lambda: int(newer.disconnect())))
    newer.loop_stop()
    ask("TLS", lambda: type("Safe", (Shopper,), {"tls_context": context})(environment()).client._ssl_context is context)
    ask("a path", lambda: connected(**protocols["websockets"], ws_path="/shop").client._websocket_path)
    ask("nobody there", lambda: [connected(port=1).client.is_connected(), gevent.sleep(0.2)])
    ask("a client id of ours", lambda: MqttClient(environment=environment(), client_id="mine")._client_id.decode())
    ask("no environment", lambda: MqttClient())
    ask("no text as a name", lambda: MqttClient(environment=environment(), client_id=5))


def again(client: Any) -> bool:
    client.reconnect()
    client.loop_start()
    return bool(eventually(client.is_connected))


def usurped(client: Any, port: int) -> None:
    """Connect under a name that is taken: the broker throws the other one out."""
    client.connect("127.0.0.1", port)
    eventually(lambda: client.loop(0.1) or client.is_connected())
    client.disconnect()


def many(user: Any, number: int) -> Any:
    """Publish much at once: every message is acknowledged, and counted, once."""
    fired.clear()
    for index in range(number):
        user.client.publish("fruit/all", str(index), index % 3)
    until_fired(number)
    gevent.sleep(0.2)
    user.client.loop_stop()
    names = [event["name"] for _, event in fired]
    fired.clear()
    return {name: names.count(name) for name in sorted(set(names))}


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
    print(json.dumps({"locust": locust.__file__, "answers": answers}))
