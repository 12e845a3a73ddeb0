"""WebSocket: questions and answers over one connection, which other messages may come between.

Needs `pip install websocket-client`. `WEBSOCKET_SERVER=ws://localhost:9000 locust -f websocket_client.py --headless`.
"""

import json
import os
import time
from typing import Any

import gevent
import websocket
from gevent.event import AsyncResult

from locust import User, constant, task
from locust.env import Environment

SERVER = os.environ.get("WEBSOCKET_SERVER", "ws://localhost:9000")


class Shopper(User):
    wait_time = constant(0.05)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.request = environment.events.request
        self.asked: dict[int, AsyncResult[Any]] = {}

    def on_start(self) -> None:
        with self.request.measure("WS", "connect"):
            self.connection = websocket.create_connection(SERVER, timeout=10)
        # Answers are received beside the tasks, so that none has to wait for another's.
        self.receiver = gevent.spawn(self.receive)

    def on_stop(self) -> None:
        self.receiver.kill()
        self.connection.close()

    def receive(self) -> None:
        while text := self.connection.recv():
            message = json.loads(text)
            if waiting := self.asked.pop(message.get("number"), None):
                waiting.set(message)
            else:
                self.request.fire(
                    request_type="WS",
                    name=f"received {message['kind']}",
                    response_time=0,
                    response_length=len(text),
                    exception=None,
                    context={},
                )

    def ask(self, message: dict[str, Any], name: str) -> Any:
        """Send a message, and time how long its answer takes."""
        number = time.perf_counter_ns()
        self.asked[number] = AsyncResult()
        with self.request.measure("WS", name) as request:
            self.connection.send(json.dumps({**message, "number": number}))
            answer = self.asked[number].get(timeout=10) if number in self.asked else None
            request["response_length"] = len(json.dumps(answer))
            return answer

    @task(3)
    def look(self) -> None:
        self.ask({"kind": "look", "product": "pear"}, "look")

    @task
    def look_at_several_at_once(self) -> None:
        products = ("pear", "plum", "quince")
        asking = [gevent.spawn(self.ask, {"kind": "look", "product": product}, "look at once") for product in products]
        gevent.joinall(asking)
