"""A server of the page that says what a test tells it to: its stream, the columns of entries, and what was posted.

The page is the built one (`webui/dist`). Time is the test's: eight hours pass as fast as the browser takes them.
"""

from __future__ import annotations

import json
import math
import mimetypes
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

DIST = Path(__file__).resolve().parents[1] / "webui" / "dist"
START = 1_767_225_600.0
"""When every run of the fake begins, in seconds of the Unix epoch."""

PHASES = ("look-up", "connect", "TLS", "sending", "waiting", "receiving")


@dataclass
class FakePage:
    """The server, from its start until it is closed."""

    url: str = ""
    posted: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    """What is answered by path and query, as JSON; other paths of the API are 404."""

    refusal: str | None = None
    """Why posts are refused."""

    _whole: dict[str, Any] = field(default_factory=dict)
    _listening: list[Queue[bytes | None]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, event: str, data: Any, whole: Any = None) -> None:
        """Send an event; who connects later is told `whole`, or the same."""
        with self._lock:
            self._whole[event] = data if whole is None else whole
            message = _message(event, data)
            for queue in self._listening:
                queue.put(message)

    def listen(self) -> Queue[bytes | None]:
        queue: Queue[bytes | None] = Queue(maxsize=64)
        with self._lock:
            self._listening.append(queue)
            first = b"".join(_message(event, data) for event, data in self._whole.items())
        queue.put(first or b": hello\n\n")
        return queue

    def leave(self, queue: Queue[bytes | None]) -> None:
        with self._lock:
            if queue in self._listening:
                self._listening.remove(queue)

    def is_heard(self) -> bool:
        """Whether a page is connected, and has taken what was said."""
        with self._lock:
            return bool(self._listening) and all(queue.empty() for queue in self._listening)

    def close(self) -> None:
        with self._lock:
            for queue in self._listening:
                queue.put(None)


def _message(event: str, data: Any) -> bytes:
    return f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


@contextmanager
def fake_page() -> Iterator[FakePage]:
    """Serve the page on a free port."""
    page = FakePage()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == "/stream":
                self._stream()
            elif self.path in page.answers:
                self._answer(json.dumps(page.answers[self.path]).encode(), "application/json")
            elif path == "/":
                args = {"state": "running", "locustfile": "shop.py", "version": "1", "is_distributed": False}
                html = (DIST / "index.html").read_text().replace("{{ template_args | tojson }}", json.dumps(args))
                self._answer(html.encode(), "text/html; charset=utf-8")
            elif (file := DIST / path.lstrip("/")).is_file():
                self._answer(file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream")
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            page.posted.append((self.path, {name: values[-1] for name, values in parse_qs(body).items()}))
            answer = {"success": page.refusal is None, "message": page.refusal or "done"}
            self._answer(json.dumps(answer).encode(), "application/json")

        def _answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", "default-src 'self'; img-src 'self' data: blob:")
            self.end_headers()
            self.wfile.write(body)

        def _stream(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            queue = page.listen()
            try:
                while (message := queue.get()) is not None:
                    self.wfile.write(message)
            except OSError:
                pass  # the page has gone
            finally:
                page.leave(queue)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    page.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield page
    finally:
        page.close()
        server.shutdown()
        server.server_close()


class FakeRun:
    """A run whose users grow and whose target has a limit, told as the engine tells it: at most 300 intervals."""

    def __init__(self, run: int = 1, profile: str | None = None, start: float = START, limit: float = 900.0) -> None:
        self.run, self.profile, self.start, self.limit = run, profile, start, limit
        self.interval = 1
        self.seconds = 0
        self.saturated: list[tuple[float, float]] = []
        self.columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        self._random = random.Random(run)
        self._told = 0

    def advance(self, seconds: int, users: int, target: int, saturated: bool = False) -> None:
        """One interval more of this length, in seconds."""
        self.seconds += seconds
        rps = min(users * 10.0, self.limit) * self._random.uniform(0.96, 1.04)
        base = 20.0 * max(1.0, users * 10.0 / self.limit) * self._random.uniform(0.95, 1.05)
        failed = int(rps * seconds * (0.01 if users * 10 > self.limit else 0.001))
        lag = base * (2.5 if saturated else 0.02)
        values = (self.seconds, users, target, lag, int(rps * seconds), failed, base, base * 2.2, base * 3.4)
        for name, value in zip(_COLUMNS, values, strict=True):
            self.columns[name].append(round(value, 3))
        if saturated and self.saturated and self.saturated[-1][1] == self.seconds - seconds:
            self.saturated[-1] = (self.saturated[-1][0], self.seconds)
        elif saturated:
            self.saturated.append((self.seconds - seconds, self.seconds))

    def halve(self) -> None:
        """Merge neighbours, as the engine does beyond 300 intervals."""
        self.interval *= 2
        for name, column in self.columns.items():
            pairs = [column[place : place + 2] for place in range(0, len(column), 2)]
            self.columns[name] = [sum(pair) if name in ("requests", "failures") else pair[-1] for pair in pairs]
        self._told = 0

    def news(self) -> dict[str, Any]:
        """What the stream says next."""
        first = max(0, self._told - 1)
        self._told = len(self.columns["ends_s"])
        return self._event(first)

    def whole(self) -> dict[str, Any]:
        """What a new connection is told."""
        return self._event(0)

    def _event(self, first: int) -> dict[str, Any]:
        columns = {name: column[first:] for name, column in self.columns.items()}
        total = {name: columns.pop(name) for name in ("requests", "failures", "p50_ms", "p95_ms", "p99_ms")}
        fixed = {"format": 1, "start": self.start, "interval_s": self.interval, "saturated": self.saturated}
        timeline = {**fixed, **columns, "lag_max_ms": columns["lag_p99_ms"], "total": total}
        return {"run": self.run, "whole": first == 0, "from": first, "timeline": timeline}

    def entry(self, share: float = 0.3, slower: float = 1.8) -> dict[str, Any]:
        """The columns of an entry that has this share of the requests."""
        counted = {name: [int(value * share) for value in self.columns[name]] for name in ("requests", "failures")}
        times = {name: [value * slower for value in self.columns[name]] for name in ("p50_ms", "p95_ms", "p99_ms")}
        head = {"run": self.run, "start": self.start, "interval_s": self.interval, "ends_s": self.columns["ends_s"]}
        return {**head, **counted, **times}

    def summary(self, *, is_over: bool = True) -> dict[str, Any]:
        return {
            "run": self.run,
            "profile": self.profile,
            "started": self.start,
            "ended": self.start + self.seconds if is_over else None,
            "seconds": self.seconds,
            "users": max(self.columns["users"], default=0),
            "requests": sum(self.columns["requests"]),
            "failures": sum(self.columns["failures"]),
        }

    def knee(self) -> dict[str, Any]:
        points: dict[int, dict[str, float]] = {}
        for place, users in enumerate(self.columns["users"]):
            rate = self.columns["requests"][place] / self.interval
            times = {name: self.columns[name][place] for name in ("p50_ms", "p95_ms", "p99_ms")}
            points[users] = {"users": users, "rps": rate, "avg_ms": times["p50_ms"], **times}
        at = self.limit / 10
        found = {"users": at, "rps": self.limit, "p50_ms": 21, "p95_ms": 45, "gain_beyond": 0.04}
        return {"found": True, "method": "a fit", "points": [points[users] for users in sorted(points)], **found}


_COLUMNS = ("ends_s", "users", "target_users", "lag_p99_ms", "requests", "failures", "p50_ms", "p95_ms", "p99_ms")


def rows(count: int, tick: int = 0) -> list[dict[str, Any]]:
    """Rows of the statistics, all of which have changed since the last tick."""
    return [_row("GET", f"/entry/{place:04}", 100 + tick + place, 5.0 + place % 90) for place in range(count)]


def total(count: int, tick: int = 0) -> dict[str, Any]:
    """The row of all of them."""
    return _row("", "Aggregated", count * (100 + tick), 42.0)


def _row(method: str, name: str, requests: int, time: float) -> dict[str, Any]:
    phases = dict(zip(PHASES, (0.0, time * 0.05, time * 0.1, 0.1, time * 0.7, time * 0.15), strict=True))
    return {
        "method": method,
        "name": name,
        "num_requests": requests,
        "num_failures": requests // 100,
        "min_response_time": 1.0,
        "max_response_time": math.ceil(time * 4),
        "avg_response_time": time,
        "median_response_time": int(time),
        "avg_content_length": 512.0,
        "current_rps": 12.4,
        "current_fail_per_sec": 0.1,
        "total_rps": 10.0,
        "total_fail_per_sec": 0.1,
        "response_time_percentile_0.95": time * 2,
        "response_time_percentile_0.99": time * 3,
        "p50_ms": time,
        "p95_ms": time * 2,
        "p99_ms": time * 3,
        "phases_ms": phases,
    }


def state(run: FakeRun | None, users: int = 0, target: int = 0, state: str = "running", **more: Any) -> dict[str, Any]:
    """The data of the event `state`."""
    return {
        "state": state,
        "host": "https://shop.example",
        "locustfile": "shop.py",
        "user_count": users,
        "target_user_count": target,
        "spawn_rate": 10.0,
        "user_classes": {"Buyer": users},
        "worker_count": 0,
        "is_distributed": False,
        "run": run.run if run else 0,
        "started": run.start if run else None,
        "ended": None,
        "run_time_s": None,
        "profile": run.profile if run else None,
        "shape": None,
        "iterations": None,
        "seed": None,
        "version": "1",
        **more,
    }
