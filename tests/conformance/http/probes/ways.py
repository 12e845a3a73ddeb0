"""One call by different ways: with nothing in it, or with an authentication object, hooks or an adapter that do little.

Here these take other ways through the code than a plain call, and nobody should see it.
"""

from __future__ import annotations

import io
import os
import pickle
from array import array
from http.cookiejar import DefaultCookiePolicy

import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests.cookies import RequestsCookieJar
from urllib3.util import Retry

from ..probe import http


class OwnAdapter(HTTPAdapter):
    """One of the locustfile's own."""


class SendingAdapter(HTTPAdapter):
    """One that has a say in how each request is sent."""

    def send(self, request, **options):
        options["timeout"] = options.get("timeout") or 5
        return super().send(request, **options)


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


def adapter_that_sends(client):
    client.mount("http://", SendingAdapter())
    return {}


def adapter_with_retries(client):
    client.mount("http://", HTTPAdapter(max_retries=Retry(total=2, status_forcelist=[503])))
    return {}


def replaced_send(client):
    send = client.send
    client.send = lambda request, **options: send(request, **options)
    return {}


def replaced_prepare(client):
    prepare = client.prepare_request
    client.prepare_request = lambda request: prepare(request)
    return {}


WAYS = {
    way.__name__: way
    for way in (
        plain,
        auth,
        hook,
        auth_of_the_session,
        hook_of_the_session,
        adapter,
        adapter_that_sends,
        adapter_with_retries,
        replaced_send,
        replaced_prepare,
    )
}


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


@http.each(*WAYS)
def cookies_in_a_jar(client, host, say, value):
    options = WAYS[value](client)
    jar = RequestsCookieJar()
    jar.set("everywhere", "1")
    jar.set("here", "2", domain="127.0.0.1", path="/cookies")
    jar.set("elsewhere", "3", domain="example.org", path="/")
    client.cookies.set("everywhere", "the session's")
    for path in ("/echo", "/cookies", "/cookies/set?new=1"):
        say(client.get(path, cookies=jar, **options).text.replace(host, ""))
    client.get("/echo", **options)


@http.each(*WAYS)
def cookies_of_call_and_session_on_the_way(client, target, value):
    options = WAYS[value](client)
    target.respond("/start", status=302, headers={"location": "/echo", "set-cookie": "a=set; Path=/"})
    client.cookies.set("a", "the session's")
    client.cookies.set("b", "the session's")
    client.get("/start", cookies={"a": "the call's", "c": "the call's"}, **options)


@http.each(*WAYS)
def pieces(client, say, value):
    options = WAYS[value](client)
    for data in (
        iter([b"a", "\u00fc", b"", b"c"]),
        array("b", b"numbers"),
        memoryview(b"view"),
        io.StringIO("te\u00fcxt"),
    ):
        say(client.post("/echo", data=data, **options).status_code)


@http.each(*WAYS)
def pieces_that_are_none(client, value):
    options = WAYS[value](client)
    client.post("/echo", data=iter([5]), **options)


@http.each(*WAYS)
def no_headers_of_the_session(client, value):
    options = WAYS[value](client)
    client.headers = None
    client.get("/echo", **options)
    client.post("/echo", data="x", headers={"X-A": "1"}, **options)


@http.each(*WAYS)
def password_changed_in_place(client, value):
    options = WAYS[value](client)
    if callable(client.auth):
        return
    client.auth = HTTPBasicAuth("u", "p")
    client.get("/echo", **options)
    client.auth.password = "changed"
    client.get("/echo", **options)


@http.each(*WAYS)
def environment_that_has_nothing_for_this(client, folder, say, value):
    options = WAYS[value](client)
    (folder / "netrc").write_text("machine example.org login me password secret\n")
    os.environ.update(NETRC=str(folder / "netrc"), HTTP_PROXY="http://127.0.0.1:1", NO_PROXY="127.0.0.1")
    try:
        client.trust_env = True
        for _ in range(2):
            say(client.get("/echo", **options).status_code)
        (folder / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
        os.utime(folder / "netrc", (1, 1))
        client.get("/echo", **options)
    finally:
        for name in ("NETRC", "HTTP_PROXY"):
            del os.environ[name]
        os.environ["NO_PROXY"] = "*"


@http.each(*WAYS)
def response_is_pickled(client, say, value):
    response = client.get("/redirect/1", **WAYS[value](client))
    again = pickle.loads(pickle.dumps(response))
    say(again.status_code, again.url.partition("//")[2].partition("/")[2], len(again.history), again.text[:20])


@http.each(*WAYS)
def what_a_response_comes_with(client, say, value):
    response = client.post("/echo", data={"a": "\u00fc"}, **WAYS[value](client))
    say(type(response.request).__name__, response.request.method, response.request.path_url, response.is_redirect)
    say(response.encoding, response.reason, response.history, response.headers["CONTENT-type"], response.links)
    say(isinstance(response.connection, HTTPAdapter), response.elapsed.total_seconds() > 0)


@http.each("plain", "hook")
def no_context(client, value):
    client.get("/json", context=None, **WAYS[value](client))


@http.each("/close-mid-body", "/reset-mid-body", "/end-mid-body", "/bad-chunk", "/encoded/gzip-corrupt", "/close")
def request_of_a_broken_body(client, say, value):
    say(client.get(value, auth=lambda request: request).request is None)
    response = client.get(value)
    say(response.request is None, response.url, response.headers, response.history)
