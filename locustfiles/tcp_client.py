"""Raw sockets: a protocol of one's own over TCP, a line for each question and each answer.

Needs nothing. `TCP_SERVER=localhost:7000 locust -f tcp_client.py --headless`.
"""

import os
import socket

from locust import User, constant, task
from locust.env import Environment

SERVER = os.environ.get("TCP_SERVER", "localhost:7000")


class Shopper(User):
    wait_time = constant(0.05)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.request = environment.events.request

    def on_start(self) -> None:
        host, port = SERVER.rsplit(":", 1)
        with self.request.measure("TCP", "connect"):
            self.connection = socket.create_connection((host, int(port)), timeout=10)
            self.answers = self.connection.makefile("rb")

    def on_stop(self) -> None:
        self.answers.close()
        self.connection.close()

    def ask(self, question: str, name: str) -> bytes:
        """The block is what is timed, what it raises is the failure, and its dict is what the event is fired with."""
        answer = b""
        with self.request.measure("TCP", name) as request:
            self.connection.sendall(question.encode() + b"\n")
            answer = self.answers.readline()
            request["response_length"] = len(answer)
            if not answer.startswith(b"FOUND"):
                raise ValueError(f"asked {question}, was told {answer.decode().strip()}")
        return answer

    @task(3)
    def look(self) -> None:
        self.ask("LOOK pear", "look")

    @task
    def look_for_what_is_not_sold(self) -> None:
        self.ask("LOOK submarine", "look in vain")
