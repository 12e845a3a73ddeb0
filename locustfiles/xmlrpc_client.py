"""XML-RPC: the standard library's proxy, each of its calls a row of the statistics.

Needs nothing. Run it against any server: `XMLRPC_SERVER=http://localhost:8000 locust -f xmlrpc_client.py --headless`.
"""

import os
import time
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from locust import User, constant, task
from locust.env import Environment
from locust.event import EventHook


class MeasuredProxy(ServerProxy):
    """A proxy whose methods report how long they took, and what they failed with."""

    def __init__(self, url: str, request_event: EventHook) -> None:
        super().__init__(url)
        self._request_event = request_event

    def __getattr__(self, name: str) -> Any:
        method = super().__getattr__(name)

        def measured(*arguments: Any) -> Any:
            answer, exception = None, None
            start_time, start = time.time(), time.perf_counter()
            try:
                answer = method(*arguments)
            except (Fault, OSError) as error:
                exception = error
            self._request_event.fire(
                request_type="XML-RPC",
                name=name,
                start_time=start_time,
                response_time=(time.perf_counter() - start) * 1000,
                response_length=0,
                response=answer,
                exception=exception,
                context={},
            )
            return answer

        return measured


class Shopper(User):
    host = os.environ.get("XMLRPC_SERVER", "http://localhost:8000")
    wait_time = constant(0.05)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.client = MeasuredProxy(str(self.host), environment.events.request)

    @task(3)
    def look(self) -> None:
        if self.client.in_stock("pear"):
            self.client.reserve("pear")

    @task
    def look_for_what_is_not_sold(self) -> None:
        self.client.in_stock("submarine")
