"""`locust.contrib`: what each user does and what he fires, asked on Locust and here, each side with a server of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from ..harness import Side, same
from . import servers, services

QUESTIONS = Path(__file__).with_name("questions")
DEADLINE = 100


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
    "oai": {
        f"answered with {what}": "Locust raises where a response does not tell its usage, and does not count it"
        for what in ("null", "a list", "no JSON", "a stream")
    },
}
"""Where the answers differ, and why they are to. A question that stands here and is answered alike is a failure, too."""

ALIKE = {"5, gone: ": "3.1.1, gone: "}
"""Where Locust's answer is a matter of chance, since its callback has failed: ours is to be that of another question."""


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


EVENT = "socketio.SocketIOClient.on_message"


def test_public_names_have_the_same_signatures(sides: tuple[Side, Side]) -> None:
    for needed in (modules for name, modules in MISSING.items() if name != "oai"):
        services.needed_modules(*needed)
    modules = json.dumps([*MISSING, "csv_request_logger"])
    ours, theirs = on_both(sides, lambda side: signatures(asked(side, "signatures", modules)))
    # A server may emit an event without data. Locust's handler fails then.
    assert ours.pop(EVENT)[-1] == ["data", "POSITIONAL_OR_KEYWORD", "None"]
    assert theirs.pop(EVENT)[-1] == ["data", "POSITIONAL_OR_KEYWORD", ""]
    same("signatures", theirs, {key: ours.get(key) for key in theirs})


def signatures(answers: dict[str, Any]) -> dict[str, Any]:
    return {f"{module}.{name}": what for module, answer in answers.items() for name, what in answer["outcome"].items()}


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
