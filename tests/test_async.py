"""Coroutines as tasks, `on_start`, `on_stop` and listeners: runs of the real command, the server as the witness."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Run, Target, _environment, eventually

PRELUDE = '''
import asyncio, contextvars, json, logging, time
import gevent
from locust import *
from locust.exception import *
from gregaria import _engine, aio

seen = {}

def note(name):
    seen[name] = seen.get(name, 0) + 1

def tasks_left():
    """Of the loop that coroutines run on."""
    from gregaria._aio import Loop
    import gc
    loops = [found for found in gc.get_objects() if type(found) is Loop]
    assert len(loops) < 2
    return sum(len(asyncio.all_tasks(loop)) for loop in loops)

@events.quit.add_listener
def tell(**_):
    environment = where[0]
    entries = environment.stats.entries.values()
    rows = {f"{row.method} {row.name}": [row.num_requests, row.num_failures] for row in entries}
    raised = {entry["msg"]: entry["count"] for entry in environment.runner.exceptions.values()}
    tracebacks = [entry["traceback"] for entry in environment.runner.exceptions.values()]
    print(json.dumps({
        "seen": seen, "rows": rows, "raised": raised, "tracebacks": tracebacks, "users": environment.runner.user_count,
        "tasks": tasks_left(), "parked": _engine.parked(), "lanes": _engine.lanes(),
    }), flush=True)

where = []

@events.init.add_listener
def remember(environment, **_):
    where.append(environment)
'''


class Locust:
    """Runs a locustfile against the target with the command."""

    def __init__(self, folder: Path, target: Target) -> None:
        self._folder = folder
        self._target = target

    def __call__(self, code: str, *options: str, exit_code: int = 0, quiet: bool = True) -> dict[str, Any]:
        """What the run found; with `log`, the lines that it wrote on the way."""
        file = self._folder / "locustfile.py"
        file.write_text(PRELUDE + textwrap.dedent(code))
        command = [sys.executable, "-X", "dev", "-m", "locust", "-f", str(file), "--headless", "--only-summary"]
        command += ["-H", self._target.url, "-u", "10", "-r", "100", "-t", "1s", "-s", "10", *options]
        done = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=100)
        assert done.returncode == exit_code, done.stdout + done.stderr
        if quiet:
            assert "Traceback" not in done.stderr, done.stderr
            assert "ResourceWarning" not in done.stderr, done.stderr
            assert "RuntimeWarning" not in done.stderr, done.stderr
        return {**json.loads(done.stdout.splitlines()[-1]), "log": done.stderr}


@pytest.fixture
def locust(tmp_path: Path, target: Target) -> Locust:
    return Locust(tmp_path, target)


def nothing_is_left(found: dict[str, Any], target: Target) -> bool:
    counts = target.counts()
    assert counts["requests_open"] == counts["connections_open"] == 0
    assert found["tasks"] == 0
    assert found["users"] == 0
    assert found["parked"] == 0
    return True


def same_counts(found: dict[str, Any], target: Target) -> None:
    """Every request that the server saw is in the table, and the other way round."""
    assert sum(requests for requests, _ in found["rows"].values()) == target.counts()["requests_finished"]


HOLDERS = {
    "plain": "",
    "nested": "@task\nclass Inner(TaskSet):",
    "sequential": "@task\nclass Inner(SequentialTaskSet):",
    "markov": "@task\nclass Inner(MarkovTaskSet):",
    "overridden": "@task\nclass Inner(TaskSet):\n    def execute_task(self, task): super().execute_task(task)",
}

TASKS = """
{mark}
async def read(self):
    response = await self.client.get("/json", name="{kind} read")
    assert response.status_code == 200
    note("{kind} read")
{mark}
async def write(self):
    response = await self.client.post("/echo", json={{"a": 1}}, name="{kind} write")
    assert json.loads(response.json()["body"]) == {{"a": 1}}
    note("{kind} write")
async def on_start(self):
    await self.client.get("/json", name="{kind} start")
    note("{kind} start")
async def on_stop(self):
    await self.client.get("/json", name="{kind} stop")
    note("{kind} stop")
"""


@pytest.mark.parametrize("user", ["HttpUser", "FastHttpUser"])
def test_a_task_may_be_a_coroutine_in_every_kind_of_task_set(locust: Locust, target: Target, user: str) -> None:
    code = ""
    for kind, holder in HOLDERS.items():
        body = TASKS.format(kind=kind, mark='@transitions(["read", "write"])' if kind == "markov" else "@task")
        inner = holder + "\n" + textwrap.indent(body, "    ") if holder else body
        code += f"class {kind.title()}({user}):\n    wait_time = constant(0.02)\n" + textwrap.indent(inner, "    ")
    found = locust(code, "-s", "10")
    for kind in HOLDERS:
        assert found["rows"][f"GET {kind} start"] == found["rows"][f"GET {kind} stop"] == [2, 0]
        assert found["seen"][f"{kind} start"] == found["seen"][f"{kind} stop"] == 2
        assert found["rows"][f"GET {kind} read"] == [found["seen"][f"{kind} read"], 0]
        assert found["rows"][f"POST {kind} write"] == [found["seen"][f"{kind} write"], 0]
        assert found["seen"][f"{kind} read"] > 0
    same_counts(found, target)
    assert eventually(lambda: nothing_is_left(found, target))


def test_users_with_and_without_coroutines_mix(locust: Locust, target: Target) -> None:
    found = locust(
        """
        class Waits(HttpUser):
            @task
            async def t(self):
                await self.client.get("/delay?ms=20", name="async")
        class Parks(HttpUser):
            @task
            def t(self):
                self.client.get("/delay?ms=20", name="sync")
        class Runs(User):
            fixed_count = 1
            wait_time = constant(0.01)
            @task
            def t(self):
                async def two():
                    async for number in numbers():
                        await asyncio.sleep(0.01)
                    return asyncio.get_running_loop()
                async def numbers():
                    yield 1
                    yield 2
                loop = asyncio.run(two())
                assert loop.is_closed()
                note("a loop of its own")
        class Both(HttpUser):
            wait_time = constant_throughput(20)
            @task
            def sync(self):
                self.client.get("/json", name="both, sync")
            @task
            async def asynchronous(self):
                await self.client.get("/json", name="both, async")
                await asyncio.sleep(0.01)
        """,
        "-u",
        "31",
    )
    counts = {name: requests for name, (requests, failures) in found["rows"].items() if not failures}
    assert set(counts) == {"GET async", "GET sync", "GET both, sync", "GET both, async"}
    same_counts(found, target)
    assert found["raised"] == {}
    assert found["seen"]["a loop of its own"] > 1
    # Ten users of each for a second, answered after 20 ms: neither kind keeps the other from running.
    assert min(counts["GET async"], counts["GET sync"]) > 0.5 * max(counts["GET async"], counts["GET sync"])
    assert eventually(lambda: nothing_is_left(found, target))


def test_a_thousand_users(locust: Locust, target: Target) -> None:
    found = locust(
        """
        class Shopper(FastHttpUser):
            wait_time = between(0.1, 0.5)
            @task
            async def t(self):
                note("at once"); seen["most"] = max(seen.get("most", 0), seen["at once"])
                await asyncio.gather(self.client.get("/delay?ms=200", name="a"), asyncio.sleep(0.2))
                seen["at once"] -= 1
        """,
        "-u",
        "1000",
        "-r",
        "1000",
        "-t",
        "4s",
        "-s",
        "20",
    )
    requests, failures = found["rows"]["GET a"]
    assert (failures, found["seen"]["at once"]) == (0, 0)
    assert requests >= 1000
    assert found["seen"]["most"] > 200
    same_counts(found, target)
    assert eventually(lambda: nothing_is_left(found, target))


def test_requests_can_be_awaited_in_every_way_asyncio_has(locust: Locust, target: Target) -> None:
    found = locust(
        """
        class Shopper(HttpUser):
            wait_time = constant(0.1)
            @task
            async def t(self):
                get = self.client.get
                first, second = await asyncio.gather(get("/json", name="gather"), get("/json", name="gather"))
                assert first.status_code == second.status_code == 200
                async with asyncio.TaskGroup() as group:
                    task = group.create_task(get("/json", name="group"))
                assert task.result().json()
                task = asyncio.create_task(get("/json", name="task"))
                assert (await task).ok
                assert (await asyncio.wait_for(get("/json", name="wait_for"), 10)).ok
                async with asyncio.timeout(10):
                    await get("/json", name="timeout")
                done, pending = await asyncio.wait([asyncio.ensure_future(get("/json", name="wait"))])
                assert not pending and done.pop().result().ok
                async with get("/status/404", name="async with", catch_response=True) as response:
                    response.success()
                with await get("/json", name="with", catch_response=True) as response:
                    response.failure("as I say")
                async with self.client.get("/json", name="raises", catch_response=True) as response:
                    raise RescheduleTask()
        """,
        exit_code=1,
    )
    times = found["rows"].pop("GET gather")[0] // 2
    expected = {"group", "task", "wait_for", "timeout", "wait", "async with", "with"}
    assert {name.removeprefix("GET ") for name in found["rows"]} == expected
    assert all(requests == times for requests, _ in found["rows"].values())
    assert {name for name, (_, failures) in found["rows"].items() if failures} == {"GET with"}
    assert found["raised"] == {}
    # What raises something of its own in the block is not counted, as in a task without `async`.
    assert target.counts()["requests_finished"] == times * 10


def test_what_asyncio_offers_works_beside_the_requests(locust: Locust, target: Target) -> None:
    found = locust(
        """
        import gevent.server
        mark = contextvars.ContextVar("mark", default=0)
        class Shopper(HttpUser):
            wait_time = constant(0.05)
            async def on_start(self):
                mark.set(id(self))
                self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
                self.port = self.server.sockets[0].getsockname()[1]
            async def on_stop(self):
                self.server.close()
                await self.server.wait_closed()
                note("closed")
            async def serve(self, reader, writer):
                writer.write((await reader.readline()).upper())
                await writer.drain()
                writer.close()
                await writer.wait_closed()
            @task
            async def streams(self):
                reader, writer = await asyncio.open_connection("localhost", self.port)
                writer.write(b"hello\\n")
                await writer.drain()
                assert await reader.read() == b"HELLO\\n"
                writer.close()
                await writer.wait_closed()
                note("streams")
            @task
            async def a_server_of_gevents(self):
                listener = gevent.server.StreamServer(("127.0.0.1", 0), lambda sock, _: sock.sendall(b"from gevent"))
                listener.start()
                reader, writer = await asyncio.open_connection("127.0.0.1", listener.server_port)
                assert await reader.readexactly(11) == b"from gevent"
                writer.close()
                listener.stop()
                note("gevent")
            @task
            async def much(self):
                async def serve(reader, writer):
                    writer.write(bytes(3_000_000))
                    await writer.drain()
                    writer.close()
                server = await asyncio.start_server(serve, "127.0.0.1", 0)
                reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                assert len(await reader.read()) == 3_000_000
                writer.close()
                server.close()
                note("much")
            @task
            async def programs(self):
                process = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
                out, _ = await process.communicate(b"hello")
                assert (out, process.returncode) == (b"hello", 0)
                note("subprocess")
            @task
            async def in_a_thread(self):
                def synchronous():
                    time.sleep(0.01)
                    return self.client.get("/json", name="in a thread").status_code
                assert await asyncio.to_thread(synchronous) == 200
                note("thread")
            @task
            async def timers(self):
                began = time.monotonic()
                await asyncio.sleep(0.02)
                assert 0.02 <= time.monotonic() - began < 5
                try:
                    async with asyncio.timeout(0.01):
                        await asyncio.sleep(100)
                except TimeoutError:
                    note("timers")
            @task
            async def primitives(self):
                queue, lock, event = asyncio.Queue(), asyncio.Lock(), asyncio.Event()
                async def feed():
                    async with lock:
                        for number in range(3):
                            await queue.put(number)
                            await asyncio.sleep(0)
                        event.set()
                async with asyncio.TaskGroup() as group:
                    group.create_task(feed())
                    assert [await queue.get() for _ in range(3)] == [0, 1, 2]
                    await event.wait()
                note("primitives")
            @task
            async def variables(self):
                assert mark.get() == id(self)
                assert asyncio.current_task() in asyncio.all_tasks()
                note("context")
            @task
            async def a_call_from_a_thread(self):
                loop, future = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
                pool = gevent.get_hub().threadpool
                pool.spawn(loop.call_soon_threadsafe, future.set_result, 5)
                assert await asyncio.wait_for(future, 10) == 5
                note("from a thread")
            @task
            async def generators(self):
                async def numbers():
                    try:
                        for number in range(3):
                            await asyncio.sleep(0)
                            yield number
                    finally:
                        note("ended")
                assert [number async for number in numbers()] == [0, 1, 2]
                note("generators")
        """,
        "-t",
        "3s",
    )
    assert found["raised"] == {}
    parts = {"streams", "gevent", "much", "subprocess", "thread", "timers", "primitives", "context"}
    assert parts | {"from a thread", "generators", "closed"} <= set(found["seen"])
    assert found["seen"]["closed"] == 10
    assert found["seen"]["ended"] == found["seen"]["generators"]
    same_counts(found, target)
    assert eventually(lambda: nothing_is_left(found, target))


def test_what_a_coroutine_raises_is_reported_as_a_task_s(locust: Locust) -> None:
    found = locust(
        """
        class Shopper(HttpUser):
            wait_time = constant(0.01)
            @task
            async def fails(self):
                await asyncio.sleep(0)
                raise ValueError("in the coroutine")
            @task
            async def cancels_itself(self):
                asyncio.current_task().cancel()
                await asyncio.sleep(100)
            @task
            async def group(self):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self.fails())
            @task
            async def exhausted(self):
                await asyncio.to_thread(next, iter(()))
            @task
            async def again(self):
                note("again")
                raise RescheduleTask()
        """,
        quiet=False,
        exit_code=1,
    )
    assert set(found["raised"]) == {
        "in the coroutine",
        "the coroutine was cancelled, and not by a stop of its user",
        "unhandled errors in a TaskGroup (1 sub-exception)",
        "the function raised StopIteration, which no coroutine can pass on",
    }
    assert any("in fails" in text for text in found["tracebacks"])
    assert 'raise ValueError("in the coroutine")' in found["log"]
    assert found["seen"]["again"] > 0


def test_exceptions_that_steer_a_user_do_so_from_a_coroutine(locust: Locust) -> None:
    found = locust(
        """
        class Leaves(User):
            fixed_count = 3
            wait_time = constant(0.01)
            @task
            class Inner(TaskSet):
                async def on_start(self): note("enter")
                async def on_stop(self): note("leave")
                @task
                async def out(self):
                    await asyncio.sleep(0)
                    self.interrupt()
        class Ends(User):
            fixed_count = 3
            async def on_stop(self): note("on_stop")
            @task
            async def t(self):
                await asyncio.sleep(0)
                note("once")
                raise StopUser()
        class NeverBegins(User):
            fixed_count = 3
            async def on_start(self):
                note("began")
                raise StopUser()
            @task
            def t(self): note("wrong")
        """,
        "-u",
        "9",
        quiet=False,  # Locust tells of a StopUser in `on_start` with its traceback
    )
    assert found["seen"]["enter"] == found["seen"]["leave"] > 10
    assert found["seen"]["once"] == found["seen"]["on_stop"] == 3
    assert found["seen"]["began"] == 3
    assert "wrong" not in found["seen"]


WAITING = {
    "response": 'await self.client.get("/delay?ms=3600000")',
    "fast response": 'await self.fast.get("/delay?ms=3600000")',
    "responses": 'await asyncio.gather(*(self.client.get("/delay?ms=3600000") for _ in range(3)))',
    "group": "async with asyncio.TaskGroup() as g: g.create_task(self.client.get('/delay?ms=3600000'))",
    "body": "await asyncio.to_thread(lambda: self.stream.content)",
    "lines": "[line async for line in aio.each(self.stream.iter_lines())]",
    "thread": 'await asyncio.to_thread(self.client.get, "/delay?ms=3600000")',
    "time": "await asyncio.sleep(3600)",
    "socket": "await asyncio.get_running_loop().sock_recv(self.socket, 10)",
    "subprocess": "await (await asyncio.create_subprocess_exec('sleep', '0.1')).wait(); await asyncio.sleep(3600)",
}


@pytest.mark.parametrize("patience", ["0", "1"])
def test_a_stop_cancels_what_a_coroutine_waits_for(locust: Locust, target: Target, patience: str) -> None:
    code = """
        import socket
        from locust.contrib.fasthttp import FastHttpSession
        class Shopper(HttpUser):
            abstract = True
            async def on_start(self):
                self.fast = FastHttpSession(self.host, events.request, self)
                self.stream = await self.client.get("/drip?bytes=600&ms=100", name="stream", stream=True)
                self.socket, self.other = socket.socketpair()
                self.socket.setblocking(False)
            @task
            async def t(self):
                note("begun " + type(self).__name__)
                try:
                    await self.wait_long()
                except asyncio.CancelledError:
                    note("cancelled " + type(self).__name__)
                    raise
                finally:
                    self.socket.close()
                    self.other.close()
                    await self.client.get("/json", name="farewell")
    """
    code = textwrap.dedent(code)
    for name, wait in WAITING.items():
        code += f"class {name.title().replace(' ', '')}(Shopper):\n    async def wait_long(self):\n        {wait}\n"
    found = locust(code, "-s", patience, "-t", "2s")
    begun = {name: times for name, times in found["seen"].items() if name.startswith("begun")}
    cancelled = {name: times for name, times in found["seen"].items() if name.startswith("cancelled")}
    assert list(begun.values()) == list(cancelled.values()) == [1] * len(WAITING)
    assert found["rows"]["GET farewell"] == [10, 0]
    assert set(found["rows"]) == {"GET farewell", "GET stream"}
    assert eventually(lambda: nothing_is_left(found, target))


def test_a_coroutine_that_fails_or_goes_on_when_it_is_stopped_is_stopped(locust: Locust) -> None:
    found = locust(
        """
        class Fails(User):
            @task
            async def t(self):
                try:
                    await asyncio.sleep(3600)
                finally:
                    raise ValueError("at the end")
        class GoesOn(User):
            @task
            async def t(self):
                note("begun")
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    note("heard")
        """,
        "-s",
        "0",
        quiet=False,
    )
    assert found["seen"] == {"begun": 5, "heard": 5}
    assert found["log"].count("Uncaught exception in a coroutine that was stopped") == 5
    assert (found["tasks"], found["users"]) == (0, 0)


def test_a_user_s_own_timeout_and_a_stop_from_within(locust: Locust, target: Target) -> None:
    found = locust(
        """
        class Impatient(HttpUser):
            fixed_count = 2
            wait_time = constant(0.05)
            @task
            async def t(self):
                try:
                    async with asyncio.timeout(0.02):
                        await self.client.get("/delay?ms=3600000")
                except TimeoutError:
                    note("timeout")
                await self.client.get("/json", name="after")
        class Quits(HttpUser):
            fixed_count = 1
            @task
            async def t(self):
                await asyncio.sleep(0.5)
                self.environment.runner.quit()
                note("asked to stop")
                await asyncio.sleep(3600)
        class StopsItself(HttpUser):
            fixed_count = 1
            async def on_stop(self): note("stopped itself")
            @task
            async def t(self):
                self.stop(force=True)
                await asyncio.sleep(3600)
        """,
        "-t",
        "60s",
        "-s",
        "0",
        "-u",
        "4",
    )
    assert found["seen"]["asked to stop"] == found["seen"]["stopped itself"] == 1
    assert found["seen"]["timeout"] >= found["rows"]["GET after"][0] > 0
    assert eventually(lambda: nothing_is_left(found, target))


def test_a_coroutine_that_ends_the_program_does_so(locust: Locust, tmp_path: Path) -> None:
    code = """
        import os, sys
        class Ends(User):
            @task
            async def t(self):
                await asyncio.sleep(0)
                {end}
    """
    file = tmp_path / "ends.py"
    command = [sys.executable, "-m", "locust", "-f", str(file), "--headless", "-t", "60s", "--only-summary"]
    for end, exit_code in [("sys.exit(7)", 7), ("raise KeyboardInterrupt", 0)]:
        file.write_text(PRELUDE + textwrap.dedent(code.format(end=end)))
        done = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=60)
        assert done.returncode == exit_code, done.stdout + done.stderr


def test_a_loop_that_was_stopped_or_killed_goes_on_with_the_next_coroutine(locust: Locust) -> None:
    found = locust(
        """
        class Stops(User):
            fixed_count = 1
            wait_time = constant(0.05)
            @task
            async def stops(self):
                asyncio.get_running_loop().stop()
                await asyncio.sleep(0.01)
                note("stopped")
            @task
            def kills(self):
                from gregaria._aio import HubSelector
                import gc
                for selector in gc.get_objects():
                    if type(selector) is HubSelector and selector._greenlet is not None:
                        gevent.kill(selector._greenlet)
                        note("killed")
        class Others(User):
            wait_time = constant(0.01)
            @task
            async def t(self):
                async with asyncio.timeout(5):
                    await asyncio.sleep(0.02)
                note("others")
        """
    )
    assert found["seen"]["stopped"] > 0
    assert found["seen"]["killed"] > 0
    assert found["seen"]["others"] > found["seen"]["killed"]
    assert found["raised"] == {}
    assert (found["tasks"], found["users"]) == (0, 0)


def test_listeners_may_be_coroutines(locust: Locust) -> None:
    found = locust(
        """
        order = []
        def slow(name):
            async def listener(**_):
                await asyncio.sleep(0.01)
                order.append(name)
            return listener
        for name in ("test_start", "spawning_complete", "test_stopping", "test_stop", "quitting"):
            getattr(events, name).add_listener(slow(name + " 1"))
            getattr(events, name).add_listener(lambda name=name, **_: order.append(name + " 2"))
        seen["order"] = order
        @events.request.add_listener
        async def count(name, response, **_):
            note("heard " + name)
            await asyncio.sleep(0)
            note("counted " + name)
        class Sync(HttpUser):
            wait_time = constant(0.05)
            @task
            def t(self):
                self.client.get("/json", name="sync")
                assert seen["counted sync"] == seen["heard sync"]
        class Async(HttpUser):
            wait_time = constant(0.05)
            @task
            async def t(self):
                await self.client.get("/json", name="async")
        """
    )
    seen = found["seen"]
    assert seen["heard sync"] == seen["counted sync"] == found["rows"]["GET sync"][0] > 0
    assert seen["heard async"] == seen["counted async"] == found["rows"]["GET async"][0] > 0
    # `quitting` is fired with the last listener first.
    firsts = ["test_start", "spawning_complete", "test_stopping", "test_stop"]
    expected = [f"{name} {number}" for name in firsts for number in (1, 2)] + ["quitting 2", "quitting 1"]
    assert seen["order"] == expected


def test_a_listener_s_coroutine_that_raises_makes_the_exit_code_2(locust: Locust) -> None:
    found = locust(
        """
        @events.request.add_listener
        async def fails(**_):
            await asyncio.sleep(0)
            raise ValueError("in the listener")
        class Shopper(HttpUser):
            @task
            async def t(self):
                await self.client.get("/json")
                await asyncio.sleep(3600)
        """,
        "-s",
        "0",
        exit_code=2,
        quiet=False,
    )
    assert found["log"].count("Uncaught exception in event handler") == 10


def test_what_the_engine_does_not_prepare_is_awaited_all_the_same(locust: Locust, target: Target) -> None:
    found = locust(
        """
        import io
        class Own:
            def __call__(self, request):
                request.headers["X-Own"] = "1"
                return request
        class Client(HttpUser):
            wait_time = constant(0.1)
            @task
            async def t(self):
                called = []
                hooks = {"response": lambda response, **_: called.append(response)}
                response = await self.client.get("/echo", name="hook", hooks=hooks)
                assert response.ok and called
                assert (await self.client.get("/echo", name="auth", auth=Own())).ok
                def pieces():
                    for number in range(3):
                        time.sleep(0.001)
                        yield b"piece"
                response = await self.client.post("/echo", name="upload", data=pieces())
                assert response.json()["body"] == "piece" * 3
                async with self.client.get("/json", name="caught", auth=Own(), catch_response=True) as response:
                    response.failure("no")
                with self.client.rename_request("renamed"):
                    assert (await self.client.request("GET", "/json", None, False)).ok
                response = await self.client.get("/drip?bytes=30&ms=1", name="stream", stream=True)
                assert len(b"".join([part async for part in aio.each(response.iter_content(7))])) == 30
                async with aio.within(self.rest("GET", "/json", name="rest")) as response:
                    assert response.js
        class Fast(FastHttpUser):
            wait_time = constant(0.1)
            @task
            async def t(self):
                out = io.StringIO()
                assert (await self.client.get("/json", name="debug", debug_stream=out)).ok and out.getvalue()
                lines = [line async for line in aio.each(self.client.iter_lines("/json", name="lines"))]
                assert lines
                response = await self.client.get("/drip?bytes=30&ms=1", name="fast stream", stream=True)
                assert len(await asyncio.to_thread(response.stream.read)) == 30
        """,
        exit_code=1,
        quiet=False,
    )
    names = {"hook", "auth", "caught", "renamed", "stream", "rest", "debug", "lines", "fast stream"}
    assert {f"GET {name}" for name in names} | {"POST upload"} <= set(found["rows"]), found["raised"]
    failed = {name for name, (_, failures) in found["rows"].items() if failures}
    assert failed == {"GET caught"}
    same_counts(found, target)


def test_subclassed_clients_and_names_of_ones_own(locust: Locust, target: Target) -> None:
    found = locust(
        """
        from locust.clients import HttpSession
        import socket
        real = socket.getaddrinfo
        def pinned(host, *args, **kwargs):
            note("asked")
            time.sleep(0.001)
            return real("127.0.0.1" if host == "shop.test" else host, *args, **kwargs)
        socket.getaddrinfo = pinned
        class Client(HttpSession):
            def request(self, method, url, name=None, **kwargs):
                response = super().request(method, url, name="own " + url, **kwargs)
                note(str(response.status_code))
                return response
        class Shopper(HttpUser):
            wait_time = constant(0.1)
            def __init__(self, environment):
                super().__init__(environment)
                port = self.host.rsplit(":")[-1]
                self.client = Client(f"http://shop.test:{port}", environment.events.request, self)
            @task
            async def t(self):
                await self.client.get("/json")
                await self.client.post("/echo", "data")
        """
    )
    assert set(found["rows"]) == {"GET own /json", "POST own /echo"}
    assert found["seen"]["200"] == sum(requests for requests, _ in found["rows"].values())
    assert found["seen"]["asked"] == 10
    same_counts(found, target)


def test_what_would_hold_up_every_coroutine_is_refused_in_words(locust: Locust, target: Target) -> None:
    found = locust(
        """
        class Shopper(HttpUser):
            wait_time = constant(0.01)
            @task
            async def forgets(self):
                self.client.get("/json")
            @task
            async def reads(self):
                self.client.get("/json").json()
            @task
            async def enters(self):
                with self.client.get("/json", catch_response=True): pass
            @task
            async def waits(self):
                self.wait()
            @task
            async def awaits_twice(self):
                request = self.client.get("/json")
                await request
                await request
        """,
        exit_code=1,
        quiet=False,
    )
    beginnings = {text[:40] for text in found["raised"]}
    assert beginnings == {
        "a request in a coroutine has no `json` before it is awaited"[:40],
        "in a coroutine, write `async with self.client.get(…)"[:40],
        "this would hold up every coroutine: in an `async def`"[:40],
        "this request was awaited before: make it anew"[:40],
    }
    assert "RuntimeWarning: a request was made in a coroutine and never awaited: it was not sent" in found["log"]
    same_counts(found, target)


def test_a_coroutine_that_blocks_in_gevent_holds_up_coroutines_alone(locust: Locust) -> None:
    found = locust(
        """
        class Blocks(User):
            fixed_count = 1
            @task
            async def t(self):
                with gevent.Timeout(0.1, False):
                    await asyncio.sleep(0.2)
                note("went on")
                time.sleep(0.1)
        class Sync(User):
            fixed_count = 1
            wait_time = constant(0.01)
            @task
            def t(self):
                note("sync")
                try:
                    asyncio.get_running_loop()
                except RuntimeError:
                    note("none running")
        """,
        "-u",
        "2",
        quiet=False,
    )
    assert found["seen"]["went on"] > 1
    assert "has no effect in a coroutine; use `asyncio.timeout`" in found["log"]
    assert found["seen"]["sync"] > found["seen"]["went on"]
    assert found["seen"]["none running"] > 0


def test_httpx_and_aiohttp(locust: Locust, target: Target) -> None:
    pytest.importorskip("httpx")
    pytest.importorskip("aiohttp")
    found = locust(
        """
        import aiohttp, httpx
        class Shopper(User):
            wait_time = constant(0.05)
            async def on_start(self):
                self.httpx = httpx.AsyncClient(base_url=self.host, trust_env=False)
                self.aiohttp = aiohttp.ClientSession(self.host)
            async def on_stop(self):
                await self.httpx.aclose()
                await self.aiohttp.close()
            @task
            async def with_httpx(self):
                with events.request.measure("GET", "httpx"):
                    (await self.httpx.get("/json")).raise_for_status()
            @task
            async def with_aiohttp(self):
                with events.request.measure("GET", "aiohttp"):
                    async with self.aiohttp.get("/json") as response:
                        assert await response.json()
        """
    )
    assert set(found["rows"]) == {"GET httpx", "GET aiohttp"}
    assert all(failures == 0 for _, failures in found["rows"].values())
    same_counts(found, target)
    assert eventually(lambda: nothing_is_left(found, target))


def test_one_user_in_a_debugger(python_script: Callable[..., Run], target: Target) -> None:
    code = textwrap.dedent(PRELUDE) + textwrap.dedent(
        """
        import sys
        class Shopper(HttpUser):
            host = sys.argv.pop(1)
            async def on_start(self): note("start")
            async def on_stop(self): note("stop")
            @task
            async def t(self):
                assert (await self.client.get("/json")).ok
                note("task")
                if seen["task"] == 3: raise StopUser()
        run_single_user(Shopper)
        print(json.dumps([seen, tasks_left()]))
        """
    )
    assert python_script(code, target.url, "--headless").last_line == [{"start": 1, "task": 3, "stop": 1}, 0]


def test_as_a_library_run_after_run_and_after_a_fork(python_script: Callable[..., Run], target: Target) -> None:
    code = textwrap.dedent(PRELUDE) + textwrap.dedent(
        """
        import os, sys
        from locust.env import Environment
        class Shopper(HttpUser):
            host = sys.argv[1]
            wait_time = constant(0.01)
            @task
            async def t(self):
                await self.client.get("/json")
        def once():
            environment = Environment(user_classes=[Shopper])
            runner = environment.create_local_runner()
            runner.start(5, 100)
            while environment.stats.total.num_requests < 20:
                gevent.sleep(0.01)
            runner.quit()
            return environment.stats.total.num_requests >= 20 and tasks_left() == 0
        outcomes = [once(), once()]
        if (child := os.fork()) == 0:
            import gregaria._aio, gc
            loops = [found for found in gc.get_objects() if type(found) is gregaria._aio.Loop]
            before = len(loops)
            environment = Environment(user_classes=[Shopper])
            runner = environment.create_local_runner()
            runner.start(5, 100)
            while environment.stats.total.num_requests < 20:
                gevent.sleep(0.01)
            os._exit(0)
        outcomes.append(os.waitpid(child, 0)[1] == 0)
        outcomes.append(once())
        print(json.dumps(outcomes))
        """
    )
    assert python_script(code, target.url).last_line == [True] * 4


def test_ctrl_c_while_coroutines_wait(tmp_path: Path, target: Target) -> None:
    file = tmp_path / "locustfile.py"
    file.write_text(
        PRELUDE
        + textwrap.dedent(
            """
            class Shopper(HttpUser):
                async def on_stop(self): note("stop")
                @task
                async def t(self):
                    await self.client.get("/json")
                    await asyncio.sleep(3600)
            """
        )
    )
    command = [sys.executable, "-m", "locust", "-f", str(file), "--headless", "--only-summary", "-H", target.url]
    command += ["-u", "10", "-r", "100"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=_environment(), stdout=pipe, stderr=pipe, text=True) as process:
        eventually(lambda: target.counts()["requests_finished"] == 10)
        process.send_signal(signal.SIGINT)
        out, log = process.communicate(timeout=30)
    found = json.loads(out.splitlines()[-1])
    assert found["seen"] == {"stop": 10}
    assert "Traceback" not in log
    assert eventually(lambda: nothing_is_left(found, target))


def test_the_example_runs(target: Target) -> None:
    example = Path(__file__).parent.parent / "locustfiles" / "async_user.py"
    command = [sys.executable, "-m", "locust", "-f", str(example), "--headless", "-H", target.url]
    command += ["-u", "10", "-r", "10", "-t", "2s", "-s", "10", "--only-summary", "--csv", "run"]
    done = subprocess.run([*command[:-2]], env=_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    by = target.counts()["by"]
    assert by["GET /api/profile"] == by["GET /api/cart"] == by["GET /api/orders"] > 5
