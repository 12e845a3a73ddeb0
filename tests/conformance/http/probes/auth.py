"""Authentication: pairs, requests' classes, callables, and what hooks of them do."""

from __future__ import annotations

import os

import requests
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth, HTTPProxyAuth

from ..probe import both, fast, http


class Token(AuthBase):
    def __init__(self, token):
        self.token = token

    def __call__(self, request):
        request.headers["X-Token"] = f"{self.token} for {request.method} {request.path_url} {request.body}"
        return request


@both.each(("u", "p"), ("u", ""), ("", "p"), ("ü", "ß"), ("u:v", "p:q"), ("u@h", "p/q"))
def pair(client, value):
    client.get("/echo", auth=value)


@http.each(["u", "p"], (b"u", b"p"), ("u", 5), ("u", None), ("☃", "p"), ("u", "p", "x"), "u:p", 5)
def pair_as(client, value):
    client.get("/echo", auth=value)


@both
def accepted_and_refused(client, say):
    say(client.get("/basic-auth/u/p", auth=("u", "p")).status_code)
    say(client.get("/basic-auth/u/p", auth=("u", "wrong")).status_code)
    say(client.get("/basic-auth/u/p").status_code)


@http
def basic(client):
    client.get("/echo", auth=HTTPBasicAuth("u", "p"))
    client.get("/echo", auth=HTTPProxyAuth("u", "p"))


@http
def of_the_session(client):
    client.auth = ("u", "p")
    client.get("/echo")
    client.get("/echo", auth=("own", "q"))
    client.auth = HTTPBasicAuth("x", "y")
    client.get("/echo")
    client.auth = None
    client.get("/echo")


@http
def of_the_session_changed_in_place(client):
    client.auth = HTTPBasicAuth("u", "p")
    client.get("/echo")
    client.auth.password = "changed"
    client.get("/echo")


@http
def of_the_session_is_compared(client, host, user, another, say):
    auth = another(user, host=host.replace("//", "//u:p@")).client.auth
    say(type(auth).__name__, auth == HTTPBasicAuth("u", "p"), auth.username, auth.password)


@http
def callable_class(client):
    client.post("/echo?q=1", data="body", auth=Token("t"))


@http
def callable_function(client):
    def sign(request):
        request.headers["X-Signature"] = str(len(request.body or ""))
        request.prepare_url(request.url, {"signed": "1"})
        return request

    client.post("/echo", json={"a": 1}, auth=sign)


@http
def callable_of_the_session(client):
    client.auth = Token("session")
    client.get("/echo")
    client.get("/redirect/1")


@http
def callable_that_changes_the_body(client):
    def wrap(request):
        request.body = b"wrapped " + request.body
        return request

    client.post("/echo", data=b"body", auth=wrap)


@http
def callable_that_raises(client):
    def refuse(request):
        raise ValueError("no")

    client.get("/echo", auth=refuse)


@http
def callable_that_registers_a_hook(client, say):
    def auth(request):
        request.register_hook("response", lambda r, **kw: say("hook", r.status_code, sorted(kw)))
        return request

    say(client.get("/status/201", auth=auth).status_code)


@http
def callable_that_asks_again(client, say):
    class Retry(AuthBase):
        def again(self, response, **arguments):
            if response.status_code != 401:
                return response
            response.content
            response.close()
            request = response.request.copy()
            request.headers["Authorization"] = "Basic dTpw"
            again = response.connection.send(request, **arguments)
            again.history.append(response)
            again.request = request
            return again

        def __call__(self, request):
            request.register_hook("response", self.again)
            return request

    r = client.get("/basic-auth/u/p", auth=Retry())
    say(r.status_code, [h.status_code for h in r.history])


@http.each("auth", "auth,auth-int", "none", "auth-int")
def digest(client, other, say, value):
    r = client.get(f"{other}/digest/{value}/MD5", auth=HTTPDigestAuth("me", "secret"))
    say(r.status_code, [h.status_code for h in r.history])


@http.each("MD5", "MD5-SESS", "SHA", "SHA-256", "SHA-512")
def digest_algorithm(client, other, say, value):
    r = client.get(f"{other}/digest/auth/{value}", auth=HTTPDigestAuth("me", "secret"))
    say(r.status_code, r.text)


@http
def digest_of_a_post(client, other, say):
    r = client.post(f"{other}/digest/auth/MD5?q=1", data={"a": 1}, auth=HTTPDigestAuth("me", "secret"))
    say(r.status_code, r.json())


@http
def digest_wrong(client, other, say):
    r = client.get(f"{other}/digest/auth/MD5", auth=HTTPDigestAuth("me", "wrong"))
    say(r.status_code, [h.status_code for h in r.history])


@http
def digest_of_the_session(client, other, say):
    client.auth = HTTPDigestAuth("me", "secret")
    for _ in range(3):
        r = client.get(f"{other}/digest/auth/MD5")
        say(r.status_code, len(r.history))
    say(dict(client.cookies))


@http
def digest_under_a_name_and_caught(client, other, say):
    auth = HTTPDigestAuth("me", "secret")
    with client.get(f"{other}/digest/auth/MD5", auth=auth, name="digest", catch_response=True) as r:
        say(r.status_code)
        r.failure("by hand")


@http
def netrc_is_not_trusted_by_default(client, folder):
    (folder / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    os.environ["NETRC"] = str(folder / "netrc")
    try:
        client.get("/echo")
    finally:
        del os.environ["NETRC"]


@http
def netrc(client, folder, say):
    (folder / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    os.environ["NETRC"] = str(folder / "netrc")
    try:
        client.trust_env = True
        client.get("/echo")
        client.get("/echo", auth=("own", "p"))
        client.get("/echo", headers={"Authorization": "Bearer x"})
        say(requests.utils.get_netrc_auth("http://127.0.0.1/"))
    finally:
        del os.environ["NETRC"]


@fast
def in_the_host_of_the_fast_client(client, user, another, host, say):
    user = another(user, host=host.replace("//", "//u:p@"))
    say(user.client.auth_header, user.client.base_url)
    user.client.get("/echo")
    user.client.get("/echo", auth=("own", "q"))


@fast
def header_of_the_fast_client(client):
    client.auth_header = "Basic x"
    client.get("/echo")


@fast.each(["u", "p"], ("u", 5))
def pair_as_of_the_fast_client(client, value):
    client.get("/echo", auth=value)
