"""Bodies in motion: responses that are read as they arrive, and requests that are made while they are sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import Run, Target

DEADLINE = 10

CLIENT = """
import json, sys, gevent
from locust import events
from locust.clients import HttpSession

client = HttpSession("http://127.0.0.1:" + sys.argv[1], events.request, None)
client.trust_env = False
"""

Connection = Callable[[socket.socket, bytes], None]


@contextmanager
def server(serve: Connection) -> Iterator[str]:
    """A server that hands each connection, with the head of its request, to `serve` in a thread; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

        def handle(connection: socket.socket) -> None:
            connection.settimeout(DEADLINE)
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    more = connection.recv(65536)
                    if not more:
                        return
                    head += more
                serve(connection, head)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield str(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def drain(connection: socket.socket) -> None:
    """Read until the peer closes, or breaks, the connection."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        pass


def ok(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def test_an_event_is_there_before_the_next_is_sent(python_script: Callable[..., Run]) -> None:
    proceed = threading.Event()

    def serve(connection: socket.socket, head: bytes) -> None:
        if head.startswith(b"GET /proceed "):
            proceed.set()
            return ok(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"data: 1\n\n"))
        assert proceed.wait(DEADLINE), "the first event was held back"
        connection.sendall(chunk(b"data: 2\n\n") + chunk(b""))

    with server(serve) as port:
        run = python_script(
            CLIENT
            + """
lines = client.get("/events", stream=True, timeout=5).iter_lines()
seen = [next(lines).decode()]
client.get("/proceed")
seen += [line.decode() for line in lines if line]
print(json.dumps(seen))
""",
            port,
        )
    assert run.last_line == ["data: 1", "data: 2"]


def test_who_does_not_read_keeps_the_server_waiting(python_script: Callable[..., Run]) -> None:
    sent = 0
    stopped, closed = threading.Event(), threading.Event()

    def serve(connection: socket.socket, head: bytes) -> None:
        nonlocal sent
        if head.startswith(b"GET /stopped "):
            assert stopped.wait(DEADLINE)
            return ok(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        connection.settimeout(1)
        try:
            while True:
                sent += connection.send(bytes(65536))
        except TimeoutError:
            stopped.set()
        connection.settimeout(DEADLINE)
        try:
            while connection.send(bytes(65536)):
                pass
        except ConnectionError:
            closed.set()

    with server(serve) as port:
        run = python_script(
            CLIENT
            + """
response = client.get("/endless", stream=True)
first = len(response.raw.read(10))
client.get("/stopped")
response.close()
print(json.dumps(first))
gevent.sleep(0.5)
""",
            port,
        )
        assert run.last_line == 10
        assert closed.wait(DEADLINE), "the connection of an abandoned body stays open"
    # What the two systems' socket buffers hold, and the little that we do.
    assert sent < 30_000_000


@pytest.mark.parametrize("letting_go", ["del response", "response.close()", "response.raw.close()"])
def test_an_abandoned_body_closes_its_connection(python_script: Callable[..., Run], letting_go: str) -> None:
    closed = threading.Event()

    def serve(connection: socket.socket, head: bytes) -> None:
        if head.startswith(b"GET /closed "):
            assert closed.wait(DEADLINE), "the connection stays open"
            return ok(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun")
        assert connection.recv(1) == b""
        closed.set()

    with server(serve) as port:
        run = python_script(
            CLIENT
            + f"""
response = client.get("/", stream=True)
assert response.raw.read(5) == b"begun"
{letting_go}
print(json.dumps(client.get("/closed").text))
""",
            port,
        )
    assert run.last_line == "ok"


def test_a_body_that_was_read_leaves_its_connection_for_the_next(
    target: Target, python_script: Callable[..., Run]
) -> None:
    run = python_script(
        CLIENT
        + """
seen = []
for path in ("/echo", "/bytes/300000", "/chunked/5000", "/echo"):
    response = client.get(path, stream=True)
    body = response.content
    seen.append(response.json()["connection"] if path == "/echo" else len(body))
print(json.dumps(seen))
""",
        target.url.rpartition(":")[2],
    )
    first, large, chunks, last = run.last_line
    assert (large, chunks) == (300_000, 5000)
    assert first == last


def test_a_stream_that_stalls_times_out_while_it_is_read(python_script: Callable[..., Run]) -> None:
    done = threading.Event()

    def serve(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun")
        done.wait(DEADLINE)

    with server(serve) as port:
        run = python_script(
            CLIENT
            + """
response = client.get("/", stream=True, timeout=0.3)
try:
    response.content
except Exception as error:
    print(json.dumps([type(error).__name__, str(error).partition(": ")[2]]))
""",
            port,
        )
        done.set()
    assert run.last_line == ["ConnectionError", "Read timed out."]


def test_a_killed_reader_leaves_nothing_behind(python_script: Callable[..., Run]) -> None:
    closed = threading.Event()

    def serve(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun")
        assert connection.recv(1) == b""
        closed.set()

    with server(serve) as port:
        run = python_script(
            CLIENT
            + """
from gregaria import _engine
def read():
    client.get("/", stream=True).content
reader = gevent.spawn(read)
while not _engine.parked():
    gevent.sleep(0.01)
gevent.sleep(0.2)
reader.kill()
print(json.dumps(_engine.parked()))
gevent.sleep(0.3)
""",
            port,
        )
        assert closed.wait(DEADLINE)
    assert run.last_line == 0


def test_a_generator_is_sent_while_it_is_made(python_script: Callable[..., Run]) -> None:
    arrived = threading.Event()
    bodies = []

    def serve(connection: socket.socket, head: bytes) -> None:
        if head.startswith(b"GET /arrived "):
            assert arrived.wait(DEADLINE), "the first piece was held back"
            return ok(connection)
        body = head.partition(b"\r\n\r\n")[2]
        while not body.endswith(b"0\r\n\r\n"):
            if b"one" in body:
                arrived.set()
            body += connection.recv(65536)
        bodies.append(body)
        ok(connection)

    with server(serve) as port:
        run = python_script(
            CLIENT
            + """
def pieces():
    yield b"one"
    client.get("/arrived")
    yield b"two"
print(json.dumps(client.post("/", data=pieces()).text))
""",
            port,
        )
    assert run.last_line == "ok"
    assert bodies == [chunk(b"one") + chunk(b"two") + chunk(b"")]


def test_a_server_that_has_heard_enough_ends_the_generator(python_script: Callable[..., Run]) -> None:
    def serve(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with server(serve) as port:
        run = python_script(
            CLIENT
            + """
made = 0
def pieces():
    global made
    while made < 100_000:
        made += 1
        yield bytes(65536)
response = client.post("/", data=pieces())
print(json.dumps([response.status_code, made < 100_000]))
""",
            port,
        )
    status, ended_early = run.last_line
    assert ended_early
    assert status in (413, 0), "a reset may overtake the answer"


def test_what_a_generator_raises_comes_out_and_its_connection_is_closed(python_script: Callable[..., Run]) -> None:
    arrived, closed = threading.Event(), threading.Event()

    def serve(connection: socket.socket, head: bytes) -> None:
        if head.startswith(b"GET /arrived "):
            assert arrived.wait(DEADLINE)
            return ok(connection)
        arrived.set()
        drain(connection)
        closed.set()

    with server(serve) as port:
        run = python_script(
            CLIENT
            + """
def pieces():
    yield b"one"
    client.get("/arrived")
    raise KeyError("mine")
try:
    client.post("/", data=pieces())
except KeyError as error:
    print(json.dumps(str(error)))
gevent.sleep(0.5)
""",
            port,
        )
        assert run.last_line == "'mine'"
        assert closed.wait(DEADLINE)


def test_a_large_file_is_not_read_into_memory(python_script: Callable[..., Run], tmp_path: Path) -> None:
    size = 300_000_000
    file = tmp_path / "large"
    with file.open("wb") as large:
        large.truncate(size)

    def serve(connection: socket.socket, head: bytes) -> None:
        assert b"Content-Length: 300000000\r\n" in head
        left = size - len(head.partition(b"\r\n\r\n")[2])
        while left:
            left -= len(connection.recv(min(left, 1 << 20)))
        ok(connection)

    with server(serve) as port:
        run = python_script(
            CLIENT
            + """
import resource
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open(sys.argv[2], "rb") as file:
    status = client.post("/", data=file).status_code
print(json.dumps([status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before]))
""",
            port,
            str(file),
            deadline=60,
        )
    status, grown = run.last_line
    assert status == 200
    assert grown < 50_000, "KiB"
