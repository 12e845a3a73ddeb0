"""Files: multipart bodies in every form that requests takes."""

from __future__ import annotations

import io
from collections import OrderedDict

from ..probe import both, fast, http


@both
def file_object(client):
    client.post("/echo", files={"file": io.BytesIO(b"content")})


@both
def file_on_disk(client, folder):
    (folder / "report.txt").write_bytes(b"on disk")
    with (folder / "report.txt").open("rb") as file:
        client.post("/echo", files={"file": file})


@http.each("text", b"bytes", bytearray(b"mutable"), "ünï", "")
def content(client, value):
    client.post("/echo", files={"file": value})


@both.each(
    ("name.txt", "content"),
    ("name.txt", b"content", "text/x"),
    ("name.txt", b"content", "text/x", {"X-Part": "1", "Expires": "0"}),
    (None, "no name"),
    ("ünï ☃.txt", b"content"),
    ('quo"te\\.txt', b"content"),
    ("", b"empty name"),
    ("name.json", b"{}", "application/json"),
)
def part(client, value):
    client.post("/echo", files={"file": value})


@both
def several(client):
    client.post("/echo", files={"one": ("1.txt", b"1"), "two": ("2.txt", b"2")})


@both
def pairs(client):
    client.post("/echo", files=[("file", ("1.txt", b"1")), ("file", ("2.txt", b"2", "text/x"))])


@http
def ordered(client):
    client.post("/echo", files=OrderedDict([("z", ("z.txt", b"z")), ("a", ("a.txt", b"a"))]))


@both
def with_data(client):
    client.post("/echo", data={"a": "1", "b": "ü"}, files={"file": ("f", b"content")})


@both
def with_data_as_pairs(client):
    client.post("/echo", data=[("a", "1"), ("a", "2")], files={"file": ("f", b"content")})


@http
def with_data_of_lists_and_bytes(client):
    client.post("/echo", data={"a": ["1", 2], "b": b"bytes", "c": None}, files={"file": ("f", b"content")})


@both
def with_data_as_text(client):
    client.post("/echo", data="text", files={"file": ("f", b"content")})


@http
def with_json(client):
    client.post("/echo", json={"a": 1}, files={"file": ("f", b"content")})


@http
def with_a_content_type_of_its_own(client):
    headers = {"Content-Type": "multipart/form-data; boundary=0123456789abcdef"}
    client.post("/echo", files={"file": ("f", b"content")}, headers=headers)


@both.each({}, [], None)
def empty(client, value):
    client.post("/echo", files=value, data={"a": 1})


@http
def fields_only(client):
    client.post("/echo", files={"a": (None, "1"), "b": (None, "2", "application/json")})


@http
def unicode_field_name(client):
    client.post("/echo", files={"fïeld": ("f", b"content")})


@http
def file_that_was_read_in_part(client):
    file = io.BytesIO(b"content")
    file.read(3)
    client.post("/echo", files={"file": file})


@both.each("put", "patch")
def with_another_verb(client, value):
    getattr(client, value)("/echo", files={"file": ("f", b"content")})


@http.each(5, "text", [5], {"file": None}, {"file": 5})
def that_cannot_be(client, value):
    client.post("/echo", files=value)


@both
def larger(client, say):
    r = client.post("/echo", files={"file": ("big.bin", b"x" * 300_000)})
    say(r.status_code, len(r.json()["body"]) > 300_000)


@both
def twice(client):
    files = {"file": ("f", b"content")}
    client.post("/echo", files=files)
    client.post("/echo", files=files)


@http
def as_sent(client, say):
    r = client.post("/json", files={"file": ("f", b"content")})
    say(type(r.request.body).__name__, len(r.request.body), r.request.headers["content-length"])


@fast
def bytes_of_the_fast_client(client):
    client.post("/echo", files={"file": b"bytes"})
