"""Thousands of workers in one process, over sockets of their own: `workers.py --port 5557 --workers 1500`.

Each does what the protocol asks of a worker: says that it is ready until it is acknowledged, sends a heartbeat each
second and a report each three, answers `spawn`, `stop` and `quit`, and queues as ZeroMQ does when the master does not
read. None has users: what it reports is invented, of the size asked for.

Once a second a line of JSON on standard output says how the master does: how long answers to heartbeats take, how much
of what was due has not been taken. SIGTERM makes all workers quit.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import resource
import select
import signal
import socket
import sys
import time
import uuid
from collections import deque
from typing import Any

import msgpack

import zmtp
from reports import CLASSES, Reports, tail

HEARTBEAT = 1.0
REPORT = 3.0
AGAIN = 5.0
# ZeroMQ's own limit of messages that wait for a peer.
HIGH_WATER = 1000
MOST_AT_ONCE = 64


class Worker:
    """One connection, and what its master believes of it."""

    def __init__(self, fleet: Fleet, number: int) -> None:
        self.fleet = fleet
        self.number = number
        self.name = f"sim{number % fleet.hosts}_{uuid.UUID(int=fleet.draw.getrandbits(128)).hex}"
        self.users = dict.fromkeys(CLASSES, 0)
        self.state = "ready"
        self.acked = False
        self.over = False
        self.asked: deque[float] = deque()
        self._stamp = {"instance": number + 1, "sequence": 0, "test": 0, "counted": 0, "clock": 0.0}
        self._out: deque[memoryview] = deque()
        self._writing = False
        self._reader = zmtp.Reader(self.name.encode())
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(self.fleet.address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.fleet.poll.register(self.socket, select.EPOLLIN)
        self._queue(zmtp.GREETING)

    # What it says

    def say(self, kind: str, data: Any) -> None:
        body = msgpack.packb([kind, data, self.name])
        self._queue(zmtp.head(len(body)) + body)

    def beat(self) -> None:
        self.asked.append(time.perf_counter())
        self.fleet.beats += 1
        data = {"state": self.state, "current_cpu_usage": 42.5, "current_memory_usage": 123456789}
        if self.fleet.reports.is_ours:
            data["gregaria"] = {**self._stamp, "clock": time.time()}
        self.say("heartbeat", data)

    def report(self) -> None:
        reports = self.fleet.reports
        busy = self.state != "ready"
        if len(self._out) > 3 * HIGH_WATER:
            self.fleet.dropped += 1
            return
        body = reports.body(self.number) if busy else reports.empty()
        self._stamp["sequence"] += 1
        if busy:
            self.fleet.requests += reports.total
            self.fleet.sent += 1
            self._stamp["counted"] += reports.total
        end = tail(self.users, self.name, {**self._stamp, "clock": time.time()} if reports.is_ours else None)
        self._queue(zmtp.head(len(body) + len(end)), body, end)

    def quit(self) -> None:
        self.over = True
        self.say("quit", None)

    # What it is told

    def told(self, kind: str, data: Any) -> None:
        if self.over:
            return
        if kind == "heartbeat":
            if self.asked:
                self.fleet.answered.append(time.perf_counter() - self.asked.popleft())
        elif kind == "ack":
            self.acknowledged()
        elif kind == "spawn":
            self.spawn(data["user_classes_count"])
        elif kind == "stop":
            self.stop()
        elif kind == "quit":
            self.quit()

    def acknowledged(self) -> None:
        if self.acked:
            return
        self.acked = True
        # Spread over the interval, as workers are that started one after the other.
        self.fleet.due(self.fleet.draw.random() * HEARTBEAT, self.number, HEARTBEAT)
        self.fleet.due(self.fleet.draw.random() * REPORT, self.number, REPORT)

    def spawn(self, users: dict[str, int]) -> None:
        self.fleet.spawns += 1
        self.say("spawning", None)
        if self.state == "ready":
            self._stamp.update(test=self._stamp["test"] + 1, counted=0)
        self.state = "running"
        self.users = users
        self.say("spawning_complete", {"user_classes_count": self.users, "user_count": sum(self.users.values())})

    def stop(self) -> None:
        self.users = dict.fromkeys(self.users, 0)
        self.state = "ready"
        self.say("client_stopped", None)
        self.say("client_ready", "2.47.0")

    # The socket

    def _queue(self, *parts: bytes) -> None:
        self._out.extend(memoryview(part) for part in parts)
        if not self._writing:
            self.write()

    def write(self) -> None:
        out = self._out
        try:
            while out:
                sent = self.socket.sendmsg([out[index] for index in range(min(len(out), MOST_AT_ONCE))])
                while out and sent >= len(out[0]):
                    sent -= len(out.popleft())
                if sent:
                    out[0] = out[0][sent:]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if bool(out) != self._writing:
            self._writing = bool(out)
            self.fleet.poll.modify(self.socket, select.EPOLLIN | (select.EPOLLOUT if out else 0))

    def read(self) -> None:
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        shaken = self._reader.ready
        for message in self._reader.feed(data):
            kind, content, _ = msgpack.unpackb(message, strict_map_key=False)
            self.told(kind, content)
        while self._reader.answers:
            self._queue(self._reader.answers.pop(0))
        if self._reader.ready and not shaken:
            self.say("client_ready", "2.47.0")

    def waiting(self) -> int:
        """Bytes that the master has not taken."""
        return sum(len(part) for part in self._out)

    def close(self) -> None:
        self.over = True
        self.fleet.gone += 1
        self.fleet.leave(self)


class Fleet:
    """All workers, one epoll, one list of what is due."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.draw = random.Random(11)
        self.address = (arguments.host, arguments.port)
        self.hosts = max(1, arguments.workers // 16)
        self.reports = Reports(arguments.entries, arguments.requests, arguments.buckets, arguments.form == "gregaria")
        self.poll = select.epoll()
        self.workers: list[Worker] = []
        self._wanted = arguments.workers
        self._by_descriptor: dict[int, Worker] = {}
        self._due: list[tuple[float, int, float]] = []
        self.ending = False
        self.answered: list[float] = []
        self.beats = self.spawns = self.sent = self.requests = self.dropped = self.gone = 0

    def due(self, after: float, number: int, every: float) -> None:
        heapq.heappush(self._due, (time.monotonic() + after, number, every))

    def leave(self, worker: Worker) -> None:
        self._by_descriptor.pop(worker.socket.fileno(), None)
        self.poll.unregister(worker.socket)
        worker.socket.close()

    def run(self) -> None:
        said = time.monotonic()
        while not self.finished():
            self.join()
            self.turn()
            if time.monotonic() - said >= 1:
                said += 1
                self.tell()
        self.tell()

    def finished(self) -> bool:
        return bool(self.workers) and all(worker.over and not worker.waiting() for worker in self.workers)

    def join(self) -> None:
        """A few workers more, until all are there."""
        for number in range(len(self.workers), min(len(self.workers) + 10, self._wanted)):
            worker = Worker(self, number)
            self.workers.append(worker)
            self._by_descriptor[worker.socket.fileno()] = worker
            self.due(AGAIN, number, AGAIN)

    def turn(self) -> None:
        joining = len(self.workers) < self._wanted
        until = max(0.0, self._due[0][0] - time.monotonic()) if self._due else 0.1
        for descriptor, event in self.poll.poll(0.001 if joining else min(until, 0.1)):
            worker = self._by_descriptor.get(descriptor)
            if worker is not None and event & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                worker.read()
            if event & select.EPOLLOUT and descriptor in self._by_descriptor:
                self._by_descriptor[descriptor].write()
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            self.act(*heapq.heappop(self._due))

    def act(self, at: float, number: int, every: float) -> None:
        worker = self.workers[number]
        if worker.over:
            return
        if every == AGAIN:
            if worker.acked:
                return
            worker.say("client_ready", "2.47.0")
        elif every == HEARTBEAT:
            worker.beat()
        else:
            worker.report()
        heapq.heappush(self._due, (max(at + every, time.monotonic() - every), number, every))

    def end(self) -> None:
        for worker in self.workers:
            if not worker.over:
                worker.quit()

    def tell(self) -> None:
        answered, self.answered = sorted(self.answered), []
        now = time.perf_counter()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        line = {
            "connected": len(self._by_descriptor),
            "acked": sum(worker.acked for worker in self.workers),
            "running": sum(worker.state == "running" for worker in self.workers),
            "users": sum(sum(worker.users.values()) for worker in self.workers),
            "beats": self.beats,
            "answers": len(answered),
            "answer_ms": [round(answered[int(len(answered) * share)] * 1000, 2) for share in (0.5, 0.99)]
            if answered
            else None,
            # A master forgets who is not heard for some five seconds; a worker waits sixty for an answer.
            "unanswered": sum(bool(worker.asked) and now - worker.asked[0] > 5 for worker in self.workers),
            "reports": self.sent,
            "requests": self.requests,
            "waiting_bytes": sum(worker.waiting() for worker in self.workers),
            "dropped": self.dropped,
            "gone": self.gone,
            "spawns": self.spawns,
            "cpu": round(usage.ru_utime + usage.ru_stime, 3),
        }
        print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="the master's (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=5557, help="the master's (default: 5557)")
    parser.add_argument("--workers", type=int, default=1500)
    parser.add_argument("--entries", type=int, default=500, help="of each report (default: 500)")
    parser.add_argument("--requests", type=int, default=6, help="of each entry of a report (default: 6)")
    parser.add_argument("--buckets", type=int, default=4, help="different response times of an entry (default: 4)")
    parser.add_argument("--form", choices=["locust", "gregaria"], default="locust", help="whose workers they are")
    arguments = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most < arguments.workers + 32:
        sys.exit(f"{arguments.workers} workers need as many file descriptors, and {most} are allowed: `ulimit -n`")
    fleet = Fleet(arguments)
    signal.signal(signal.SIGTERM, lambda *_: fleet.end())
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    fleet.run()


if __name__ == "__main__":
    main()
