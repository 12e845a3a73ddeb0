"""A master before peers that send what no node sends: of each there is one sentence in the log, and it lives on."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import eventually
from gregaria import _engine

LOCUSTFILE = """
from locust import User, constant, events, task
from gregaria import Feeder

rows = Feeder([{"name": "a"}, {"name": "b"}], name="ROWS")

class A(User):
    wait_time = constant(1)
    @task
    def nothing(self):
        pass

@events.init.add_listener
def _(environment, runner, **_):
    runner.register_message("mine", lambda environment, msg, **_: print("MINE", msg.data, flush=True))

@events.test_start.add_listener
def _(environment, **_):
    print("STARTED", flush=True)
"""

NOT_READABLE = {
    "a moment that is none": b"\x81\xac__datetime__\xc3",
    "a list as a key": b"\x81\x91\x01\x02",
}


class Node:
    """A process, and what it says."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.log = folder / f"{options[0]}.log"
        with self.log.open("w") as log:
            command = [sys.executable, "-u", "-m", "locust", "-f", "shop.py", *options]
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)

    def said(self) -> str:
        return self.log.read_text()

    def says(self, pattern: str) -> re.Match[str]:
        eventually(lambda: re.search(pattern, self.said()) or self.process.poll() is not None, 60)
        found = re.search(pattern, self.said())
        assert found, f"it did not say {pattern!r}:\n{self.said()}"
        return found

    def ends(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    nodes: list[Node] = []
    (tmp_path / "shop.py").write_text(LOCUSTFILE)

    def start(*options: str) -> Node:
        nodes.append(Node(tmp_path, *options))
        return nodes[-1]

    yield start
    for node in nodes:
        node.process.kill()
        node.process.wait()


def raw(kind: str, data: bytes, node: str) -> bytes:
    """A message around data that are packed already."""
    empty = _engine.pack(kind, None, node)
    place = 1 + len(_engine.pack_data(kind))
    return empty[:place] + data + empty[place + 1 :]


def test_a_master_says_one_sentence_of_each_and_not_too_many(start: Callable[..., Node]) -> None:
    master = start(
        "--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", "0", "--headless", "--only-summary"
    )
    port = int(master.says(r"Listening for workers on port (\d+)")[1])
    with contextlib.closing(_engine.MessageSocket("127.0.0.1", port, "w_1")) as peer:
        peer.send(_engine.pack("client_ready", "2.47.0", "w_1"))
        master.says("w_1 .* reported as ready")
        master.says("STARTED")
        for data in NOT_READABLE.values():
            for kind in ("mine", "gregaria:take", "gregaria:used"):
                peer.send(raw(kind, data, "w_1"))
        for data in (
            7,
            {"feeder": "ROWS"},
            {"feeder": "ROWS", "request": [1, 2]},
            {"feeder": "ROWS", "request": "x" * 6},
        ):
            peer.send(_engine.pack("gregaria:take", data, "w_1"))
        peer.send(_engine.pack("gregaria:used", {"feeder": "ROWS", "life": -1, "used": "x"}, "w_1"))
        peer.send(raw("locustfile", b"\x82\xa7version\xa1x\xac__datetime__\xc3", "w_1"))
        peer.send(_engine.pack("mine", "last", "w_1"))
        master.says("MINE last")
        master.says("A `locustfile` message of worker w_1 was left out: its data cannot be read")
        left_out = r"A `%s` message of worker w_1 was left out: its data"
        eventually(lambda: len(re.findall(left_out % "gregaria:.*", master.said())) == 9)
        assert len(re.findall(left_out % "mine", master.said())) == 2

        for number in range(2000):
            peer.send(_engine.pack("unheard", None, f"s_{number}"))
            # No more than what may wait to be sent.
            if number % 500 == 499:
                peer.send(_engine.pack("mine", number, "w_1"))
                master.says(f"MINE {number}")
        master.says("further lines about messages of workers were left out")
        assert 50 < master.said().count("Unknown message type received") < 300

        with contextlib.closing(socket.create_connection(("127.0.0.1", port))) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n\r\n" + bytes(64))
            with contextlib.suppress(ConnectionResetError):
                eventually(lambda: not stranger.recv(100))
        peer.send(_engine.pack("quit", None, "w_1"))
        master.says("w_1' .* quit")
    assert master.ends() == 0, master.said()
    assert "Traceback" not in master.said(), master.said()
    assert f"The master refused on port {port}: connections that introduced nobody: 1\n" in master.said()


def test_answers_with_the_locustfile_are_made_once_for_many_who_ask(monkeypatch: Any, tmp_path: Path) -> None:
    from gregaria._cluster import sources

    class Runner:
        class server:
            class engine:
                may_say = staticmethod(lambda: True)

        class environment:
            parsed_options = None
            parsed_locustfiles = (str(tmp_path / "shop.py"),)

    (tmp_path / "shop.py").write_text(LOCUSTFILE)
    made = []
    whole = sources._whole
    monkeypatch.setattr(sources, "_whole", lambda paths: made.append(1) or whole(paths))
    monkeypatch.setattr(sources.time, "monotonic", lambda: now)
    answers, now = sources.Answers(Runner), 100.0
    first = answers.to("w", {"version": "x", "gregaria": 1})
    assert first == answers.to("v", {"version": "x", "gregaria": 1})
    assert b"gregaria" in first and len(made) == 1
    assert b"locustfiles" in answers.to("l", {"version": "x"})
    (tmp_path / "shop.py").write_text(LOCUSTFILE + "# changed")
    now += 2.5
    assert b"# changed" in answers.to("w", {"version": "x", "gregaria": 1})
    assert len(made) == 2
