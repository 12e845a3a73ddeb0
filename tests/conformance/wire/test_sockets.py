"""Sockets of ours and of libzmq, as Locust uses it, with each other: what goes wrong in networks and in peers."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import eventually

HERE = Path(__file__).parent
ORACLE = os.environ.get("GREGARIA_ORACLE")
# Another program that does what subject.py does, to ask the same questions of other libraries.
SUBJECT = os.environ.get("GREGARIA_WIRE_SUBJECT", f"{sys.executable} {HERE / 'subject.py'}").split()
SUBJECT_IS_OURS = "GREGARIA_WIRE_SUBJECT" not in os.environ
KEY = "a key of the cluster that nobody guesses"

pytestmark = [pytest.mark.skipif(not ORACLE, reason="needs Locust's environment"), pytest.mark.timeout(120)]


class Process:
    """A process that answers a line for a line."""

    def __init__(self, command: list[str], **options: Any) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1, **options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *arguments: self._ask([name, *arguments])

    def _ask(self, question: list[Any]) -> Any:
        self.begin(*question)
        return self.end()

    def begin(self, *question: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(question) + "\n")

    def end(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, f"{self.process.args} has ended: {self.process.poll()}"
        answer = json.loads(line)
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def stop(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        assert self.process.stdin and self.process.stdout
        if self.process.stdin.closed:
            return
        self.process.kill()
        with self.process.stdout, contextlib.suppress(OSError), self.process.stdin:
            self.process.wait()


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    """Starts what a test needs, and ends it."""
    with contextlib.ExitStack() as stack:

        def start(kind: str, **options: Any) -> Process:
            command = SUBJECT if kind == "subject" else [str(ORACLE), str(HERE / "peer.py")]
            process = Process(command, **options)
            stack.callback(process.kill)
            return process

        yield start


class Proxy:
    """Between a peer and its port; can fall silent without closing anything, as a network does."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.silent = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads: list[threading.Thread] = []
        self._run(self._accept)

    def _run(self, function: Callable[..., None], *arguments: socket.socket) -> None:
        self.threads.append(threading.Thread(target=function, args=arguments, daemon=True))
        self.threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                if self.silent.is_set():
                    self._run(self._swallow, near)
                    continue
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    near.close()
                    continue
                self._run(self._carry, near, far)

    def _swallow(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near:
            while near.recv(65536):
                pass

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        with contextlib.suppress(OSError), near, far:
            while other:
                for ready in select.select(list(other), [], [])[0]:
                    data = ready.recv(65536)
                    if self.silent.is_set():
                        # Nor does it tell that one side has gone; its descriptor is at its end for good.
                        if not data:
                            del other[ready]
                    elif not data:
                        return
                    else:
                        other[ready].sendall(data)

    def close(self) -> None:
        # The end of what it joins has ended its other threads.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(10)


@pytest.fixture
def proxy() -> Iterator[Callable[[int], Proxy]]:
    """Stands before a port. Name it before `start`, so that it ends after what it joins."""
    with contextlib.ExitStack() as stack:

        def make(port: int) -> Proxy:
            made = Proxy(port)
            stack.callback(made.close)
            return made

        yield make


def test_our_router_and_their_dealers(start: Callable[..., Process]) -> None:
    ours, theirs = start("subject"), start("peer")
    port = ours.router("127.0.0.1", 0)
    theirs.dealer("host_1", "127.0.0.1", port)
    theirs.dealer("höst_2", "127.0.0.1", port)
    for name in ("host_1", "höst_2"):
        theirs.send(name, "hello")
        assert ours.recv() == [name, "hello", 5]
        assert ours.send("back", 300, name)
        assert theirs.recv(name) == [None, "back", 300]
    ours.send("lost", 0, "nobody")
    theirs.send("host_1", "still there")
    assert ours.recv() == ["host_1", "still there", 11]


def test_our_dealer_and_their_router(start: Callable[..., Process]) -> None:
    ours, theirs = start("subject"), start("peer")
    port = theirs.router("r", "127.0.0.1", 0)
    ours.dealer("127.0.0.1", port, "höst_1")
    for _ in range(3):
        assert ours.send("hello", 1000)
        assert theirs.recv("r") == ["höst_1", "hello", 1000]
        theirs.send("r", "back", 100_000, "höst_1")
        assert ours.recv() == [None, "back", 100_000]


def test_large_messages_go_whole(start: Callable[..., Process]) -> None:
    size = 40_000_000
    ours, theirs = start("subject"), start("peer")
    theirs.dealer("d", "127.0.0.1", ours.router("127.0.0.1", 0))
    theirs.send("d", "large", size)
    assert ours.recv(30) == ["d", "large", size]
    ours.send("large", size, "d")
    assert theirs.recv("d", 30) == [None, "large", size]


def test_a_dealer_waits_for_its_router_and_survives_its_restart(start: Callable[..., Process]) -> None:
    ours = start("subject")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ours.dealer("127.0.0.1", port, "d")
    ours.send("early")
    for restart in range(3):
        theirs = start("peer")
        theirs.router("r", "127.0.0.1", port)
        if restart == 0:
            assert theirs.recv("r") == ["d", "early", 5]
        # What was sent into the connection as it broke is lost, with any library; what comes later is not.
        eventually(lambda theirs=theirs: (ours.send("again"), theirs.recv("r", 0.5))[1])
        theirs.send("r", "welcome", 0, "d")
        assert ours.recv() == [None, "welcome", 7]
        theirs.kill()


def test_their_dealers_find_our_router_again(start: Callable[..., Process]) -> None:
    theirs, first = start("peer"), start("subject")
    port = first.router("127.0.0.1", 0)
    theirs.dealer("d", "127.0.0.1", port)
    theirs.send("d", "one")
    assert first.recv() == ["d", "one", 3]
    first.kill()
    second = start("subject")
    second.router("127.0.0.1", port)
    eventually(lambda: (theirs.send("d", "two"), second.recv(0.5))[1])
    assert second.send("back", 0, "d")
    assert theirs.recv("d") == [None, "back", 4]


def test_fifteen_hundred_workers(start: Callable[..., Process]) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = min(hard, 20_000)
    many = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))}
    ours, theirs = start("subject", **many), start("peer", **many)
    port = ours.router("127.0.0.1", 0)
    ours.echo()
    assert theirs.many(1500, "127.0.0.1", port) == 1500


def test_a_stopped_peer_fills_its_queue_and_nothing_else(start: Callable[..., Process]) -> None:
    ours, stopped, lively = start("subject"), start("peer"), start("peer")
    port = ours.router("127.0.0.1", 0)
    for name, peer in (("stopped", stopped), ("lively", lively)):
        peer.dealer(name, "127.0.0.1", port)
        peer.send(name, "here")
        assert ours.recv()[0] == name
    before = ours.memory()
    stopped.stop()
    queued, _ = ours.flood(60_000, 10_000, "stopped")
    assert ours.memory() - before < 150
    ours.send("hello", 0, "lively")
    assert lively.recv("lively") == [None, "hello", 5]
    stopped.go_on()
    received = 0
    while stopped.recv("stopped", 2):
        received += 1
    assert 1000 < received < 60_000
    if SUBJECT_IS_OURS:
        # A library cannot say what it dropped.
        assert received == queued
        assert ours.refused()["dropped"] == 60_000 - queued


def test_a_dealer_without_router_keeps_a_bounded_queue(start: Callable[..., Process]) -> None:
    ours = start("subject")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        ours.dealer("127.0.0.1", nobody.getsockname()[1], "d")
        before = ours.memory()
        queued, _ = ours.flood(20_000, 10_000)
    assert 1000 <= queued < 5000
    assert ours.memory() - before < 60


def test_a_second_peer_of_the_same_name_is_not_heard(start: Callable[..., Process]) -> None:
    ours, first, second = start("subject"), start("peer"), start("peer")
    port = ours.router("127.0.0.1", 0)
    first.dealer("twin", "127.0.0.1", port)
    first.send("twin", "first")
    assert ours.recv() == ["twin", "first", 5]
    second.dealer("twin", "127.0.0.1", port)
    second.send("twin", "second")
    assert ours.recv(6) is None, "the first one answers pings"
    ours.send("to whom", 0, "twin")
    assert first.recv("twin") == [None, "to whom", 7]
    first.kill()
    # Now the name is free. libzmq's router would ignore the second connection for good.
    assert ours.recv() == ["twin", "second", 6]


def test_a_peer_that_vanished_makes_room_for_its_return(
    proxy: Callable[[int], Proxy], start: Callable[..., Process]
) -> None:
    ours, theirs = start("subject"), start("peer")
    port = ours.router("127.0.0.1", 0)
    network = proxy(port)
    theirs.dealer("d", "127.0.0.1", network.port)
    theirs.send("d", "one")
    assert ours.recv() == ["d", "one", 3]
    network.silent.set()
    theirs.close("d")
    theirs.dealer("d", "127.0.0.1", port)
    theirs.send("d", "two")
    # The old connection looks alive. It is asked, and has three seconds to answer.
    assert ours.recv(10) == ["d", "two", 3]
    ours.send("back", 0, "d")
    assert theirs.recv("d") == [None, "back", 4]


def test_a_worker_of_ours_leaves_a_silent_connection(
    proxy: Callable[[int], Proxy], start: Callable[..., Process]
) -> None:
    master, worker = start("subject"), start("subject")
    network = proxy(master.router("127.0.0.1", 0))
    worker.dealer("127.0.0.1", network.port, "w")
    worker.send("one")
    assert master.recv() == ["w", "one", 3]
    network.silent.set()
    # Nothing closes. The worker hears nothing for six seconds, and then cannot connect for a while.
    assert worker.recv(8) is None
    network.silent.clear()
    eventually(lambda: (worker.send("two"), master.recv(0.5))[1])
    assert master.send("back", 0, "w")
    assert worker.recv() == [None, "back", 4]


@pytest.mark.parametrize("host", ["*", "::", "0.0.0.0", "::1", "127.0.0.1", "localhost"])
def test_both_families(start: Callable[..., Process], host: str) -> None:
    ours, theirs = start("subject"), start("peer")
    port = ours.router(host, 0)
    reached = {"::1": ["[::1]"], "*": ["127.0.0.1", "[::1]"], "::": ["127.0.0.1", "[::1]"]}.get(host, ["127.0.0.1"])
    if host == "localhost":
        reached = ["localhost"]
    for number, address in enumerate(reached):
        theirs.dealer(f"d{number}", address, port)
        theirs.send(f"d{number}", "hello")
        assert ours.recv() == [f"d{number}", "hello", 5]
        worker = start("subject")
        worker.dealer(address.strip("[]"), port, f"w{number}")
        worker.send("hello")
        assert ours.recv() == [f"w{number}", "hello", 5]


def test_whoever_has_no_key_is_refused_and_told_so(start: Callable[..., Process]) -> None:
    ours, theirs, worker, stranger, keyless = (start(kind) for kind in ("subject", "peer", *["subject"] * 3))
    port = ours.router("127.0.0.1", 0, KEY)
    worker.dealer("127.0.0.1", port, "w", KEY)
    worker.send("hello")
    assert ours.recv() == ["w", "hello", 5]
    assert ours.send("back", 0, "w") and worker.recv() == [None, "back", 4]
    theirs.dealer("d", "127.0.0.1", port)
    theirs.send("d", "hello")
    keyless.dealer("127.0.0.1", port, "k")
    keyless.send("hello")
    stranger.dealer("127.0.0.1", port, "s", KEY + "?")
    stranger.send("hello")
    said = eventually(stranger.notices)
    assert said == ["the master has another cluster key: give both the same `--cluster-key`"]
    told: list[str] = []

    def master_told_of_both() -> bool:
        told.extend(ours.notices())
        return "has no cluster key" in " ".join(told) and "is another one" in " ".join(told)

    eventually(master_told_of_both)
    assert ours.refused()["keys"] >= 2
    assert ours.recv(0.5) is None


GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(48)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: master\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        bytes(range(256)) * 100,
        b"\xff" * 64,
        GREETING[:30],
        GREETING + b"\x00\x05hello",
        GREETING + b"\x04\x05\x04NOPE",
        GREETING + b"\x06" + b"\xff" * 8,
        GREETING + b"\x04\x1e\x05READY\x0bSocket-Type\x00\x00\x00\x03PUB",
        GREETING + b"\x04\x1c\x05READY\x0bSocket-Type\xff\xff\xff\xffDEALER",
        GREETING + b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x02\x40\x00\x00\x00\x00\x00\x00\x00",
        GREETING + b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x03" + b"x" * 100,
    ],
    ids=["http", "tls", "bytes", "ones", "half", "early", "unknown", "endless", "pub", "liar", "huge", "parts"],
)
def test_garbage_harms_nobody(start: Callable[..., Process], garbage: bytes) -> None:
    ours, theirs = start("subject"), start("peer")
    port = ours.router("127.0.0.1", 0)
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stranger = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            with contextlib.suppress(OSError):
                stranger.sendall(garbage)
        theirs.dealer("d", "127.0.0.1", port)
        theirs.send("d", "hello")
        heard = eventually(lambda: (lambda message: message if message and message[0] == "d" else None)(ours.recv(5)))
        assert heard == ["d", "hello", 5]


def test_announced_lengths_cost_no_memory(start: Callable[..., Process]) -> None:
    ours, theirs = start("subject"), start("peer")
    port = ours.router("127.0.0.1", 0)
    before = ours.memory()
    ready = b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
    # Fifty connections announce a message of 60 MB each, and send a little of it.
    lie = GREETING + ready + b"\x02" + (60_000_000).to_bytes(8, "big") + bytes(100_000)
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(lie)
        theirs.dealer("d", "127.0.0.1", port)
        theirs.send("d", "hello")
        assert ours.recv() == ["d", "hello", 5]
        assert ours.memory() - before < 150


def test_without_descriptors_the_connected_go_on(start: Callable[..., Process]) -> None:
    few = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))}
    ours, theirs = start("subject", **few), start("peer")
    port = ours.router("127.0.0.1", 0)
    theirs.dealer("early", "127.0.0.1", port)
    theirs.send("early", "hello")
    assert ours.recv() == ["early", "hello", 5]
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        before = ours.cpu()
        theirs.send("early", "still here")
        assert ours.recv() == ["early", "still here", 10]
        assert ours.recv(2) is None
        assert ours.cpu() - before < 1, "it does not spin"
    theirs.dealer("late", "127.0.0.1", port)
    theirs.send("late", "hello")
    assert ours.recv(20) == ["late", "hello", 5]
