"""Responses of `HttpUser`: every attribute, in every state."""

from __future__ import annotations

import copy
import datetime
import json
import pickle

import requests

from ..probe import http

BODIES = {
    "plain": ("ünï", "text/plain"),
    "utf-8": ("ünï", "text/plain; charset=utf-8"),
    "latin-1": ("ünï", "text/plain; charset=iso-8859-1"),
    "quoted": ("ünï", 'text/html; charset="utf-8"'),
    "unknown": ("ünï", "text/plain; charset=nonsense"),
    "json": ('{"a": "ü"}', "application/json"),
    "json with charset": ('{"a": "ü"}', "application/json; charset=latin-1"),
    "no type": ("ünï", ""),
    "xml": ('<?xml version="1.0" encoding="latin-1"?><a/>', "application/xml"),
    "capitals": ("ü", "TEXT/HTML; CHARSET=UTF-8"),
    "empty": ("", "text/plain"),
    "byte order mark": ("\ufeffmarked", "text/plain; charset=utf-8"),
}


@http.each(*BODIES)
def text(client, target, say, value):
    body, kind = BODIES[value]
    target.respond("/text", body=body, headers={"content-type": kind} if kind else {})
    r = client.get("/text")
    say(r.encoding, r.text, len(r.content), r.apparent_encoding)


@http
def text_of_another_encoding(client, target, say):
    target.respond("/text", body="ünï", headers={"content-type": "text/plain"})
    r = client.get("/text")
    say(r.text)
    r.encoding = "utf-8"
    say(r.text, r.encoding)
    r.encoding = None
    say(r.text)
    r.encoding = "nonsense"
    say(r.text)


@http.each(
    '{"a": 1}', "[1, 2.5, null]", '"text"', "5", "null", "", " ", "{", "{'a': 1}", "[1,]", "NaN", "<html>", "\ufeff{}"
)
def json_of(client, target, say, value):
    target.respond("/it", body=value, headers={"content-type": "application/json"})
    say(client.get("/it").json())


@http
def json_with_arguments(client, target, say):
    target.respond("/it", body='{"a": 1.5, "b": 2}', headers={"content-type": "application/json"})
    r = client.get("/it")
    say(r.json(parse_float=str), r.json(object_pairs_hook=list), r.json(parse_int=float))
    r.json(nonsense=1)


@http
def json_error(client, say):
    try:
        client.get("/bytes/5").json()
    except requests.exceptions.JSONDecodeError as error:
        say(isinstance(error, json.JSONDecodeError), isinstance(error, requests.exceptions.InvalidJSONError))
        say(error.msg, error.pos, error.lineno, error.colno, len(error.doc), error.response is None)


@http
def json_changed_is_read_anew(client, say):
    r = client.get("/json")
    one = r.json()
    one["changed"] = 1
    say("changed" in r.json())


@http
def headers(client, target, say):
    target.respond("/it", headers={"X-One": "1", "x-two": ["a", "b"], "X-Empty": ""})
    h = client.get("/it").headers
    say(type(h).__name__, h["x-one"], h["X-TWO"], h["x-empty"], h.get("none"), h.get("none", 5), "x-ONE" in h)
    say(
        sorted(k for k in h if k.lower().startswith("x-")),
        sorted(v for k, v in h.items() if k.lower().startswith("x-")),
    )
    say(h.copy() == h, dict(h)["X-One"], len(list(h.keys())) == len(h))
    h["none"]


@http
def headers_may_be_changed(client, say):
    r = client.get("/json")
    r.headers["X-New"] = "1"
    del r.headers["content-type"]
    say(r.headers["x-new"], "content-type" in r.headers)


@http
def header_in_latin_1(client, other, say):
    head = b"HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nX-Utf: \xc3\xa9\r\nContent-Length: 0\r\n\r\n"
    r = client.get(f"{other}/raw/{head.hex()}")
    say(r.headers["x-name"], r.headers["x-utf"])


@http.each(
    b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 299 Own  Words \r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 404 caf\xe9\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nto the end",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end",
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    b"HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 999 Much\r\nContent-Length: 0\r\n\r\n",
)
def head(client, other, say, value):
    r = client.get(f"{other}/raw/{value.hex()}", name="raw")
    say(r.status_code, r.reason, r.text, sorted(r.headers.items()))


@http
def elapsed(client, say):
    r = client.get("/delay?ms=30")
    say(type(r.elapsed) is datetime.timedelta, 0.03 <= r.elapsed.total_seconds() < 0.5)


@http
def cookies(client, say):
    r = client.get("/cookies/set?a=1", allow_redirects=False)
    say(type(r.cookies).__name__, dict(r.cookies), r.cookies["a"], r.cookies.get("none"))
    say(dict(client.get("/json").cookies))


@http
def links(client, target, say):
    link = '<https://h/?page=2>; rel="next", </first>; rel=first; title="x"'
    target.respond("/it", headers={"link": link})
    say(client.get("/it").links, client.get("/json").links)


@http
def request(client, say):
    r = client.post("/echo?q=1", json={"a": 1}, headers={"X-A": "1"}, params={"p": 2})
    q = r.request
    say(type(q).__name__, q.method, q.url, q.path_url, q.body, sorted(q.headers.items()), q.hooks)
    say(client.get("/json").request.body, client.post("/json", data={"a": 1}).request.body)
    say(type(client.post("/json", data="ü").request.body).__name__)


@http
def request_cookies(client, say):
    client.cookies.set("a", "1")
    r = client.get("/json", cookies={"b": "2"})
    say(r.request.headers["Cookie"], dict(r.request._cookies))


@http
def iterating(client, say):
    r = client.get("/json")
    say([len(part) for part in r.iter_content(10)], [len(part) for part in r], len(list(r.iter_lines())))
    say([part for part in r.iter_content(10, decode_unicode=True)][:1])
    list(r.iter_content("x"))


@http
def raw(client, say):
    r = client.get("/json")
    say(r.raw.status, r.raw.reason, r.raw.version, r.raw.read(), r.raw.headers.get("content-type"))


@http
def raw_headers_of_several_lines(client, target, say):
    target.respond("/it", headers={"x-two": ["a", "b"]})
    r = client.get("/it")
    say(r.raw.headers.getlist("x-two"), r.raw.headers["x-two"])


@http
def ok_and_bool(client, say):
    for status in (200, 204, 302, 399, 400, 500):
        r = client.get(f"/status/{status}", allow_redirects=False)
        say(r.ok, bool(r), not r)


@http
def ok_of_a_connection_error(client):
    bool(client.get("http://127.0.0.1:1/"))


@http
def ok_after_failure(client):
    with client.get("/json", catch_response=True) as r:
        r.failure("no")
        r.ok


@http
def ok_after_success(client, say):
    with client.get("/status/500", catch_response=True) as r:
        r.success()
        say(r.ok, bool(r))


@http
def repr_of_it(client, say):
    say(repr(client.get("/json")), repr(client.get("/status/404")), str(client.get("/status/201")))


@http
def pickled(client, say):
    r = client.get("/redirect/1")
    again = pickle.loads(pickle.dumps(r))
    say(type(again).__name__, again.status_code, again.text, again.url, again.encoding, again.reason)
    say(sorted(again.headers), len(again.history), dict(again.cookies), again.elapsed == r.elapsed, again.request.url)


@http
def copied(client, say):
    r = client.get("/json")
    again = copy.copy(r)
    say(again.status_code, again.text, again.url, type(again).__name__)
    deep = copy.deepcopy(r)
    say(deep.text, deep.headers == r.headers)


@http
def compared_and_kept(client, say):
    r = client.get("/json")
    say(r == r, r == client.get("/json"), len({r, r}), isinstance(r, requests.Response))


@http
def attributes_of_a_locustfiles_own(client, say):
    r = client.get("/json")
    r.note = "mine"
    say(r.note, hasattr(r, "missing"))
    r.missing


@http
def attributes_that_are_set(client, say):
    r = client.get("/json")
    r._content, r.status_code, r.reason, r.url = b'{"set": 1}', 201, "Set", "http://set/"
    say(r.content, r.json(), r.status_code, r.reason, r.url, r.ok)


@http
def state(client, say):
    say(sorted(client.get("/json").__getstate__()))


@http
def closed(client, say):
    r = client.get("/json")
    r.close()
    say(r.text, r.status_code)


@http
def connection(client, say):
    r = client.get("/json")
    say(hasattr(r, "connection"), isinstance(r.connection, requests.adapters.BaseAdapter))


@http.each(400, 401, 403, 404, 409, 418, 429, 500, 502, 503, 504)
def raise_for_status(client, value):
    client.get(f"/status/{value}").raise_for_status()


@http
def raise_for_status_of_a_good_one(client, say):
    say(client.get("/status/201").raise_for_status(), client.get("/redirect/1").raise_for_status())


@http
def raise_for_status_has_both(client, say):
    try:
        client.post("/status/404", data="x").raise_for_status()
    except requests.HTTPError as error:
        say(error.response.status_code, error.request.method, error.request.body, error.errno)


@http
def of_a_connection_error(client, say):
    r = client.get("http://127.0.0.1:1/x")
    say(r.status_code, r.content, r.text, dict(r.headers), r.history, r.url, r.reason, r.encoding, r.elapsed)
    say(dict(r.cookies), r.raw, r.request.method, r.request.url, type(r.error).__name__, r.links, r.is_redirect)
    say(r.error.request is not None, r.error.response, repr(r))


@http
def of_a_connection_error_iterated(client):
    list(client.get("http://127.0.0.1:1/x").iter_content())


@http
def of_a_connection_error_by_lines(client):
    list(client.get("http://127.0.0.1:1/x").iter_lines())


@http
def error_of_a_good_one(client, say):
    say(client.get("/json").error, client.get("/status/404").error)


@http
def made_by_hand(locust, say):
    r = locust.clients.ResponseContextManager(requests.ConnectionError("made up"))
    say(r.status_code, r.content, r.text, r.error, r.url, r.request)
    r.raise_for_status()


@http
def apparent_encoding_of_bytes(client, say):
    say(client.get("/bytes/0").apparent_encoding, client.get("/bytes/20").encoding)


@http
def success_outside(client):
    client.get("/json").success()


@http
def failure_outside(client):
    client.get("/json").failure("no")
