"""Proxies: given with a request, set on the session, named by the environment."""

from __future__ import annotations

import os
from contextlib import contextmanager

from ..probe import fast, http


@contextmanager
def environment(**names):
    before = {name: os.environ.get(name) for name in names}
    for name, value in names.items():
        os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


@http
def of_a_request(client, other, say):
    r = client.get("http://somewhere.example/path?q=1", proxies={"http": other})
    say(r.status_code, r.url)


@http
def of_the_session(client, other, say):
    client.proxies = {"http": other}
    say(client.get("http://somewhere.example/").status_code)
    client.proxies.clear()
    say(client.get("/json").status_code)


@http
def of_the_session_updated(client, other, say):
    client.proxies.update({"http": other, "https": other})
    say(client.get("/echo").status_code)
    client.post("/echo", data={"a": 1})


@http
def with_credentials(client, other, say):
    proxy = other.replace("//", "//user:pa%20ss@")
    say(client.get("http://somewhere.example/", proxies={"http": proxy}).status_code)


@http
def for_one_host(client, other, say):
    client.get("http://one.example/", proxies={"http://one.example": other})
    say(client.get("/json", proxies={"http://one.example": other}).status_code)


@http
def for_all(client, other, say):
    say(client.get("http://somewhere.example/", proxies={"all": other}).status_code)


@http
def https_through_a_tunnel(client, other, tls, say):
    say(client.get(tls + "/json", proxies={"https": other}, verify=False).status_code)


@http
def https_through_a_tunnel_with_credentials(client, other, tls, say):
    proxy = other.replace("//", "//user:pass@")
    say(client.get(tls + "/json", proxies={"https": proxy}, verify=False).status_code)


@http
def refused(client, say):
    say(client.get("http://somewhere.example/", proxies={"http": "http://127.0.0.1:1"}).status_code)


@http
def without_a_scheme(client, other, say):
    say(client.get("http://somewhere.example/", proxies={"http": other.partition("//")[2]}).status_code)


@http
def none(client, say):
    say(client.get("/json", proxies=None).status_code, client.get("/json", proxies={}).status_code)
    say(client.get("/json", proxies={"http": None}).status_code)


@http.each("http://", "http://:80", "nonsense://x", "")
def that_cannot_be(client, say, value):
    say(client.get("http://somewhere.example/", proxies={"http": value}).status_code)


@http
def environment_not_trusted(client, other, say):
    with environment(HTTP_PROXY=other, http_proxy=other, NO_PROXY=None, no_proxy=None):
        say(client.get("/json").status_code)


@http
def environment_trusted(client, other, say):
    with environment(HTTP_PROXY=other, http_proxy=other, NO_PROXY=None, no_proxy=None):
        client.trust_env = True
        say(client.get("http://somewhere.example/").status_code)


@http
def environment_trusted_with_exceptions(client, other, say):
    with environment(HTTP_PROXY=other, http_proxy=other, NO_PROXY="127.0.0.1", no_proxy="127.0.0.1"):
        client.trust_env = True
        say(client.get("/json").status_code, client.get("http://somewhere.example/").status_code)


@http
def redirect_through_it(client, other, target, say):
    target.respond("/there", status=302, headers={"location": "http://somewhere.example/x"})
    client.proxies = {"http://somewhere.example": other}
    say(client.get("/there").status_code)


@fast
def of_the_class(user, another, other, say):
    host, _, port = other.partition("//")[2].partition(":")
    own = another(user, proxy_host=host, proxy_port=int(port))
    say(own.client.get("http://somewhere.example/path").status_code)


@fast
def of_the_class_with_tls(user, another, other, tls, say):
    host, _, port = other.partition("//")[2].partition(":")
    own = another(user, proxy_host=host, proxy_port=int(port))
    say(own.client.get(tls + "/json").status_code)
