"""What `HttpUser` alone has."""

from __future__ import annotations

import json

import requests
from requests.auth import HTTPBasicAuth

from ..probe import http


@http
def is_a_requests_response(client, say):
    r = client.get("/json")
    say(isinstance(r, requests.Response), isinstance(client, requests.Session), type(r).__name__)


@http
def not_json_the_class(client, say):
    try:
        client.get("/bytes/3").json()
    except json.JSONDecodeError as e:
        say("JSONDecodeError", isinstance(e, requests.RequestException), isinstance(e, ValueError))


@http
def iter_lines(client, say):
    say(
        [line.decode() for line in client.get("/json").iter_lines()],
        b"".join(client.get("/bytes/50").iter_content(7)) == client.get("/bytes/50").content,
    )


@http
def post_with_pairs(client):
    client.post("/echo", data=[("a", "1"), ("a", "2")])


@http
def basic_auth(client, say):
    say(client.get("/basic-auth/u/p", auth=("u", "p")).status_code)
    client.get("/echo", auth=HTTPBasicAuth("ü", "p"))


@http
def elapsed(client, say):
    r = client.get("/delay?ms=30")
    say(
        0.03 <= r.elapsed.total_seconds() < 0.3,
        r.elapsed.total_seconds() * 1000 <= r.request_meta["response_time"] + 20,
    )


@http
def request_meta(client, say):
    r = client.get("/json", name="n")
    say(
        sorted(r.request_meta),
        r.request_meta["name"],
        r.request_meta["request_type"],
        r.request_meta["response_length"],
        r.request_meta["exception"],
        r.request_meta["url"],
    )


@http
def auth_object(client):
    client.get("/echo", auth=HTTPBasicAuth("u", "p"))


@http
def prepared_request(client, say):
    say(isinstance(client.get("/json").request, requests.PreparedRequest))


@http
def user_agent_and_encodings_removed(client):
    client.get("/echo", headers={"User-Agent": None, "Accept-Encoding": None})


@http
def params_of_the_session(client):
    client.params = {"a": 1}
    client.get("/echo?b=2", params={"c": 3})


@http
def max_redirects_of_the_session(client, say):
    client.max_redirects = 1
    say(client.get("/redirect/2").status_code)


@http.each("1\r\nX-Smuggled: 1", "1\nX-Smuggled: 1", "€")
def cookie_that_cannot_be_sent(client, value):
    client.get("/json", cookies={"a": value})


@http.each("1\r\nX-Smuggled: 1", "€")
def cookie_of_the_session_that_cannot_be_sent(client, value):
    client.cookies.set("a", value)
    client.get("/json")
