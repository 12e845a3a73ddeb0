"""Prepared requests: made, changed and sent by hand. Such requests are not counted.

Locust can prepare one only after a first request of the session: each probe but one begins with that.
"""

from __future__ import annotations

from requests import PreparedRequest, Request, Response

from ..probe import http


@http
def before_the_first_request(client, host, say):
    say(client.prepare_request(Request("GET", host + "/echo")).method)


@http
def sent(client, host, say):
    client.get("/json")
    prepared = client.prepare_request(Request("POST", host + "/echo", json={"a": 1}, headers={"X-A": "1"}))
    r = client.send(prepared)
    say(r.status_code, isinstance(r, Response), r.json()["body"])


@http
def sent_without_the_session(client, host, say):
    prepared = Request("GET", host + "/echo", params={"a": 1}).prepare()
    say(client.send(prepared).status_code)


@http
def changed_before_sending(client, host, say):
    client.get("/json")
    prepared = client.prepare_request(Request("POST", host + "/echo", data="body"))
    prepared.headers["X-Late"] = "1"
    prepared.body = "other body"
    prepared.headers["Content-Length"] = str(len(prepared.body))
    del prepared.headers["Accept"]
    prepared.url += "?late=1"
    say(client.send(prepared).status_code)


@http
def with_what_the_session_has(client, host):
    client.get("/json")
    client.headers["X-S"] = "1"
    client.params = {"s": "1"}
    client.auth = ("u", "p")
    client.cookies.set("c", "1")
    client.send(client.prepare_request(Request("GET", host + "/echo", params={"own": 2}, cookies={"d": "2"})))


@http
def as_prepared(client, host, say):
    client.get("/json")
    prepared = client.prepare_request(Request("put", host + "/a b?x=1", data={"a": 1}, params=[("y", 2)]))
    say(
        type(prepared).__name__, prepared.method, prepared.path_url, prepared.body, sorted(prepared.headers.items())[:5]
    )
    say(isinstance(prepared, PreparedRequest), prepared.copy().url == prepared.url, prepared.hooks)


@http
def sent_with_arguments(client, host, say):
    client.get("/json")
    prepared = client.prepare_request(Request("GET", host + "/redirect/1"))
    r = client.send(prepared, allow_redirects=False, timeout=5, stream=True, verify=False)
    say(r.status_code, r._content_consumed, r.content)


@http
def sent_with_redirects(client, host, say):
    client.get("/json")
    r = client.send(client.prepare_request(Request("GET", host + "/redirect/2")))
    say(r.status_code, len(r.history))


@http
def sent_with_files(client, host, say):
    client.get("/json")
    request = Request("POST", host + "/echo", files={"f": ("n", b"content")}, data={"a": 1})
    say(client.send(client.prepare_request(request)).status_code)


@http
def sent_twice(client, host):
    client.get("/json")
    prepared = client.prepare_request(Request("POST", host + "/echo", data="x"))
    client.send(prepared)
    client.send(prepared)


@http
def refused_connection(client):
    client.get("/json")
    client.send(client.prepare_request(Request("GET", "http://127.0.0.1:1/")))


@http
def failing_status(client, host, say):
    client.get("/json")
    r = client.send(client.prepare_request(Request("GET", host + "/status/500")))
    say(r.status_code)
    r.raise_for_status()


@http
def too_slow(client, host):
    client.get("/json")
    client.send(client.prepare_request(Request("GET", host + "/delay?ms=3000")), timeout=0.1)


@http
def keeps_cookies(client, host):
    client.get("/json")
    client.send(client.prepare_request(Request("GET", host + "/cookies/set?a=1")), allow_redirects=False)
    client.get("/echo")


@http
def success_of_a_sent_response(client, host):
    client.get("/json")
    client.send(client.prepare_request(Request("GET", host + "/json"))).success()


@http
def relative_url(client):
    client.get("/json")
    client.prepare_request(Request("GET", "/json"))


@http
def not_prepared(client, host):
    client.send(Request("GET", host + "/json"))


@http
def with_hooks(client, host, say):
    client.get("/json")
    request = Request("GET", host + "/json", hooks={"response": lambda r, **kw: say("hook", r.status_code)})
    client.send(client.prepare_request(request))


@http
def request_of_a_response_sent_again(client, say):
    r = client.post("/echo", data={"a": 1}, headers={"X-A": "1"})
    say(client.send(r.request).status_code)
