"""Bodies: forms, JSON, text, bytes, files, iterators."""

from __future__ import annotations

import decimal
import io
import json
from collections import OrderedDict, namedtuple
from datetime import date

from ..probe import both, fast, http

Point = namedtuple("Point", "x y")


class Sized:
    """An iterable that knows its length."""

    def __init__(self, *parts):
        self.parts = parts

    def __len__(self):
        return sum(map(len, self.parts))

    def __iter__(self):
        return iter(self.parts)


@both.each(
    {},
    [],
    "",
    0,
    False,
    None,
    1.5,
    "text",
    "ünï☃\u2028",
    {"a": None, "b": [1, 2.0, True]},
    {1: "int key", None: "none key", False: "bool key"},
    {"nested": {"deep": [{"er": [[]]}]}},
    [1e100, 1e-7, -0.0, 12345678901234567890],
    ("tuple", 1),
    OrderedDict(z=1, a=2),
    Point(1, 2),
    {"quote": 'a"b\\c/d\n\t\x00\x7f'},
)
def json_value(client, value):
    client.post("/echo", json=value)


@both.each({1, 2}, b"bytes", date(2024, 1, 1), decimal.Decimal("1.5"), {("a", "b"): 1}, float("nan"), float("inf"))
def json_that_cannot_be(client, value):
    client.post("/echo", json=value)


@both
def json_with_a_content_type_of_its_own(client):
    client.post("/echo", json={"a": 1}, headers={"Content-Type": "application/vnd.api+json"})
    client.post("/echo", json={"a": 1}, headers={"content-type": "text/plain"})


@both
def json_with_an_empty_form(client):
    client.post("/echo", data={}, json={"a": 1})
    client.post("/echo", data="", json={"a": 1})
    client.post("/echo", data=None, json={"a": 1})


@both.each("get", "put", "patch", "delete", "options")
def json_with_another_verb(client, value):
    getattr(client, value)("/echo", json={"a": 1})


@both
def json_with_request(client):
    client.request("POST", "/echo", json={"a": 1})
    client.request(method="PUT", url="/echo", json=[1])


@both.each({"a": 1, "b": "x y&z=ü"}, {"a": None}, {"a": ""}, {"a": True, "b": 1.5})
def form(client, value):
    client.post("/echo", data=value)


@http.each(
    {"a": [1, "2", None]},
    {"a": ("x", "y")},
    [("a", "1"), ("b", None), ("a", ["2", "3"])],
    (("a", "1"),),
    {b"bytes": b"value"},
    OrderedDict(z=1, a=2),
    {},
    [],
)
def form_as(client, value):
    client.post("/echo", data=value)


@fast.each({"a": [1, "2"]}, {})
def form_as_of_the_fast_client(client, value):
    client.post("/echo", data=value)


@both
def form_with_a_content_type_of_its_own(client):
    client.post("/echo", data={"a": 1}, headers={"Content-Type": "text/x"})


@both.each("put", "patch")
def form_with_another_verb(client, value):
    getattr(client, value)("/echo", data={"a": 1})


@both.each("get", "delete", "options")
def body_with_a_verb_that_rarely_has_one(client, value):
    getattr(client, value)("/echo", data="body")


@both.each("", b"", "text", "ünï☃", b"\x00\xff\xfe", bytearray(b"mutable"))
def body(client, value):
    client.post("/echo", data=value)


@both
def body_of_a_megabyte(client, say):
    r = client.post("/echo", data=b"x" * 1_000_000)
    say(r.status_code, r.json()["body"] == "x" * 1_000_000)


@both
def body_without_a_body(client):
    for verb in ("post", "put", "patch", "delete"):
        getattr(client, verb)("/echo")


@both.each(io.BytesIO, io.StringIO)
def file_object(client, value):
    client.post("/echo", data=value("from a file") if value is io.StringIO else value(b"from a file"))


@both
def file_object_that_was_read_in_part(client):
    file = io.BytesIO(b"from a file")
    file.read(5)
    client.post("/echo", data=file)


@both
def file_on_disk(client, folder):
    (folder / "file").write_bytes(b"on disk" * 1000)
    with (folder / "file").open("rb") as file:
        client.post("/echo", data=file)


@http
def file_on_disk_opened_as_text(client, folder):
    (folder / "file").write_text("text on disk")
    with (folder / "file").open() as file:
        client.post("/echo", data=file)


@http
def empty_file(client):
    client.post("/echo", data=io.BytesIO())


@http
def generator(client):
    client.post("/echo", data=(part for part in [b"one", b"two", b"three"]))


@http
def generator_of_text(client):
    client.post("/echo", data=(part for part in ["one", "zwei ü"]))


@http
def generator_that_is_empty(client):
    client.post("/echo", data=iter([]))


@http
def generator_that_raises(client):
    def parts():
        yield b"one"
        raise KeyError("in the generator")

    client.post("/echo", data=parts())


@http
def iterator_of_known_length(client):
    client.post("/echo", data=Sized(b"one", b"two"))


@http
def generator_with_a_length_of_its_own(client):
    client.post("/echo", data=(part for part in [b"one"]), headers={"Content-Length": "3"})


@both
def text_with_a_content_type(client):
    client.post("/echo", data=json.dumps({"a": "ü"}), headers={"Content-Type": "application/json"})
    client.post("/echo", data="<x/>", headers={"content-type": "text/xml"})


@both
def body_that_cannot_be(client):
    client.post("/echo", data=5)


@both
def data_by_position(client):
    client.post("/echo", "text")
    client.put("/echo", b"bytes")
    client.patch("/echo", {"a": 1})


@both
def a_hundred_fields(client):
    client.post("/echo", data={f"field{n}": n for n in range(100)})
