"""A user that speaks no HTTP: whatever a task measures itself becomes a row of the statistics."""

import random
import socket
import time

from locust import User, constant_pacing, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.event import EventHook


class Client:
    """Opens a TCP connection and closes it again."""

    def __init__(self, request_event: EventHook) -> None:
        self.request_event = request_event

    def connect(self, host: str, port: int) -> None:
        began = time.perf_counter()
        exception: OSError | None = None
        try:
            socket.create_connection((host, port), timeout=2).close()
        except OSError as error:
            exception = error
        self.request_event.fire(
            request_type="TCP",
            name=f"connect {port}",
            response_time=(time.perf_counter() - began) * 1000,
            response_length=0,
            exception=exception,
            context={},
        )


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    parser.add_argument("--tcp-port", type=int, default=8080, help="Port to connect to")


class TcpUser(User):
    wait_time = constant_pacing(0.5)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.client = Client(environment.events.request)

    @task
    def connect(self) -> None:
        options = self.environment.parsed_options
        assert options is not None, "the command has options"
        self.client.connect("localhost", options.tcp_port)

    @task
    def measure_a_block(self) -> None:
        with self.environment.events.request.measure("code", "sort"):
            sorted(random.random() for _ in range(1000))
