"""What becomes of values in messages, here or on Locust: prints a line for each."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
from typing import Any, NamedTuple

import msgpack

from locust.rpc import Message


class Text(str): ...


class Whole(int): ...


class Real(float): ...


class Raw(bytes): ...


class Shown(dict):
    """Its items are not those of the dict below."""

    def items(self) -> Any:
        return [("shown", 1)]


class Items(list): ...


class Pair(NamedTuple):
    a: int
    b: int


class Level(enum.IntEnum):
    LOW = 1


class Color(enum.Enum):
    RED = 1


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


cyclic: list[Any] = []
cyclic.append(cyclic)
moment = datetime.datetime(2024, 1, 2, 3, 4, 5, 6)

VALUES: list[Any] = [
    None, True, False, 0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**64, -1, -32, -33,
    -128, -129, -(2**15), -(2**31), -(2**63), -(2**63) - 1, 0.0, -0.0, 1.5, float("nan"), float("inf"), "", "é" * 20,
    "a" * 31, "a" * 32, "a" * 255, "a" * 256, "a" * 65536, "\ud800", "\0", b"", b"a" * 255, b"a" * 256, b"a" * 65536,
    bytearray(b"y"), memoryview(b"z"), [], (), {}, [0] * 15, [0] * 16, [0] * 65536, {i: i for i in range(15)},
    {i: i for i in range(16)}, (1, (2, [3])), Text("x"), Whole(5), Real(1.5), Raw(b"x"), Shown(hidden=1), Items([1]),
    Pair(1, 2), Level.LOW, Color.RED, collections.OrderedDict(b=1, a=2), collections.Counter("aab"),
    collections.defaultdict(list, a=[1]), collections.deque([1]), {1, 2}, frozenset([1]), object, range(3), 1j,
    decimal.Decimal("1.5"), moment, moment.replace(tzinfo=datetime.UTC), moment.date(), moment.time(),
    datetime.timedelta(1), {None: 1, 1.5: 2, b"a": 3, True: 4, -1: 5}, {(1, 2): 3}, {moment: 1}, {"__datetime__": 1},
    {"__datetime__": False, "as_str": "20240102T03:04:05.000006", "more": 1}, {"__datetime__": True, "as_str": "x"},
    {"__datetime__": True, "as_str": 5}, msgpack.ExtType(5, b"ab"), msgpack.Timestamp(1, 2), msgpack.Timestamp(1, 0),
    [[moment]], {"a": {"b": {1, 2}}}, nested(200), cyclic,
]  # fmt: skip

BYTES = [
    b"\x93\xa1t\xca\x3f\xc0\x00\x00\xa1n", b"\x93\xa1t\x82\xa1a\x01\xa1a\x02\xa1n", b"\x93\xa1t\xc0\xc0",
    b"\x93\xa1t\xd9\x01x\xa1n", b"\x93\xa1t\xda\x00\x01x\xa1n", b"\x93\xa1t\xcd\x00\x01\xa1n",
    b"\x93\xa1t\xd0\xff\xa1n", b"\x93\xa1t\xdc\x00\x01\x01\xa1n", b"\x93\xa1t\xde\x00\x01\x01\x02\xa1n",
    b"\x93\xa1t\xd6\xff\x00\x00\x00\x01\xa1n", b"\x93\xa1t\xc7\x0c\xff\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\xa1n",
    b"\x93\xa1t\xd4\x05a\xa1n", b"\xdc\x00\x03\xa1t\xc0\xa1n", b"\xdd\x00\x00\x00\x03\xa1t\xc0\xa1n",
]  # fmt: skip


def attempt(action: Any) -> str:
    try:
        return action()
    except Exception as e:
        return f"{type(e).__name__}: {e}"


def show(message: Message) -> str:
    return f"{message!r} {type(message.data).__name__} {message.data!r}"


for number, value in enumerate(VALUES):
    message = Message("kind", value, "node")
    print(number, attempt(lambda message=message: message.serialize().hex())[:400])
    print(number, attempt(lambda message=message: show(Message.unserialize(message.serialize())))[:400])
for data in BYTES:
    print(data.hex(), attempt(lambda data=data: show(Message.unserialize(data))))
