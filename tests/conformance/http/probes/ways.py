"""One call by different ways: with nothing in it, or with an authentication object, hooks or an adapter that do little.

Here these take other ways through the code than a plain call, and nobody should see it.
"""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy

import urllib3
from requests.adapters import HTTPAdapter

from ..probe import http


class OwnAdapter(HTTPAdapter):
    """One of the locustfile's own."""


def plain(client):
    return {}


def auth(client):
    return {"auth": lambda request: request}


def hook(client):
    return {"hooks": {"response": lambda response, **options: None}}


def auth_of_the_session(client):
    client.auth = lambda request: request
    return {}


def hook_of_the_session(client):
    client.hooks["response"].append(lambda response, **options: None)
    return {}


def adapter(client):
    client.mount("http://", OwnAdapter())
    return {}


WAYS = {way.__name__: way for way in (plain, auth, hook, auth_of_the_session, hook_of_the_session, adapter)}


@http.each(*WAYS)
def cookies_on_the_way(client, value):
    client.get("/redirect/2", cookies={"k": "v w"}, **WAYS[value](client))


@http.each(*WAYS)
def falsely_allowed_redirects(client, say, value):
    options = WAYS[value](client)
    for allowed in (None, 0, "", 1):
        say(client.get("/redirect/1", allow_redirects=allowed, **options).status_code)


@http.each(*WAYS)
def no_proxy_after_all(client, value):
    options = WAYS[value](client)
    client.get("/echo", proxies={"http": ""}, **options)
    client.proxies["http"] = ""
    client.get("/echo", **options)


@http.each(*WAYS)
def timeout_of_urllib3(client, say, value):
    options = WAYS[value](client)
    for timeout in (urllib3.Timeout(total=5), urllib3.Timeout(total=5, connect=1), urllib3.Timeout(connect=1)):
        say(client.get("/echo", timeout=timeout, **options).status_code)


@http.each(*WAYS)
def policy_of_the_cookies(client, say, value):
    options = WAYS[value](client)
    client.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    client.get("/cookies/set?a=b", **options)
    say(client.get("/cookies", **options).text, client.cookies.get_dict())


@http.each(*WAYS)
def too_far(client, say, value):
    options = WAYS[value](client)
    client.max_redirects = 1
    say(client.get("/redirect/3", **options).history)


@http.each({"a": 1}, [("a", "ü")], "text", b"bytes", "")
def body_before_an_authentication(client, say, value):
    client.post("/echo", data=value, auth=lambda request: say(request.body) or request)


@http
def hooks_of_an_authentication_come_first(client, say):
    def sign(request):
        say(request.hooks)
        request.register_hook("response", lambda response, **options: say("the authentication's"))
        return request

    client.hooks["response"].append(lambda response, **options: say("the session's"))
    for _ in range(3):
        client.get("/json", auth=sign)
        client.get("/json", auth=sign, hooks={"response": lambda response, **options: say("the call's")})
    say(len(client.hooks["response"]))


@http
def hooks_of_the_session_in_other_forms(client, say):
    client.auth = lambda request: request
    for hooks in ({}, {"response": None}, {"response": (len,)[:0]}):
        client.hooks = hooks
        say(client.get("/json").status_code)


@http
def no_authentication_after_all(client):
    client.auth = lambda request: request.headers.update(X="signed") or request
    client.get("/echo")
    client.get("/echo", auth=())
    client.get("/echo", auth=False)


@http.each(*WAYS)
def unchecked_by_none(client, say, tls, value):
    options = WAYS[value](client)
    client.verify = None
    say(client.get(f"{tls}/redirect/1", **options).status_code)
