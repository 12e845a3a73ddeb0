"""`locust.contrib.mqtt`, over TCP and WebSocket, with MQTT 3.1.1 and 5."""

from __future__ import annotations

import random
import ssl
from collections.abc import Callable
from typing import Any

import gevent
from asking import ask, attributes, environment, eventually, fired, own, shown, until_fired
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTv5

from locust.contrib import mqtt
from locust.contrib.mqtt import MqttClient, MqttUser, PublishedMessageContext


class Shopper(MqttUser):
    host = "127.0.0.1"


def questions(address: str) -> None:
    _, port, websockets = address.split(":")
    Shopper.port = int(port)
    ask("constants", lambda: [mqtt.REQUEST_TYPE, mqtt.SUBACK_FAILURE, PublishedMessageContext._fields])
    ask("the user", lambda: {name: str(value) for name, value in own(MqttUser).items()})
    over_websockets = {"transport": "websockets", "port": int(websockets)}
    conversation("3.1.1", {}, int(port))
    conversation("5", {"protocol": MQTTv5}, int(port))
    conversation("selectors", {"use_loop_selectors": True}, int(port))
    conversation("websockets", over_websockets, int(port))
    connecting(over_websockets)
    clients(int(port))


def conversation(version: str, settings: dict[str, Any], port: int) -> None:
    """All that a client can do, with one kind of connection."""
    users: list[MqttUser] = []
    ask(f"{version}: connect", lambda: quiet(lambda: users.append(connected(client_id="shop", **settings))))
    client = users[0].client
    ask(f"{version}: the client", lambda: [type(client) is MqttClient, attributes(users[0])])
    got: list[Any] = []
    client.on_message = lambda _client, _data, message: got.append([message.topic, str(message.payload)])
    subscribing(version, client)
    publishing(version, client, got)
    ask(f"{version}: an unknown message", lambda: client._on_publish_cb(client, None, 60_000))
    ask(f"{version}: disconnect", lambda: quiet(client.disconnect))
    eventually(lambda: not client.is_connected())
    gone(f"{version}, gone", client)
    if version != "5":  # there the broker says why, or is gone before it could: either is right
        usurper = Client(CallbackAPIVersion.VERSION2, "shop", protocol=client._protocol)
        ask(f"{version}: somebody else takes the name", lambda: quiet(lambda: usurped(usurper, port)))
    client.loop_stop()


def gone(when: str, client: MqttClient) -> None:
    ask(f"{when}: publish", lambda: int(client.publish("fruit/pear", "x").rc))
    ask(f"{when}: publish for later", lambda: int(client.publish("fruit/pear", "later", 1).rc))
    ask(f"{when}: subscribe", lambda: [shown("", part) for part in client.subscribe("fruit/pear")])
    ask(f"{when}: disconnect", lambda: int(client.disconnect()))
    client.loop_stop()
    ask(f"{when}: connect again", lambda: quiet(lambda: again(client), 2))


def subscribing(version: str, client: MqttClient) -> None:
    ask(f"{version}: subscribe", result(lambda: client.subscribe("fruit/#")))
    ask(f"{version}: subscribe at a level", result(lambda: client.subscribe("price", qos=1)))
    ask(f"{version}: subscribe to a pair", result(lambda: client.subscribe(("stock", 1))))
    ask(f"{version}: subscribe to several", result(lambda: client.subscribe([("a", 0), ("b", 2)])))
    ask(f"{version}: subscribe to what is forbidden", result(lambda: client.subscribe("forbidden")))
    ask(f"{version}: subscribe to both", result(lambda: client.subscribe([("c", 1), ("forbidden", 1)])))
    ask(f"{version}: subscribe to nothing", lambda: client.subscribe(""))
    ask(f"{version}: subscribe to an impossible level", lambda: client.subscribe("a", 5))


def publishing(version: str, client: MqttClient, got: list[Any]) -> None:
    for qos in (0, 1, 2):
        ask(f"{version}: publish {qos}", result(lambda qos=qos: client.publish("fruit/pear", f"ripe {qos}", qos)))
    pears = [["fruit/pear", f"b'ripe {qos}'"] for qos in (0, 1, 2)]
    ask(f"{version}: received", lambda: eventually(lambda: all(pear in got for pear in pears)))
    ask(f"{version}: publish nothing", result(lambda: client.publish("fruit/plum", qos=1)))
    ask(f"{version}: publish bytes", result(lambda: client.publish("fruit/plum", b"\xff\x00", 1, True)))
    ask(f"{version}: publish a number", result(lambda: client.publish("fruit/plum", 12, 1)))
    ask(f"{version}: publish more than text", result(lambda: client.publish("fruit/plum", "prunes \N{SNOWMAN}", 1)))
    ask(f"{version}: publish a list", lambda: client.publish("fruit/plum", [1]))
    ask(f"{version}: publish to a pattern", lambda: client.publish("a/#", "x"))
    ask(f"{version}: publish at an impossible level", lambda: client.publish("a", "x", 7))


def connecting(over_websockets: dict[str, Any]) -> None:
    ask("many", lambda: many(connected(), 50))
    ask("a wrong password", lambda: refused(client_id="refused"))
    ask("a wrong password, 5", lambda: refused(client_id="refused in 5", protocol=MQTTv5))
    ask("a name without a password", lambda: connected(username="shop", client_id="half").client.is_connected())
    ask("a path", lambda: connected(**over_websockets, ws_path="/shop").client._websocket_path)
    ask("nobody there", lambda: [connected(port=1).client.is_connected(), gevent.sleep(0.2)])
    context = ssl.create_default_context()
    safe = type("Safe", (Shopper,), {"tls_context": context, "port": 1})
    ask("TLS", lambda: safe(environment()).client._ssl_context is context)


def clients(port: int) -> None:
    class Named(MqttClient):
        def _generate_event_name(self, event_type: str, qos: int, topic: str) -> str:
            return f"{event_type} at {qos}"

    user = connected(client_cls=Named)
    ask("names of one's own", result(lambda: user.client.publish("fruit", "x", 1)))
    ask("its number", lambda: [user.client._client_id[:7].decode(), len(user.client._client_id)])
    user.client.loop_stop()
    random.seed(7)
    ask("made-up numbers", lambda: [MqttClient(environment=environment())._client_id.decode(), random.random()])
    ask("an empty number", lambda: len(MqttClient(environment=environment(), client_id="")._client_id))
    ask("a number of ours", lambda: MqttClient(environment=environment(), client_id="mine")._client_id.decode())
    ask("no environment", lambda: MqttClient())
    ask("no text as a number", lambda: MqttClient(environment=environment(), client_id=5))
    newer = MqttClient(CallbackAPIVersion.VERSION2, environment=environment())
    newer.connect_async("127.0.0.1", port)
    newer.loop_start()
    ask("newer callbacks: connect", lambda: eventually(lambda: fired, 5))
    ask("newer callbacks: publish", lambda: quiet(lambda: int(newer.publish("a", "x").rc)))
    ask("newer callbacks: disconnect", lambda: quiet(lambda: int(newer.disconnect())))
    newer.loop_stop()


def connected(**settings: Any) -> MqttUser:
    user = type("Connected", (Shopper,), settings)(environment())
    eventually(user.client.is_connected, 0.2 if user.port == 1 else 10)
    gevent.sleep(0.1)
    return user


def refused(**settings: Any) -> None:
    user = type("Refused", (Shopper,), {"username": "shop", "password": "wrong", **settings})(environment())
    until_fired(2)
    user.client.loop_stop()


def quiet(action: Callable[[], Any], number: int = 1) -> Any:
    """Do it, and wait for what it fires."""
    result = action()
    until_fired(number)
    return result


def result(action: Callable[[], Any]) -> Callable[[], Any]:
    """Wait for what it fires, and give the code and the type of what it gave."""

    def done() -> Any:
        info = quiet(action)
        return [int(info[0]), type(info).__name__]

    return done


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
