"""Hooks: of one request and of the session, seeing and replacing the response."""

from __future__ import annotations

import requests

from ..probe import http


@http
def of_one_request(client, say):
    def hook(response, *args, **kwargs):
        say(response.status_code, args, sorted(kwargs), response.url, isinstance(response, requests.Response))

    client.get("/status/201", hooks={"response": hook})


@http
def several(client, say):
    hooks = [lambda r, **kw: say("one", r.status_code), lambda r, **kw: say("two", r.status_code)]
    client.get("/json", hooks={"response": hooks})


@http
def of_the_session(client, say):
    client.hooks["response"].append(lambda r, **kw: say("session", r.status_code))
    client.get("/json")
    client.get("/status/404")
    client.post("/echo", data="x")
    client.hooks["response"].clear()
    client.get("/json")


@http
def of_the_session_assigned(client, say):
    client.hooks = {"response": lambda r, **kw: say("one function", r.status_code)}
    client.get("/json")
    client.hooks = {"response": [lambda r, **kw: say("a list", r.status_code)]}
    client.get("/json")
    client.hooks["response"] = lambda r, **kw: say("an item", r.status_code)
    client.get("/json")


@http
def of_both(client, say):
    client.hooks["response"].append(lambda r, **kw: say("session"))
    client.get("/json", hooks={"response": lambda r, **kw: say("request")})
    client.get("/json", hooks={"response": []})
    client.get("/json", hooks={})


@http
def replacing_the_response(client, say):
    def replace(response, **kwargs):
        other = requests.Response()
        other.status_code, other._content, other.url = 418, b"replaced", response.url
        other.request = response.request
        return other

    r = client.get("/json", hooks={"response": replace})
    say(r.status_code, r.text, type(r).__name__)


@http
def changing_the_response(client, say):
    def change(response, **kwargs):
        response.status_code = 500
        response.mark = "marked"

    r = client.get("/json", hooks={"response": change})
    say(r.status_code, r.mark, r.ok)


@http
def raising(client):
    def refuse(response, **kwargs):
        response.raise_for_status()

    client.get("/status/404", hooks={"response": refuse})


@http
def raising_something_else(client):
    def refuse(response, **kwargs):
        raise KeyError("from the hook")

    client.get("/json", hooks={"response": refuse})


@http
def on_each_redirect(client, say):
    client.get("/redirect/2", hooks={"response": lambda r, **kw: say(r.status_code, r.url)})


@http
def reading_the_body(client, say):
    client.get("/json", hooks={"response": lambda r, **kw: say(r.json(), r.elapsed.total_seconds() > 0)})


@http
def sending_another_request(client, say):
    def more(response, **kwargs):
        if response.url.endswith("/json"):
            say(client.get("/status/201").status_code)

    say(client.get("/json", hooks={"response": more}).status_code)


@http
def that_does_not_exist(client):
    client.get("/json", hooks={"request": lambda r: None})


@http
def on_a_failed_request(client, say):
    client.get("http://127.0.0.1:1/", hooks={"response": lambda r, **kw: say("called")})


@http
def caught(client, say):
    with client.get("/json", hooks={"response": lambda r, **kw: say("hook")}, catch_response=True) as r:
        say("block")
        r.failure("no")


@http
def under_a_name(client, say):
    client.get("/json", name="named", hooks={"response": lambda r, **kw: say(r.url)})


@http
def that_is_not_callable(client):
    client.get("/json", hooks={"response": 5})
