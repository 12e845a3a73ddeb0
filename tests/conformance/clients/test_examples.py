"""The examples in `locustfiles/` that speak other protocols: each on Locust and here, each against a server of its own.

Three accounts have to agree: what the server counted, what the statistics say, and (in kind) what Locust says. And the
server must have had several users before it at once: a client that does not wait through gevent would send one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pytest

from ..harness import LOCUSTFILES, Both, Run, Side, same
from . import servers, services

USERS = 8

ENOUGH = """
import os
from collections import Counter

import gevent
from locust import events

@events.init.add_listener
def quit_when_enough_was_asked(environment, **_):
    counts, wanted = Counter(), os.environ["WANTED"].split(",")

    @environment.events.request.add_listener
    def count(name, exception, **_):
        before = min(counts[name] for name in wanted)
        counts[name] += 1
        counts["failed " + name] += exception is not None
        if before < 5 == min(counts[name] for name in wanted):
            gevent.spawn(environment.runner.quit)
"""
"""A second locustfile, that ends the test when each thing was asked, or failed, five times, however long that takes."""


@dataclass
class Served:
    """A server, as an example finds it and as a test asks it afterwards."""

    environment: dict[str, str]
    counts: Callable[[], dict[str, int]]
    """How often the server was asked for each thing."""
    most_at_once: Callable[[], int]


@dataclass
class Example:
    """What an example needs, and how what its server counts is named in the statistics."""

    modules: tuple[str, ...]
    serve: Callable[[], AbstractContextManager[Served]]
    rows: dict[str, tuple[str, ...]]
    """For each thing that the server counts, the names under which the example does."""
    failing: frozenset[str] = frozenset()
    """Names of which requests fail, as they are meant to."""
    others: frozenset[str] = frozenset()
    """Names that the server does not count."""


def witnessed(server: Callable[[], AbstractContextManager[servers.Witness]], variable: str) -> Any:
    @contextmanager
    def serve() -> Iterator[Served]:
        with server() as witness:
            yield Served({variable: witness.address}, lambda: dict(witness.asked), lambda: witness.most_at_once)

    return serve


WITNESS = """
    CREATE TABLE orders (id bigserial PRIMARY KEY, product text, quantity int);
    CREATE TABLE witness (at_once int);
    CREATE FUNCTION look_around() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_sleep(0.02);
        INSERT INTO witness SELECT count(*) FROM pg_stat_activity
            WHERE state = 'active' AND query LIKE 'INSERT INTO orders%';
        RETURN NEW;
    END $$;
    CREATE TRIGGER look_around BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION look_around();
"""
"""An order takes a while, and sees how many others are being taken."""


@contextmanager
def postgres() -> Iterator[Served]:
    import psycopg

    with services.postgres() as address, psycopg.connect(address, autocommit=True) as connection:
        connection.execute(WITNESS)

        def one(query: Any) -> int:
            row = connection.execute(query).fetchone()
            assert row is not None
            return int(row[0])

        yield Served(
            {"POSTGRES": address},
            lambda: {"rows": one("SELECT count(*) FROM orders")},
            lambda: one("SELECT max(at_once) FROM witness"),
        )


@contextmanager
def redis() -> Iterator[Served]:
    with services.redis() as server, server.watching():
        yield Served({"REDIS": server.url}, server.calls, lambda: server.most_at_once)


@contextmanager
def mosquitto() -> Iterator[Served]:
    with services.mosquitto() as broker:
        counts = {"PUBLISH": lambda: len(broker.received("PUBLISH")), "CONNECT": broker.connections}
        yield Served(
            {"MQTT_BROKER": f"127.0.0.1:{broker.port}"},
            lambda: {name: count() for name, count in counts.items()},
            broker.most_at_once,
        )


EXAMPLES = {
    "xmlrpc_client": Example(
        (),
        witnessed(servers.xmlrpc, "XMLRPC_SERVER"),
        {"in_stock": ("in_stock",), "reserve": ("reserve",)},
        frozenset({"in_stock"}),
    ),
    "tcp_client": Example(
        (),
        witnessed(servers.lines, "TCP_SERVER"),
        {"LOOK": ("look", "look in vain")},
        frozenset({"look in vain"}),
    ),
    "websocket_client": Example(
        ("websocket", "websockets"),
        witnessed(servers.websocket, "WEBSOCKET_SERVER"),
        {"look": ("look", "look at once")},
    ),
    "grpc_client": Example(
        ("grpc", "google.protobuf"),
        witnessed(servers.grpc_shop, "GRPC_SERVER"),
        {"InStock": ("/shop.Stock/InStock",), "Watch": ("/shop.Stock/Watch",)},
    ),
    "postgres_client": Example(
        ("psycopg",),
        postgres,
        {"rows": ("order",)},
        frozenset({"mistake"}),
        frozenset({"look"}),
    ),
    "redis_client": Example(
        ("redis",),
        redis,
        {name.lower(): (name,) for name in ("INCR", "RPUSH", "GET", "SET", "BLPOP")},
    ),
    "mqtt_client": Example(
        ("paho.mqtt",),
        mosquitto,
        {"PUBLISH": ("publish",), "CONNECT": ("connect",)},
        others=frozenset({"arrived at orders"}),
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_server_and_the_statistics_agree(both: Both, sides: tuple[Side, Side], name: str) -> None:
    example = EXAMPLES[name]
    services.needed_modules(*example.modules)
    with ExitStack() as stack:
        served = {side.name: stack.enter_context(example.serve()) for side in sides}
        failing = (f"failed {name}" for name in example.failing)
        wanted = {"WANTED": ",".join({*failing, *example.others, *chain.from_iterable(example.rows.values())})}
        pair = both(
            LOCUSTFILES / f"{name}.py",
            *("-f", "locustfile.py,enough.py", "--only-summary"),
            *("-u", str(USERS), "-r", str(USERS), "-t", "45s", "-s", "10"),
            host=False,
            files={"enough.py": ENOUGH},
            environment=lambda side: {
                **served[side.name].environment,
                **wanted,
                **services.environment_of(side.python),
            },
        )
        for side, run in zip(sides, (pair.ours, pair.theirs), strict=True):
            agrees(run, example, served[side.name].counts())
            assert served[side.name].most_at_once() > 1, side.name
    same("rows", set(pair.theirs.rows), set(pair.ours.rows))
    same("failures", {text for _, text in pair.theirs.errors}, {text for _, text in pair.ours.errors})
    pair.assert_same(but=["counts", "rows", "errors"])


def agrees(run: Run, example: Example, counts: dict[str, int]) -> None:
    """The statistics have the server's counts, and the failures that are wanted."""
    by_name = {name: numbers for (method, name), numbers in run.rows.items() if name != "Aggregated"}
    for thing, names in example.rows.items():
        counted = sum(by_name[name][0] for name in names)
        assert counted == counts[thing] > 0, f"{thing}: {run.rows}\n{counts}\n{run.stderr}"
    for name in example.failing:
        requests, failures = by_name[name]
        assert requests >= failures > 0
