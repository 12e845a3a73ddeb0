"""Requests that fail: the exceptions told apart, as raised, as kept and as reported."""

from __future__ import annotations

import socket
from contextlib import closing

import gevent
import requests

from ..probe import both, fast, http


def causes(error):
    chain = []
    while error is not None and len(chain) < 8:
        chain.append(type(error).__name__)
        error = error.__context__ or error.__cause__
    return chain


@http.each(
    "http://127.0.0.1:1/",
    "http://nothing.invalid/",
    "/close",
    "/reset",
    "/close-mid-body",
    "/reset-mid-body",
    "/bad-chunk",
    "/encoded/gzip-corrupt",
    "/garbage",
    "/redirect/40",
    "https://127.0.0.1:1/",
)
def error_of(client, say, value):
    r = client.get(value)
    error = r.error
    say(type(error).__name__, isinstance(error, requests.ConnectionError), isinstance(error, requests.Timeout))
    say(isinstance(error, OSError), r.status_code)
    r.raise_for_status()


@http.each("/garbage", "/two-lengths", "/length-and-chunked", "/huge-header?bytes=100000", "/endless-headers")
def malformed_answer(client, say, value):
    r = client.get(value)
    say(r.status_code, len(r.content or b""))


@fast.each("/garbage", "/two-lengths", "/length-and-chunked", "/huge-header?bytes=100000")
def malformed_answer_fast(client, say, value):
    r = client.get(value)
    say(r.status_code)


@http
def connect_timeout(client, say):
    with closing(socket.socket()) as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with closing(socket.create_connection(full.getsockname())):
            url = f"http://127.0.0.1:{full.getsockname()[1]}/x"
            r = client.get(url, timeout=(0.1, 5), name="full")
            say(r.status_code, type(r.error).__name__, isinstance(r.error, requests.Timeout))


@http
def read_timeout(client, say):
    r = client.get("/delay?ms=3000", timeout=0.05)
    say(
        type(r.error).__name__, isinstance(r.error, requests.ReadTimeout), isinstance(r.error, requests.ConnectionError)
    )


@http.each(0.05, (None, 0.05), (5, 0.05), (0.05, None), (5, 5), None, 5)
def timeout(client, say, value):
    say(client.get("/delay?ms=200", timeout=value).status_code)


@http.each(0, -1, (1, 2, 3), "text", "5", (0, 1), True, [1, 1])
def timeout_that_cannot_be(client, say, value):
    say(client.get("/json", timeout=value).status_code)


@http
def slow_head(client, say):
    say(client.get("/slow-head?ms=300", timeout=0.1).status_code)


@http
def slow_body_that_moves(client, say):
    say(client.get("/drip?bytes=5&ms=40", timeout=0.15).status_code)


@both
def silence_after_the_head(user, another, client, other, say):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
    if hasattr(client, "mount"):
        r = client.get(f"{other}/late/{head.hex()}", timeout=0.1, name="late")
    else:
        r = another(user, network_timeout=0.1).client.get(f"{other}/late/{head.hex()}", name="late")
    say(r.status_code)


@http.each(
    "http://",
    "http:///path",
    "http://:80/",
    "http://host:port/",
    "http://host:99999/",
    "http://[::1/",
    "http://ho st/",
    "http://.example/",
    "http://" + "a" * 70 + ".example/",
    "http://*.example/",
    "https://",
)
def url_that_is_none(client, value):
    client.get(value)


@http.each("ftp://127.0.0.1/", "nonsense", "//127.0.0.1/", "localhost:80/x", "", "mailto:a@b", "file:///etc/passwd")
def scheme_that_is_none(client, value):
    client.base_url = ""
    client.get(value)


@fast.each("http://", "http://127.0.0.1:port/", "http://127.0.0.1:99999/", "http://ho st/", "http://a..b/")
def url_that_is_none_fast(client, say, value):
    say(client.get(value).status_code)


@fast.each("ftp://127.0.0.1/", "nonsense", "//127.0.0.1/", "")
def scheme_that_is_none_fast(client, say, value):
    client.base_url = ""
    say(client.get(value).status_code)


@http
def base_url_joined_without_a_slash(client):
    client.get("json")


@http
def base_url_none(client):
    client.base_url = None
    client.get("/json")


@both
def many_failures_in_a_row(client, say):
    say([client.get("/reset").status_code for _ in range(3)], client.get("/json").status_code)


@both
def refused_under_a_name(client, say):
    say(client.get("http://127.0.0.1:1/x?q=1", name="named").status_code)
    say(client.post("http://127.0.0.1:1/x", data="body").status_code)


@both
def kept_connection_that_the_server_closed(client, say):
    say(client.get("/close-after").status_code)
    gevent.sleep(0.05)  # or the close is still on its way, and what follows is a race
    say(client.post("/echo", data="x").status_code)


@http
def error_pickles(client, say):
    import pickle

    error = client.get("http://127.0.0.1:1/").error
    say(type(pickle.loads(pickle.dumps(error))).__name__)


@http
def error_has_its_causes(client, say):
    for path in ("http://127.0.0.1:1/", "http://nothing.invalid/", "/close"):
        error = client.get(path).error
        say(type(error.args[0]).__name__, len(error.args))


@both
def head_of_a_failure(client, say):
    say(client.head("/status/404").status_code, client.head("/close").status_code)


@both.each(b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")
def body_that_must_not_be(client, other, say, value):
    r = client.get(f"{other}/raw/{value.hex()}", name="raw")
    say(r.status_code, len(r.content))


@both
def expecting(client, say):
    say(client.post("/echo", data="x" * 10, headers={"Expect": "100-continue"}).status_code)
