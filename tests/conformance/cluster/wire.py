"""Both ends of the protocol, written anew on pyzmq: a master and workers that say what a case has them say."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgpack
import zmq

from ..harness import masked, without_foreign_frames

PATIENCE = 40
"""Seconds that anything may take."""

MOMENT = 0.3
"""Seconds in which what was said at once has arrived; only waited for to see that nothing did."""

QUIET = ("heartbeat", "stats", "logs")
"""What nodes say whenever their time has come, whatever else they do."""

EXTRA = "gregaria"
"""Where our nodes tell each other more. Locust's ignore it."""

VOLATILE = re.compile(
    "^(timestamp|.*_timestamp|start_time|.*_seen|current_cpu_usage|current_memory_usage|time|duration)$"
)


@dataclass(frozen=True)
class Message:
    kind: Any
    data: Any
    node_id: Any

    def text(self, me: str) -> str:
        """As it is compared: every value and its type, the order of keys, and of what is volatile the type."""
        whose = "me" if self.node_id == me else repr(self.node_id)
        return f"{self.kind} {comparable(self.data, me)!r} {whose}"


class _Masked:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def comparable(value: Any, me: str = "") -> Any:
    match value:
        case {"msg": str(), "traceback": str(traceback)}:
            # The engine has none of the frames between the user and the locustfile.
            frames = [line.split(", ")[1:] for line in traceback.splitlines() if "locustfile.py" in line]
            return {"msg": value["msg"], "traceback": frames}
        case dict():
            return {key: _item(key, item, me) for key, item in value.items() if key != EXTRA}
        case list():
            return [comparable(item, me) for item in value]
        case str():
            text = value.replace(me, "ME") if me else value
            text = re.sub(r"\S+_[0-9a-f]{32}", "WORKER", masked(text))
            return "\n".join(without_foreign_frames(re.sub(r'"[^"]*/([^"/]*)"', r'"FOLDER/\1"', text).splitlines()))
        case _:
            return value


def _item(key: Any, value: Any, me: str) -> Any:
    if isinstance(key, str) and VOLATILE.match(key):
        # Whole or not, it is a number; which of the two is chance.
        return _Masked("<number>" if isinstance(value, int | float) else f"<{type(value).__name__}>")
    if key in ("total_response_time", "min_response_time", "max_response_time") and isinstance(value, int | float):
        return float(value)
    if key in ("num_reqs_per_sec", "num_fail_per_sec"):
        return {_Masked(f"<{name}>"): sum(value.values()) for name in {type(each).__name__ for each in value}}
    return comparable(value, me)


def encoded(kind: Any, data: Any = None, node_id: Any = None) -> bytes:
    return msgpack.packb([kind, data, node_id], use_bin_type=True, datetime=False)


def decoded(payload: bytes) -> Message:
    return Message(*msgpack.unpackb(payload, raw=False, strict_map_key=False))


def waited_for(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """What it gives as soon as that is something. It waits itself, a little."""
    end = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain for {what}"
    return found


class ScriptedMaster:
    """One that says nothing of its own accord, except that it acknowledges and answers heartbeats if that is wished."""

    def __init__(self, port: int = 0) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        if port:
            self._socket.bind(f"tcp://127.0.0.1:{port}")
        self.port: int = port or self._socket.bind_to_random_port("tcp://127.0.0.1")
        self.acks = True
        self.answers = True
        self.index = 0
        self.worker = b""
        """Who spoke last."""
        self.heard: list[Message] = []
        self.senders: list[bytes] = []
        self._at = 0

    @property
    def me(self) -> str:
        """The worker's id."""
        return self.worker.decode()

    def close(self) -> None:
        self._context.destroy(linger=0)

    def send(self, kind: Any, data: Any = None, node_id: Any = "") -> None:
        self.send_raw(encoded(kind, data, self.me if node_id == "" else node_id))

    def send_raw(self, payload: bytes) -> None:
        self._socket.send_multipart([self.worker, payload])

    def send_to(self, peer: bytes, kind: Any, data: Any = None) -> None:
        """To one that is no worker."""
        self._socket.send_multipart([peer, encoded(kind, data, peer.decode())])

    def read(self, patience: float = 0.02) -> bool:
        """Take in one message, if there is one."""
        if not self._socket.poll(patience * 1000):
            return False
        sender, *frames = self._socket.recv_multipart()
        assert len(frames) == 1, frames
        message = decoded(frames[0])
        self.heard.append(message)
        self.senders.append(sender)
        if not sender.decode().partition("_download_")[1]:
            self.worker = sender
        if message.kind == "client_ready" and self.acks:
            self.send("ack", {"index": self.index})
        elif message.kind == "heartbeat" and self.answers:
            self.send("heartbeat")
        return True

    def until(self, *kinds: str, count: int = 1, patience: float = PATIENCE) -> Message:
        """The next message of these kinds that was not yet asked for, or the `count`-th."""

        def found() -> int | None:
            places = [at for at in range(self._at, len(self.heard)) if self.heard[at].kind in kinds]
            if len(places) >= count:
                return places[count - 1] + 1
            self.read()
            return None

        try:
            self._at = waited_for(found, f"{kinds}", patience)
        except AssertionError as error:
            raise AssertionError(f"{error}; heard {[each.kind for each in self.heard[self._at :]]}") from None
        return self.heard[self._at - 1]

    def for_a_moment(self, seconds: float = MOMENT) -> None:
        """Take in what comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read()

    def forget(self) -> None:
        """What was heard so far is no part of the case."""
        while self.read(0):
            pass
        self._at = len(self.heard)
        self.since = self._at

    since = 0

    def conversation(self, but: Sequence[str] = QUIET) -> list[str]:
        return [each.text(self.me) for each in self.heard[self.since :] if each.kind not in but]


class ScriptedWorker:
    """One that says what it is told to, and, when it is `obedient`, does as a worker has to."""

    def __init__(self, context: zmq.Context[Any], port: int, name: str, mark: str = "") -> None:
        self.name = name
        self.identity = identity = name + mark
        self.socket = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.IDENTITY, identity.encode())
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(f"tcp://127.0.0.1:{port}")
        self.obedient = True
        self.reports = True
        """Whether it says how many users it has as soon as it has them."""
        self.beats = False
        self.state = "ready"
        self.users: dict[str, int] = {}
        self.heard: list[Message] = []
        self.at = 0
        self._next_beat = 0.0

    def send(self, kind: Any, data: Any = None, node_id: Any = "") -> None:
        self.send_raw(encoded(kind, data, self.identity if node_id == "" else node_id))

    def send_raw(self, payload: bytes) -> None:
        self.socket.send(payload)

    def beat(self, **changed: Any) -> None:
        data = {"state": self.state, "current_cpu_usage": 1.5, "current_memory_usage": 1000, **changed}
        self.send("heartbeat", {key: value for key, value in data.items() if value is not None})

    def read(self) -> bool:
        if not self.socket.poll(0):
            return False
        frames = self.socket.recv_multipart()
        assert len(frames) == 1, frames
        self.heard.append(decoded(frames[0]))
        if self.obedient:
            self._obey(self.heard[-1])
        return True

    def breathe(self) -> None:
        """Its heart beats in its own time."""
        if self.beats and time.monotonic() > self._next_beat:
            self._next_beat = time.monotonic() + 0.1
            self.beat()

    def _obey(self, message: Message) -> None:
        match message.kind:
            case "spawn":
                self.state = "spawning"
                self.send("spawning")
                self.users = dict(message.data["user_classes_count"])
                if self.reports:
                    self.complete()
            case "stop":
                self.users = dict.fromkeys(self.users, 0)
                self.state = "ready"
                self.send("client_stopped")
                self.send("client_ready", "2.47.0")

    def complete(self) -> None:
        self.state = "running"
        counts = {"user_classes_count": self.users, "user_count": sum(self.users.values())}
        self.send("spawning_complete", counts)

    def report(self, *entries: dict[str, Any], errors: dict[str, Any] | None = None, **more: Any) -> None:
        total = entry("Aggregated", "", sum(each.get("num_requests", 0) for each in entries))
        for key in ("num_failures", "total_response_time", "total_content_length", "num_none_requests"):
            total[key] = sum(each.get(key, 0) for each in entries)
        for each in entries:
            total["max_response_time"] = max(total["max_response_time"], each.get("max_response_time", 0))
            for key in ("response_times", "num_reqs_per_sec", "num_fail_per_sec"):
                for at, number in each.get(key, {}).items():
                    total[key][at] = total[key].get(at, 0) + number
        total["min_response_time"] = min(
            (each["min_response_time"] for each in entries if each.get("min_response_time") is not None), default=None
        )
        data = {
            "stats": list(entries),
            "stats_total": total,
            "errors": errors or {},
            "user_classes_count": self.users,
            "user_count": sum(self.users.values()),
            **more,
        }
        self.send("stats", {key: value for key, value in data.items() if value is not ...})

    @property
    def steps(self) -> list[dict[str, int]]:
        """What the spawn messages asked for, one after the other."""
        return [each.data["user_classes_count"] for each in self.heard if each.kind == "spawn"]

    def conversation(self, but: Sequence[str] = ("heartbeat",)) -> list[str]:
        return [each.text(self.identity) for each in self.heard if each.kind not in but]


def entry(
    name: str, method: str = "GET", requests: int = 1, *, times: Iterable[int] = (), failures: int = 0, **more: Any
) -> dict[str, Any]:
    """One row of a report."""
    taken = list(times)
    return {
        "name": name,
        "method": method,
        "last_request_timestamp": 1767225602.75 if requests else None,
        "start_time": 1767225600.0,
        "num_requests": requests,
        "num_none_requests": requests - len(taken) if taken else 0,
        "num_failures": failures,
        "total_response_time": sum(taken),
        "max_response_time": max(taken, default=0),
        "min_response_time": min(taken, default=None),
        "total_content_length": 0,
        "response_times": {time: taken.count(time) for time in sorted(set(taken))},
        "num_reqs_per_sec": {1767225602: requests} if requests else {},
        "num_fail_per_sec": {1767225602: failures} if failures else {},
        **more,
    }


class Crowd:
    """Scripted workers of one master. They live while somebody waits for something."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._context = zmq.Context()
        self.workers: list[ScriptedWorker] = []
        self.mark = ""
        """What ends their names in this case."""
        self._numbers = itertools.count()

    def close(self) -> None:
        self._context.destroy(linger=0)

    def worker(self, name: str, mark: str = "") -> ScriptedWorker:
        made = ScriptedWorker(self._context, self.port, name, mark)
        self.workers.append(made)
        return made

    def leave(self, worker: ScriptedWorker) -> None:
        """Gone without a word."""
        self.workers.remove(worker)
        worker.socket.close(linger=0)

    def live(self) -> None:
        """A turn of everybody's life, and a short wait when nothing happened."""
        heard = [worker.read() for worker in self.workers]
        for worker in self.workers:
            worker.breathe()
        if not any(heard):
            time.sleep(0.005)

    def until(self, condition: Callable[[], Any], what: str = "") -> Any:
        def asked() -> Any:
            self.live()
            return condition()

        return waited_for(asked, what)

    def for_a_moment(self, seconds: float = MOMENT) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.live()

    def hears(self, worker: ScriptedWorker, kind: str, count: int = 1) -> Message:
        """The next message of this kind that was not yet asked for."""

        def found() -> int | None:
            places = [at for at in range(worker.at, len(worker.heard)) if worker.heard[at].kind == kind]
            return places[count - 1] + 1 if len(places) >= count else None

        heard = f"; it heard {[each.kind for each in worker.heard]}"
        worker.at = self.until(found, f"{kind} at {worker.identity}{heard}")
        return worker.heard[worker.at - 1]
