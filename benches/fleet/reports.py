"""The reports of simulated workers: made once a second, shared by all who send in that second.

What differs from worker to worker stands at the end of a message: numbers of users, the name. So a report is a body
that hundreds of sockets send from the same memory, and a short tail. Its times are those of the second in which it is
sent.
"""

from __future__ import annotations

import random
import time
from typing import Any

import msgpack

CLASSES = ("Buyer", "Visitor")
# Kinds of bodies there are at any time, so that not every worker says the same.
VARIANTS = 4
# A tenth of the entries have failures, which the maps by second and `errors` then show.
_FAILING = 0.1
_SPAN = 3
OWN_KEYS = 6
"""How many keys of our own `tail` writes: the stamp's, and the lag."""


class Reports:
    """Bodies of reports with `entries` entries, each with `requests` requests in `buckets` different times."""

    def __init__(self, entries: int, requests: int, buckets: int, is_ours: bool, seed: int = 7) -> None:
        self.entries = entries
        # As our workers write them: each entry with its whole histogram and phases, each report with a stamp.
        self.is_ours = is_ours
        self._requests = requests
        self._buckets = buckets
        self._random = random.Random(seed)
        self._names = [f"/shop/department/{number:04}/article" for number in range(entries)]
        self._bodies: list[bytes] = []
        self._made = 0
        self.total = entries * requests
        self._empty = self._pack(self._body([], 0, time.time()))

    def body(self, number: int) -> bytes:
        """The beginning of a report of now, up to the numbers of users."""
        second = int(time.time())
        if second != self._made:
            self._made = second
            self._bodies = [self._make() for _ in range(VARIANTS)]
        return self._bodies[number % VARIANTS]

    def empty(self) -> bytes:
        return self._empty

    def _make(self) -> bytes:
        now = time.time()
        entries = [self._entry(name, "GET", self._requests, now) for name in self._names]
        return self._pack(self._body(entries, self.total, now))

    def _body(self, entries: list[dict[str, Any]], requests: int, now: float) -> dict[str, Any]:
        total = self._entry("Aggregated", "", requests, now)
        total["num_failures"] = sum(entry["num_failures"] for entry in entries)
        total["total_response_time"] = sum(entry["total_response_time"] for entry in entries)
        body = {"stats": entries, "stats_total": total, "errors": _errors(entries, now)}
        if self.is_ours:
            own = {"entries": [self._measured(entry) for entry in entries], "total": self._measured(total)}
            body |= {"stats": [], "gregaria": own}
        return body

    def _pack(self, body: dict[str, Any]) -> bytes:
        """`["stats", {… ` up to the keys that `tail` adds: of ours it begins within the last of these maps."""
        packer = msgpack.Packer()
        parts = [packer.pack_array_header(3), packer.pack("stats"), packer.pack_map_header(len(body) + 2)]
        for key, value in body.items():
            parts.append(packer.pack(key))
            if key == "gregaria":
                parts.append(packer.pack_map_header(len(value) + OWN_KEYS))
                parts += [packer.pack(part) for item in value.items() for part in item]
            else:
                parts.append(packer.pack(value))
        return b"".join(parts)

    def _entry(self, name: str, method: str, requests: int, now: float) -> dict[str, Any]:
        draw = self._random
        times: dict[int, int] = {}
        if requests:
            scale = draw.choice((1, 1, 10, 10, 100))
            keys = [scale * (10 + draw.randrange(80)) for _ in range(self._buckets)]
            for index, key in enumerate(keys):
                share = requests // self._buckets + (index < requests % self._buckets)
                times[key] = times.get(key, 0) + share
        failures = requests // 10 if requests and draw.random() < _FAILING else 0
        second = int(now)
        return {
            "name": name,
            "method": method,
            "last_request_timestamp": now - 0.01 if requests else None,
            "start_time": now - _SPAN,
            "num_requests": requests,
            "num_none_requests": 0,
            "num_failures": failures,
            "total_response_time": float(sum(key * count for key, count in times.items())),
            "max_response_time": max(times, default=0) + 0.25 if times else 0,
            "min_response_time": min(times) - 0.25 if times else None,
            "total_content_length": requests * 1234,
            "response_times": times,
            "num_reqs_per_sec": _spread(requests, second),
            "num_fail_per_sec": _spread(failures, second),
        }

    def _measured(self, entry: dict[str, Any]) -> list[Any]:
        """As our workers write it: the values alone, with all that was measured in place of rounded response times."""
        return list((entry | {"response_times": _times(self._random, entry["num_requests"])}).values())


def _spread(count: int, second: int) -> dict[int, int]:
    shares = [count // _SPAN + (index < count % _SPAN) for index in range(_SPAN)]
    return {second - age: shares[age] for age in reversed(range(_SPAN)) if shares[age]}


def _errors(entries: list[dict[str, Any]], now: float) -> dict[str, Any]:
    return {
        f"{entry['name']} failed".ljust(64, "0"): {
            "name": entry["name"],
            "method": entry["method"],
            "error": "HTTPError('503 Server Error')",
            "occurrences": entry["num_failures"],
            "first_seen": now - _SPAN,
            "last_seen": now,
        }
        for entry in entries
        if entry["num_failures"]
    }


def _times(draw: random.Random, requests: int) -> bytes:
    """The form of `src/cluster/report/compact.rs`: phases, and the gaps between cells, each counted once."""
    if not requests:
        return bytes(1)
    phases = [number for _ in range(6) for number in (draw.randrange(10**9), draw.randrange(10**8))]
    gaps = [draw.randrange(2, 300) << 1 for _ in range(requests)]
    return b"".join(map(_number, [requests, 1, requests - 1, *phases, *gaps]))


def _number(number: int) -> bytes:
    groups = bytearray()
    while number >= 0x80:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def tail(users: dict[str, int], name: str, stamp: dict[str, Any] | None) -> bytes:
    """How a report ends: the stamp of one of ours, who runs on this worker, its name."""
    keys: list[tuple[str, Any]] = []
    if stamp:
        keys += [*stamp.items(), ("lag", bytes(1))]
        assert len(keys) == OWN_KEYS
    keys += [("user_classes_count", users), ("user_count", sum(users.values()))]
    return b"".join(msgpack.packb(key) + msgpack.packb(value) for key, value in keys) + msgpack.packb(name)
