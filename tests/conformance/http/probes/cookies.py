"""Cookies: sent with one request, kept by the session, set by servers."""

from __future__ import annotations

from http.cookiejar import Cookie, CookieJar

import requests
from requests.cookies import RequestsCookieJar, cookiejar_from_dict, create_cookie

from ..probe import both, fast, http


def shown(jar):
    return sorted([c.name, c.value, c.path, c.domain.replace(".local", ""), c.secure, c.expires] for c in jar)


@http.each({"a": "1"}, {"a": "x y", "b": '"q"'}, {"a": ""}, {}, None, {"ü": "ü"}, {"a": "1;2"}, {"a": "1, 2"})
def given(client, say, value):
    client.get("/echo", cookies=value)
    say(shown(client.cookies))


@http
def given_as_a_jar(client, say):
    jar = RequestsCookieJar()
    jar.set("a", "1")
    jar.set("b", "2", domain="127.0.0.1", path="/echo")
    jar.set("c", "3", domain="elsewhere.example")
    jar.set("d", "4", path="/other")
    client.get("/echo", cookies=jar)
    client.get("/json", cookies=jar)
    say(shown(client.cookies))


@http
def given_as_a_plain_jar(client):
    jar = CookieJar()
    jar.set_cookie(create_cookie("a", "1"))
    client.get("/echo", cookies=jar)


@http
def given_over_kept_ones(client, say):
    client.cookies.set("a", "kept")
    client.get("/echo", cookies={"a": "given"})
    client.get("/echo")
    say(shown(client.cookies))


@http
def of_the_session_in_each_way(client, say):
    client.cookies.set("a", "1")
    client.get("/echo")
    client.cookies["b"] = "2"
    client.cookies.update({"c": "3"})
    client.get("/echo")
    client.cookies.pop("a")
    del client.cookies["b"]
    client.get("/echo")
    client.cookies.set("c", None)
    client.get("/echo")
    client.cookies.set_cookie(create_cookie("d", "4", path="/echo"))
    client.get("/echo")
    client.get("/json")
    client.cookies.clear()
    client.get("/echo")


@http
def of_the_session_replaced(client, say):
    client.cookies = cookiejar_from_dict({"a": "1"})
    client.get("/echo")
    client.get("/cookies/set?b=2", allow_redirects=False)
    client.get("/echo")
    say(shown(client.cookies))


@http
def of_the_session_replaced_by_a_dict(client, say):
    client.cookies = {"a": "1"}
    client.get("/echo")


@http
def of_the_session_read(client, say):
    client.get("/cookies/set?a=1&b=2", allow_redirects=False)
    jar = client.cookies
    say(sorted(jar.keys()), sorted(jar.values()), sorted(jar.items()), jar.get("a"), jar.get("x", "none"), len(jar))
    say("a" in jar, jar.get_dict(), jar.list_domains(), jar.list_paths(), jar.multiple_domains(), bool(jar))
    say(isinstance(jar, RequestsCookieJar), isinstance(jar, CookieJar), isinstance(next(iter(jar)), Cookie))
    say(shown(jar.copy()), requests.utils.dict_from_cookiejar(jar))


@http
def of_the_session_that_is_not_there(client):
    client.cookies["missing"]


@http
def of_the_session_with_a_domain(client, say):
    client.cookies.set("a", "1", domain="127.0.0.1")
    client.cookies.set("b", "2", domain="other.example")
    client.cookies.set("c", "3", domain="127.0.0.1", path="/json")
    client.cookies.set("d", "4", secure=True)
    client.get("/echo")
    say(shown(client.cookies))


@both.each(
    "a=1",
    "a=1; Path=/",
    "a=1; Path=/elsewhere",
    "a=1; Path=/set",
    "a=1; Max-Age=0",
    "a=1; Max-Age=1000000000; HttpOnly",
    "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "a=1; Expires=Fri, 01-Jan-2100 00:00:00 GMT",
    "a=1; Secure",
    "a=1; Domain=127.0.0.1",
    "a=1; Domain=elsewhere.example",
    "a=1; SameSite=Strict; HttpOnly",
    'a="quoted value"',
    "a=b=c",
    "a=",
    "a",
    "a=x y",
    "a=ü",
)
def set_by_the_server(client, target, value):
    target.respond("/set", headers={"set-cookie": value})
    client.get("/set")
    client.get("/echo")
    client.get("/set/below")


@http.each(
    "a=1; Path=/", "a=1; Path=/x; HttpOnly; Secure", "a=1; Max-Age=1000000000", 'a="q"', "a=1; Domain=.127.0.0.1"
)
def set_by_the_server_as_seen(client, target, say, value):
    target.respond("/set", headers={"set-cookie": value})
    r = client.get("/set")
    hide = [c.expires is None for c in r.cookies]
    say([[c.name, c.value, c.path, c.secure, c.rfc2109, sorted(c._rest)] for c in r.cookies], hide, len(client.cookies))


@both
def set_twice_by_the_server(client, target):
    target.respond("/set", headers={"set-cookie": ["a=1", "b=2", "a=3"]})
    client.get("/set")
    client.get("/echo")


@both
def overwritten_and_removed_by_the_server(client, target):
    client.get("/cookies/set?a=1&b=1", allow_redirects=False)
    client.get("/cookies/set?a=2", allow_redirects=False)
    client.get("/echo")
    client.get("/cookies/delete?a", allow_redirects=False)
    client.get("/echo")


@both
def set_on_the_way_of_a_redirect(client, target):
    target.respond("/first", status=302, headers={"location": "/second", "set-cookie": "a=1; Path=/"})
    target.respond("/second", status=302, headers={"location": "/echo", "set-cookie": "b=2; Path=/"})
    client.get("/first")
    client.get("/echo")


@http
def set_on_the_way_as_seen(client, target, say):
    target.respond("/first", status=302, headers={"location": "/json", "set-cookie": "a=1; Path=/"})
    r = client.get("/first")
    say(dict(r.cookies), dict(r.history[0].cookies), dict(client.cookies))


@both
def set_with_a_failure(client, target):
    target.respond("/set", status=500, headers={"set-cookie": "a=1; Path=/"})
    client.get("/set")
    client.get("/echo")


@both
def not_sent_to_another_host(client, other):
    client.get("/cookies/set?a=1", allow_redirects=False)
    client.get(other.replace("127.0.0.1", "localhost") + "/echo")
    client.get(other + "/echo")


@both
def not_shared_between_users(client, user, another):
    client.get("/cookies/set?a=1", allow_redirects=False)
    another(user).client.get("/echo")


@both
def order_by_path(client, target):
    target.respond("/set", headers={"set-cookie": ["a=1; Path=/", "b=2; Path=/echo"]})
    client.get("/set")
    client.get("/echo")


@fast
def jar_of_the_fast_client(client, say):
    client.get("/cookies/set?a=1", allow_redirects=False)
    jar = client.cookiejar
    say(isinstance(jar, CookieJar), shown(jar), len(jar))
    jar.clear()
    client.get("/echo")


@fast
def jar_of_the_fast_client_filled(client, say):
    client.cookiejar.set_cookie(create_cookie("a", "1", domain="127.0.0.1"))
    client.get("/echo")


@http
def jar_outlives_close(client):
    client.cookies.set("a", "1")
    client.close()
    client.get("/echo")
