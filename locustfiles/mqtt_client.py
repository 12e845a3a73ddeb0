"""MQTT: paho's client receives in a thread of its own, which under gevent is a greenlet beside the tasks.

Needs `pip install paho-mqtt`. `MQTT_BROKER=localhost:1883 locust -f mqtt_client.py --headless -u 4`.
`locust.contrib.mqtt` has a user that counts acknowledgements; here the whole way from one user to another is timed.
"""

import os
import time
from typing import Any

import paho.mqtt.client as mqtt
from gevent.event import Event
from paho.mqtt.enums import CallbackAPIVersion

from locust import User, constant, task
from locust.env import Environment

BROKER = os.environ.get("MQTT_BROKER", "localhost:1883")


class MqttConnection(User):
    """Connects, and counts what arrives."""

    abstract = True
    listens_to: str | None = None

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.request = environment.events.request
        self.connected = Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.on_connect = self.subscribe
        self.client.on_subscribe = lambda *_: self.connected.set()
        self.client.on_message = self.arrived

    def on_start(self) -> None:
        host, port = BROKER.rsplit(":", 1)
        with self.request.measure("MQTT", "connect"):
            self.client.connect(host, int(port))
            self.client.loop_start()
            if not self.connected.wait(10):
                raise TimeoutError("no answer from the broker")

    def on_stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def subscribe(self, *_: Any) -> None:
        if self.listens_to is None:
            self.connected.set()
        else:
            self.client.subscribe(self.listens_to, qos=1)

    def arrived(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        sent = float(message.payload)
        self.request.fire(
            request_type="MQTT",
            name=f"arrived at {message.topic}",
            response_time=(time.time() - sent) * 1000,
            response_length=len(message.payload),
            exception=None,
            context={},
        )


class Shopper(MqttConnection):
    wait_time = constant(0.05)

    @task
    def order(self) -> None:
        with self.request.measure("MQTT", "publish"):
            self.client.publish("orders", str(time.time()), qos=1).wait_for_publish(10)


class Packer(MqttConnection):
    fixed_count = 1
    listens_to = "orders"

    @task
    def wait_for_orders(self) -> None:
        time.sleep(0.1)
