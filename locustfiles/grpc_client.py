"""gRPC: an interceptor reports every call, whatever stub makes it.

Needs `pip install grpcio protobuf`. `GRPC_SERVER=localhost:50051 locust -f grpc_client.py --headless`.
"""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import grpc.experimental.gevent as grpc_gevent
from google.protobuf.wrappers_pb2 import Int64Value, StringValue

from locust import User, constant, task
from locust.env import Environment
from locust.event import EventHook

# gRPC waits in C, where gevent cannot see it. Without this line one user's call would hold up all others.
grpc_gevent.init_gevent()

SERVER = os.environ.get("GRPC_SERVER", "localhost:50051")


class Reporter(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Waits for each call to end, and fires `request` with what came of it."""

    def __init__(self, request_event: EventHook) -> None:
        self.request_event = request_event

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        start_time, start = time.time(), time.perf_counter()
        call = continuation(details, request)
        exception = call.exception()  # waits
        length = 0 if exception else call.result().ByteSize()
        self.report(details.method, start_time, start, length, exception)
        return call

    def intercept_unary_stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Iterator[Any]:
        start_time, start = time.time(), time.perf_counter()
        length, exception = 0, None
        try:
            for message in continuation(details, request):
                length += message.ByteSize()
                yield message
        except grpc.RpcError as error:
            exception = error
        self.report(details.method, start_time, start, length, exception)

    def report(self, method: str, start_time: float, start: float, length: int, exception: Any) -> None:
        self.request_event.fire(
            request_type="gRPC",
            name=method,
            start_time=start_time,
            response_time=(time.perf_counter() - start) * 1000,
            response_length=length,
            # The text of a gRPC error has times and addresses in it: each would be a failure of its own kind.
            exception=exception and Exception(f"{exception.code().name}: {exception.details()}"),
            context={},
        )


class StockStub:
    """What grpcio-tools would have generated for the service `shop.Stock`."""

    def __init__(self, channel: grpc.Channel) -> None:
        messages = {"request_serializer": StringValue.SerializeToString, "response_deserializer": Int64Value.FromString}
        self.InStock = channel.unary_unary("/shop.Stock/InStock", **messages)
        self.Watch = channel.unary_stream("/shop.Stock/Watch", **messages)


class Shopper(User):
    wait_time = constant(0.05)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.channel = grpc.insecure_channel(SERVER)
        self.stub = StockStub(grpc.intercept_channel(self.channel, Reporter(environment.events.request)))

    def on_stop(self) -> None:
        self.channel.close()

    @task(3)
    def look(self) -> None:
        self.stub.InStock(StringValue(value="pear"))

    @task
    def watch(self) -> None:
        for number in self.stub.Watch(StringValue(value="plum")):
            assert number.value >= 0

    @task
    def look_for_what_is_not_sold(self) -> None:
        try:
            self.stub.InStock(StringValue(value="submarine"))
        except grpc.RpcError:
            pass  # is reported already
