"""Users that publish and subscribe over MQTT. Needs paho-mqtt: `pip install 'gregaria[mqtt]'`."""

from __future__ import annotations

import random
import selectors
import string
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.client import MQTTv311
from paho.mqtt.enums import MQTTErrorCode

from ..user.users import User

if TYPE_CHECKING:
    import ssl

    from paho.mqtt.enums import MQTTProtocolVersion
    from paho.mqtt.properties import Properties
    from paho.mqtt.subscribeoptions import SubscribeOptions

    from ..env import Environment

REQUEST_TYPE = "MQTT"
SUBACK_FAILURE = 0x80
"""From here on, a broker's answer to a subscription is a refusal. MQTT 5 has several, with reasons."""


_ALPHABET = string.digits + string.ascii_letters


class PublishedMessageContext(NamedTuple):
    """What is kept of a message until the broker acknowledges it."""

    qos: int
    topic: str
    start_time: float
    """Seconds of the epoch."""
    payload_size: int


class _Subscription(NamedTuple):
    """What is kept of a subscription until the broker acknowledges it."""

    qos: int
    topic: str
    start_time: float


class MqttClient(mqtt.Client):
    """A `paho.mqtt.client.Client` that reports what it does.

    A message counts when the broker has acknowledged it, for QoS 0 when it was sent; a subscription when it was
    granted. Both take the time until then. Connecting and disconnecting take none.
    The callbacks `on_publish`, `on_subscribe`, `on_connect` and `on_disconnect` are taken: who sets one of them ends
    that part of the reporting.
    """

    def __init__(
        self,
        *args: Any,
        environment: Environment,
        client_id: str | None = None,
        protocol: MQTTProtocolVersion = MQTTv311,
        use_loop_selectors: bool = False,
        **kwargs: Any,
    ) -> None:
        """`args` and `kwargs` are for paho's client. Without a `client_id`, one is made up. With `use_loop_selectors`,
        waiting for the broker is not limited by what `select` can do."""
        super().__init__(*args, client_id=client_id or _generate_random_id(), protocol=protocol, **kwargs)
        self.environment = environment
        self.on_publish = self._on_publish_cb
        self.on_subscribe = self._on_subscribe_cb
        self.on_connect = self._on_connect_cb
        self.on_disconnect = self._on_disconnect_cb
        self._use_loop_selectors = use_loop_selectors
        self._published: dict[int, PublishedMessageContext] = {}
        self._subscribed: dict[int, _Subscription] = {}
        self._being_sent = 0
        self._early: dict[int, Callable[[], None]] = {}

    def _generate_event_name(self, event_type: str, qos: int, topic: str) -> str:
        """What a message or a subscription is counted as. Meant to be overridden."""
        return f"{event_type}:{qos}:{topic}"

    def publish(
        self,
        topic: str,
        payload: mqtt.PayloadType | None = None,
        qos: int = 0,
        retain: bool = False,
        properties: Properties | None = None,
    ) -> mqtt.MQTTMessageInfo:
        """Publish a message. It is counted later, when it has arrived; now, if it cannot be sent."""
        size = len(payload) if isinstance(payload, (str, bytes, bytearray)) else 0
        message = PublishedMessageContext(qos, topic, time.time(), size)
        with self._sending():
            info = super().publish(topic, payload=payload, qos=qos, retain=retain, properties=properties)
        if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._published[info.mid] = message
            self._take_early(info.mid)
        else:
            self._count("publish", message, info.rc)
        return info

    def subscribe(
        self,
        topic: str | tuple[str, int] | tuple[str, SubscribeOptions] | list[tuple[str, int]] | list[Any],
        qos: int = 0,
        options: SubscribeOptions | None = None,
        properties: Properties | None = None,
    ) -> tuple[MQTTErrorCode, int | None]:
        """Subscribe to a topic, or to several. It is counted later, when it was granted; now, if it cannot be sent."""
        subscription = _Subscription(qos, _counted_topic(topic), time.time())
        with self._sending():
            rc, mid = super().subscribe(topic, qos, options, properties)
        if rc == MQTTErrorCode.MQTT_ERR_SUCCESS and mid is not None:
            self._subscribed[mid] = subscription
            self._take_early(mid)
        else:
            self._count("subscribe", subscription, rc)
        return rc, mid

    @contextmanager
    def _sending(self) -> Iterator[None]:
        self._being_sent += 1
        try:
            yield
        finally:
            self._being_sent -= 1

    def _take_early(self, mid: int) -> None:
        """A quick broker has answered before paho told the number of what was sent: heed that now."""
        if early := self._early.pop(mid, None):
            early()
        if not self._being_sent:
            for unknown in [self._early.pop(each) for each in list(self._early)]:
                unknown()

    # Paho calls these. What comes after the arguments that are named differs by its versions of callbacks and of MQTT.

    def _on_publish_cb(self, client: mqtt.Client, userdata: Any, mid: int, *_more: Any) -> None:
        message = self._published.pop(mid, None)
        if message is None and self._being_sent:
            self._early[mid] = partial(self._on_publish_cb, client, userdata, mid)
        elif message is None:
            self._count_unknown("publish", mid, "message", "_on_publish_cb")
        else:
            self._count("publish", message, None, message.payload_size)

    def _on_subscribe_cb(self, client: mqtt.Client, userdata: Any, mid: int, granted: Any, *_more: Any) -> None:
        subscription = self._subscribed.pop(mid, None)
        if subscription is None and self._being_sent:
            self._early[mid] = partial(self._on_subscribe_cb, client, userdata, mid, granted)
        elif subscription is None:
            self._count_unknown("subscribe", mid, "subscription", "_on_subscribe_cb")
        elif any(getattr(code, "value", code) >= SUBACK_FAILURE for code in granted):
            error = AssertionError(f"Broker returned an error response during subscription: {_told(granted)}")
            self._count("subscribe", subscription, error, 0)
        else:
            self._count("subscribe", subscription, None, 0)

    def _on_connect_cb(self, client: mqtt.Client, userdata: Any, flags: Any, rc: Any, *_more: Any) -> None:
        self._fire("connect", None if rc == 0 else Exception(str(rc)))

    def _on_disconnect_cb(self, client: mqtt.Client, userdata: Any, *told: Any) -> None:
        # The result stands before the properties, which MQTT 3 has not; the newer callbacks have flags before it.
        rc = told[1] if len(told) == 3 else told[0]
        self._fire("disconnect", None if rc == 0 else rc)

    def _count(
        self,
        event_type: str,
        what: PublishedMessageContext | _Subscription,
        exception: Any,
        answered_length: int | None = None,
    ) -> None:
        """Count a message or a subscription. With an `answered_length` the broker has answered, and it took time."""
        self._fire(
            self._generate_event_name(event_type, what.qos, what.topic),
            exception,
            0 if answered_length is None else (time.time() - what.start_time) * 1000,
            answered_length or 0,
            what._asdict(),
        )

    def _count_unknown(self, event_type: str, mid: int, what: str, where: str) -> None:
        error = AssertionError(f"Could not find {what} data for mid '{mid}' in {where}.")
        self._fire(event_type, error, context={"mid": mid})

    def _fire(
        self,
        name: str,
        exception: Any,
        response_time: float = 0,
        response_length: int = 0,
        context: dict[str, Any] | None = None,
    ) -> None:
        self.environment.events.request.fire(
            request_type=REQUEST_TYPE,
            name=name,
            response_time=response_time,
            response_length=response_length,
            exception=exception,
            context={"client_id": self._client_id.decode(), **(context or {})},
        )

    def _loop(self, timeout: float = 1.0) -> MQTTErrorCode:
        if self._use_loop_selectors:
            return self._loop_selectors(timeout)
        return super()._loop(timeout)

    def _loop_selectors(self, timeout: float) -> MQTTErrorCode:
        """Wait for the broker or for something to send, at most `timeout` seconds, and do what there is to do."""
        if timeout < 0:
            raise ValueError("Invalid timeout.")
        connection = self.socket()
        if connection is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        # TLS may have read ahead: then nothing more will come to wake us.
        read_ahead = bool(getattr(connection, "pending", int)())
        try:
            readable, writable = self._wait(connection, 0.0 if read_ahead else timeout)
        except (OSError, ValueError):
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        for due, act in ((readable or read_ahead, self.loop_read), (writable, self.loop_write)):
            if due and ((rc := act()) != MQTTErrorCode.MQTT_ERR_SUCCESS or self.socket() is None):
                return rc
        return self.loop_misc()

    def _wait(self, connection: Any, timeout: float) -> tuple[bool, bool]:
        """Whether the connection can be read, and whether there is something to write and it can be."""
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.want_write() else 0)
        with selectors.DefaultSelector() as selector:
            selector.register(connection, wanted)
            if self._sockpairR is not None:
                selector.register(self._sockpairR, selectors.EVENT_READ)
            ready = {key.fileobj: events for key, events in selector.select(timeout)}
        asked = self._sockpairR in ready
        if asked:
            with suppress(BlockingIOError):
                self._sockpairR.recv(10_000)
        found = ready.get(connection, 0)
        return bool(found & selectors.EVENT_READ), asked or bool(found & selectors.EVENT_WRITE)


def _generate_random_id() -> str:
    return "locust-" + "".join(random.choice(_ALPHABET) for _ in range(16))


def _counted_topic(topic: Any) -> str:
    """What a subscription is counted as: of several topics the first; of a single pair, as in Locust, one letter."""
    return topic if isinstance(topic, str) else str(topic[0][0])


def _told(granted: Any) -> Any:
    return tuple(granted) if all(isinstance(code, int) for code in granted) else [str(code) for code in granted]


class MqttUser(User):
    """A user with a connection to a broker, made in the background while tasks run: `self.client.publish(…)`."""

    abstract = True

    host = "localhost"
    port = 1883
    transport = "tcp"
    """Or `websockets`, or `unix`."""
    ws_path = "/mqtt"
    """For websockets."""
    tls_context: ssl.SSLContext | None = None
    client_cls: type[MqttClient] = MqttClient
    client_id: str | None = None
    username: str | None = None
    """Used where there is a password, too."""
    password: str | None = None
    protocol: MQTTProtocolVersion = MQTTv311
    use_loop_selectors: bool = False

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.client = self.client_cls(
            environment=self.environment,
            transport=self.transport,
            client_id=self.client_id,
            protocol=self.protocol,
            use_loop_selectors=self.use_loop_selectors,
        )
        if self.tls_context is not None:
            self.client.tls_set_context(self.tls_context)
        if self.transport == "websockets" and self.ws_path:
            self.client.ws_set_options(path=self.ws_path)
        if self.username and self.password:
            self.client.username_pw_set(username=self.username, password=self.password)
        self.client.connect_async(host=self.host, port=self.port)
        self.client.loop_start()
