"""Messages that no node of ours sends. Locust's receive loop dies of most of them; ours drops them and lives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgpack
import pytest

from ..harness import Side
from .asking import PATIENTLY, USERS, master_running, worker_running
from .wire import encoded


class _Area:
    LOCUSTFILE = PATIENTLY + USERS


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "no MessagePack": b"\xc1\xc1\xc1",
    "truncated": encoded("spawn", {"user_classes_count": {"Buyer": 3}}, "x")[:-9],
    "something after it": encoded("heartbeat", None, "x") + b"\x01",
    "two elements": msgpack.packb(["stop", None]),
    "four elements": msgpack.packb(["stop", None, "x", 1]),
    "a map": msgpack.packb({"type": "stop"}),
    "a number": msgpack.packb(7),
    "a kind that is no text": msgpack.packb([7, None, "x"]),
    "no UTF-8": b"\x93\xa4\xff\xfe\xff\xfe\xc0\xa1x",
    "as deep as it can be": b"\x93\xa4stop" + b"\x91" * 100_000 + b"\xc0\xa1x",
    "a length that is not there": b"\x93\xa4stop\xdb\xff\xff\xff\xff",
    "a map of four milliards": b"\x93\xa4stop\xdf\xff\xff\xff\xff",
    "an array of four milliards": b"\xdd\xff\xff\xff\xff",
    "an extension": b"\x93\xa4stop\xc7\x03\x05abc\xa1x",
}

TO_A_WORKER: dict[str, bytes] = {
    **HOSTILE,
    "spawn without all": encoded("spawn", {"timestamp": 1.0}, "x"),
    "spawn of nothing": encoded("spawn", None, "x"),
    "spawn of texts": encoded(
        "spawn",
        {"timestamp": "x", "user_classes_count": "y", "host": 1, "stop_timeout": "z", "parsed_options": []},
        "x",
    ),
    "an unknown class": encoded("update_user_class", {"user_class_name": "Nobody"}, "x"),
    "an update of nothing": encoded("update_user_class", None, "x"),
    "an acknowledgement of text": encoded("ack", "x", "x"),
    "a ramp's end without users": encoded("spawning_complete", None, "x"),
}

TO_A_MASTER: dict[str, bytes] = {
    **HOSTILE,
    "a version that is a number": encoded("client_ready", 7, "a_1"),
    "a version that is a list": encoded("client_ready", [1], "a_1"),
    "a heartbeat without anything": encoded("heartbeat", None, "a_1"),
    "a heartbeat without a state": encoded("heartbeat", {"current_cpu_usage": 1}, "a_1"),
    "a locustfile without a version": encoded("locustfile", {}, "a_1"),
    "a locustfile of nothing": encoded("locustfile", None, "a_1"),
    "a report of nothing": encoded("stats", None, "a_1"),
    "a report of texts": encoded(
        "stats", {"stats": "x", "stats_total": 1, "errors": [], "user_classes_count": 3}, "a_1"
    ),
    "a report below nothing": encoded(
        "stats",
        {
            "stats": [{"name": "n", "method": "m", "num_requests": -(2**63)}],
            "stats_total": {},
            "errors": {},
            "user_classes_count": {},
        },
        "a_1",
    ),
    "spawned without users": encoded("spawning_complete", None, "a_1"),
    "an exception of nothing": encoded("exception", None, "a_1"),
    "logs of nothing": encoded("logs", None, "a_1"),
    "no node id": encoded("heartbeat", {"state": "ready", "current_cpu_usage": 1}, None),
}


@pytest.fixture
def ours(sides: tuple[Side, Side]) -> Side:
    return sides[0]


def test_a_worker_lives_on(ours: Side, tmp_path: Path) -> None:
    area: Any = _Area
    with worker_running(ours, area, tmp_path) as worker:
        for name, payload in TO_A_WORKER.items():
            worker.master.send_raw(payload)
            assert worker.node.process.poll() is None, name
        worker.master.forget()
        worker.spawn({"Buyer": 2}, timestamp=2e9)
        assert worker.inside("runner.user_classes_count") == {"Buyer": 2, "Visitor": 0}
        worker.stop()


def test_a_master_lives_on(ours: Side, tmp_path: Path) -> None:
    area: Any = _Area
    with master_running(ours, area, tmp_path) as master:
        worker = master.worker("a_1")
        for name, payload in TO_A_MASTER.items():
            worker.send_raw(payload)
            assert master.node.process.poll() is None, name
        stranger = master.worker("a_stranger", ready=False)
        for payload in TO_A_MASTER.values():
            stranger.send_raw(payload)
        worker.send("client_ready", "2.47.0")
        master.crowd.for_a_moment()
        other = master.worker("b_1")
        master.start(4)
        master.wait(lambda: worker.users and other.users)
        assert master.inside("sorted(runner.clients)") == ["a_1", "b_1"]
        assert sum(worker.users.values()) + sum(other.users.values()) == 4
        master.does("runner.stop()")
