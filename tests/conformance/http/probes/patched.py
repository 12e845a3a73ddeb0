"""requests' own classes, patched as libraries do that look at requests or answer them in a test."""

from __future__ import annotations

from contextlib import contextmanager
from unittest import mock

import requests
from requests.adapters import HTTPAdapter

from ..probe import http


@contextmanager
def patched(class_, name, say, answer=None):
    plain = getattr(class_, name)

    def seeing(self, *args, **kwargs):
        say(name, isinstance(self, class_), len(args), sorted(kwargs))
        return plain(self, *args, **kwargs) if answer is None else answer(*args, **kwargs)

    with mock.patch.object(class_, name, seeing):
        yield


SESSION = ("send", "request", "get_adapter", "prepare_request", "merge_environment_settings", "resolve_redirects")


@http.each(*SESSION)
def session_before_the_user(user, another, say, value):
    with patched(requests.Session, value, say):
        client = another(user).client
        say(client.get("/redirect/1").status_code, client.post("/echo", data={"a": 1}).status_code)


@http
def session_after_the_user(client, say):
    client.get("/json")
    with patched(requests.Session, "send", say):
        say(client.get("/redirect/1").status_code, client.post("/echo", data={"a": 1}).status_code)
    client.get("/json")


@http
def adapter_that_goes_on(client, say):
    client.get("/json")
    with patched(HTTPAdapter, "send", say):
        say(client.get("/redirect/1").status_code, client.post("/echo", data={"a": 1}).text)
        say(client.get("/cookies/set?a=1").status_code, client.get("http://127.0.0.1:1/").status_code)
    client.get("/cookies")


@http
def adapter_that_goes_on_with_a_mounted_one(client, say):
    client.mount("http://", HTTPAdapter(max_retries=1))
    with patched(HTTPAdapter, "send", say):
        say(client.get("/json").status_code)


@http
def adapter_that_answers(client, say):
    def answer(request, **kwargs):
        response = requests.Response()
        response.status_code, response._content, response.url, response.request = 203, b"made up", request.url, request
        return response

    with patched(HTTPAdapter, "send", say, answer):
        r = client.get("/json", name="made up")
        say(r.status_code, r.text)
    say(client.get("/json").status_code)


@http
def stream_through_a_patch(client, say):
    with patched(HTTPAdapter, "send", say):
        with client.get("/bytes/3000", stream=True) as r:
            say(r.status_code)
        r = client.get("/bytes/3000", stream=True, name="streamed")
        say(len(b"".join(r.iter_content(10))))
