"""`locust.contrib`: what each user does and what he fires, asked on Locust and here, each side with a server of its own."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from ..harness import Both, Side, same
from . import servers, services
from .test_examples import ENOUGH

QUESTIONS = Path(__file__).with_name("questions")
DEADLINE = 60


@contextmanager
def no_server() -> Iterator[str]:
    """In the process that asks: Qdrant's client can be its own server, and so can Milvus's, which keeps a file."""
    with TemporaryDirectory() as folder:
        yield f"{folder}/shop.db"


@contextmanager
def broker() -> Iterator[str]:
    with services.mosquitto() as mosquitto:
        yield f"127.0.0.1:{mosquitto.port}:{mosquitto.websockets}"


def address_of(server: Callable[[], AbstractContextManager[servers.Witness]]) -> Callable[[], Any]:
    @contextmanager
    def address() -> Iterator[str]:
        with server() as witness:
            yield witness.address

    return address


MODULES: dict[str, tuple[str, Callable[[], AbstractContextManager[str]]]] = {
    "dns": ("dns", address_of(servers.dns)),
    "milvus": ("milvus_lite", no_server),
    "mongodb": ("pymongo", services.mongodb),
    "mqtt": ("paho", broker),
    "oai": ("openai", address_of(servers.openai)),
    "postgres": ("psycopg", services.postgres),
    "qdrant": ("qdrant_client", no_server),
    "socketio": ("socketio", address_of(servers.socket_io)),
}
"""Each module, what it needs, and against what it is run."""

DIFFERENT: dict[str, dict[str, str]] = {
    "mqtt": {
        "5: subscribe to what is forbidden": "a refusal in MQTT 5 has a reason, and not the number that Locust looks for",
        "5: subscribe to both": "a refusal in MQTT 5 has a reason",
        "5: disconnect": "Locust's callback takes one argument more than paho gives it, which ends paho's thread",
        "a wrong password, 5": "as above",
        "newer callbacks: connect": "Locust's callbacks are for paho's older interface alone",
        "newer callbacks: publish": "as above",
        "newer callbacks: disconnect": "as above",
    },
    "socketio": {
        "signature of SocketIOClient.on_message": "a server may emit an event without data, and Locust's handler fails",
    },
    "oai": {
        f"answered with {what}": "Locust raises where a response does not tell its usage, and does not count it"
        for what in ("null", "a list", "no JSON", "a stream")
    },
}
"""Where the answers differ, and why they are to. A question that stands here and is answered alike is a failure, too."""

ALIKE = {"5, gone: ": "3.1.1, gone: "}
"""Where Locust's answer is a matter of chance, since its callback has failed: ours is to be that of another question."""


@pytest.mark.timeout(2 * DEADLINE + 80)
@pytest.mark.parametrize("name", MODULES)
def test_users_do_and_count_the_same(sides: tuple[Side, Side], name: str) -> None:
    module, server = MODULES[name]
    services.needed_modules(module)

    def answers(side: Side) -> Any:
        with server() as address:
            return asked(side, name, address)

    ours, theirs = on_both(sides, answers)
    left_to_chance(ours, theirs)
    different = {question for question in ours.keys() | theirs.keys() if ours.get(question) != theirs.get(question)}
    expected = DIFFERENT.get(name, {}).keys()
    for question in different - expected:
        same(question, theirs.get(question), ours.get(question))
    assert different == expected
    assert len(ours) > 10


READY_MADE = """
import os
import time

import gevent
from locust import events, task
from locust.contrib.csv_request_logger import CsvRequestLogger
from locust.contrib.mqtt import MqttUser
from locust.contrib.postgres import PostgresUser
from locust.exception import StopUser

done = []
counted = set()

@events.request.add_listener
def note(name, **_):
    counted.add(name)

@events.init.add_listener
def write_every_request(environment, **_):
    CsvRequestLogger("requests.csv").register(environment)

def finished(user):
    done.append(user)
    if len(done) == 2:
        gevent.spawn(user.environment.runner.quit)
    raise StopUser

class Shopper(PostgresUser):
    fixed_count = 1
    conn_string = os.environ["POSTGRES"]

    @task
    def shop(self):
        for _ in range(5):
            self.client.execute_query("SELECT 1")
        for _ in range(2):
            self.client.execute_query("SELEC 1")
        finished(self)

class Sender(MqttUser):
    fixed_count = 1
    host = "127.0.0.1"
    port = int(os.environ["MQTT"])

    @task
    def send(self):
        wait_until(self.client.is_connected)
        for _ in range(5):
            self.client.publish("orders", "pear", qos=1).wait_for_publish(10)
        self.client.subscribe("forbidden")
        wait_until(lambda: "subscribe:0:forbidden" in counted)
        self.client.disconnect()
        wait_until(lambda: "disconnect" in counted)
        self.client.publish("orders", "pear")
        finished(self)

def wait_until(check):
    for _ in range(1000):
        if check():
            return
        time.sleep(0.01)
"""


def test_a_run_counts_them_the_same(both: Both, sides: tuple[Side, Side]) -> None:
    services.needed_modules("psycopg", "paho")
    with services.postgres() as database, services.mosquitto() as broker:
        served = {"POSTGRES": database, "MQTT": str(broker.port)}
        pair = both(
            READY_MADE,
            *("-u", "2", "-r", "2", "-t", "45s", "-s", "10", "--only-summary"),
            host=False,
            environment=lambda side: {**served, **services.environment_of(side.python)},
        )
    ours = pair.assert_same(but=["said"])  # paho warns of its older callbacks, and shows the line that asks for them
    assert ours.exit_code == 1
    assert ours.rows["postgres_success", "execute_query"] == (5, 0)
    assert ours.rows["postgres_failure", "execute_query"] == (2, 2)
    assert ours.rows["MQTT", "publish:1:orders"] == (5, 0)
    assert ours.rows["MQTT", "publish:0:orders"] == (1, 1)
    assert ours.rows["MQTT", "subscribe:0:forbidden"] == (1, 1)
    written, wanted = (written_rows(run.folder / "requests.csv") for run in (ours, pair.theirs))
    same("requests.csv", wanted, written)
    assert len(written) == 1 + ours.rows["", "Aggregated"][0]


def written_rows(path: Path) -> list[str]:
    """The rows of two users, in any order, without times."""
    with path.open(newline="") as file:
        return sorted(str([*row[1:3], *row[4:]]) for row in csv.reader(file))


TOGETHER = """
import os

import dns.message
from locust import task
from locust.contrib.dns import DNSUser
from locust.contrib.oai import OpenAIUser
from locust.contrib.socketio import SocketIOUser

class Resolver(DNSUser):
    fixed_count = 3

    @task
    def resolve(self):
        host, port = os.environ["DNS"].split(":")
        self.client.udp(dns.message.make_query("shop.test", "A"), host, port=int(port), timeout=30)

class Reader(OpenAIUser):
    fixed_count = 3

    @task
    def read(self):
        self.client.responses.create(model="small", input="fruit?")

class Caller(SocketIOUser):
    fixed_count = 3

    def on_start(self):
        self.sio.connect(os.environ["SOCKET_IO"], transports=["websocket"])

    def on_stop(self):
        self.sio.disconnect()

    @task
    def call(self):
        self.sio.call("ask", "fruit?")
"""


def test_servers_have_several_users_at_once(both: Both, sides: tuple[Side, Side]) -> None:
    services.needed_modules("dns", "openai", "socketio")
    kinds = {"DNS": servers.dns, "OPENAI_BASE_URL": servers.openai, "SOCKET_IO": servers.socket_io}
    with ExitStack() as stack:
        witnesses = {side.name: {name: stack.enter_context(serve()) for name, serve in kinds.items()} for side in sides}

        def environment(side: Side) -> dict[str, str]:
            addresses = {name: witness.address for name, witness in witnesses[side.name].items()}
            wanted = {"WANTED": "udp,/v1/responses,ask", "OPENAI_API_KEY": "none"}
            return {**addresses, **wanted, **services.environment_of(side.python)}

        pair = both(
            TOGETHER,
            *("-f", "locustfile.py,enough.py", "--only-summary"),
            *("-u", "9", "-r", "9", "-t", "45s", "-s", "10"),
            host=False,
            files={"enough.py": ENOUGH},
            environment=environment,
        )
    for run in (pair.ours, pair.theirs):  # httpx logs each request, with its address
        run.said = [line for line in run.said if not line.startswith("INFO/httpx")]
    ours = pair.assert_same(but=["rows"])
    assert ours.exit_code == 0
    assert ours.rows.keys() == pair.theirs.rows.keys()
    rows = {"DNS": ("DNS", "udp"), "OPENAI_BASE_URL": ("POST", "/v1/responses"), "SOCKET_IO": ("WSC", "ask")}
    for side, run in zip(sides, (ours, pair.theirs), strict=True):
        for name, witness in witnesses[side.name].items():
            assert witness.most_at_once > 1, f"{side.name}: {name}"
            assert witness.asked[ASKED[name]] == run.rows[rows[name]][0] > 0


ASKED = {"DNS": "shop.test.", "OPENAI_BASE_URL": "/v1/responses", "SOCKET_IO": "ask"}


def test_single_requests_are_written_the_same(sides: tuple[Side, Side], tmp_path: Path) -> None:
    def answers(side: Side) -> Any:
        (tmp_path / side.name).mkdir()
        return asked(side, "csv_request_logger", side.target.host, str(tmp_path / side.name))

    ours, theirs = on_both(sides, answers)
    assert ours.keys() == theirs.keys()
    for question in theirs:
        same(question, theirs[question], ours[question])


MISSING = {
    "dns": ("dns",),
    "milvus": ("grpc", "pymilvus"),
    "mongodb": ("pymongo",),
    "mqtt": ("paho",),
    "oai": ("httpx", "openai"),
    "postgres": ("psycopg",),
    "qdrant": ("qdrant_client",),
    "socketio": ("socketio",),
}


def test_what_is_missing_is_named_the_same(sides: tuple[Side, Side]) -> None:
    ours, theirs = on_both(sides, lambda side: asked(side, "missing", json.dumps(MISSING)))
    same("errors", theirs, ours)
    assert all("raised" in answer["outcome"] for answer in ours.values())


def left_to_chance(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Take out what Locust answers now so, now so; here it has to be what another question was answered with."""
    for begin, other in ALIKE.items():
        for question in [question for question in ours if question.startswith(begin)]:
            del theirs[question]
            alike, answer = (_unnumbered(found) for found in (ours[question.replace(begin, other)], ours.pop(question)))
            same(question, alike, answer)


def _unnumbered(answer: Any) -> str:
    """Messages are counted through, and those before may be more or fewer."""
    return re.sub(r"(mid'?:? '?)\d+", r"\1N", str(answer))


def on_both(sides: tuple[Side, Side], ask: Callable[[Side], dict[str, Any]]) -> list[dict[str, Any]]:
    with ThreadPoolExecutor() as threads:
        return list(threads.map(ask, sides))


def asked(side: Side, *arguments: str) -> Any:
    """What `questions/` says on one side, read."""
    command = [side.python, str(QUESTIONS), *arguments]
    environment = {**os.environ, **services.environment_of(side.python)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=DEADLINE)
    assert run.returncode == 0, f"{side.name}: {run.stderr}"
    return json.loads(run.stdout.splitlines()[-1])
