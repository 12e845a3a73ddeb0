"""Query parameters and URLs, in every form that a client takes."""

from __future__ import annotations

from collections import OrderedDict

from ..probe import both, http


@both.each(
    {"a": 1, "b": 2.5, "c": True, "d": None},
    {"a": ["1", 2, None]},
    {"a": ("x", "y"), "b": {"k": "v"}},
    {"ключ": "значение", "emoji": "☃"},
    {"space and plus": "a b+c", "reserved": ":/?#[]@!$&'()*+,;=%", "unreserved": "-._~"},
    {"a": ""},
    {},
    [],
    "",
    "raw=a b&c",
    "?a=1",
    None,
)
def params(client, value):
    client.get("/echo", params=value)


@http.each(b"a=1&b=%20", [("a", 1), ("b", [2, 3]), ("a", None)], (("a", "1"),), OrderedDict(z=1, a=2), {"a": b"bytes"})
def params_as(client, value):
    client.get("/echo", params=value)


@both
def params_after_a_query_and_before_a_fragment(client):
    client.get("/echo?x=1#part", params={"y": 2})


@both
def params_of_a_post(client):
    client.post("/echo", params={"a": 1}, data={"b": 2})


@http
def params_of_the_session_merged(client):
    client.params = {"a": "session", "b": "session"}
    client.get("/echo", params={"b": "own", "c": "own"})
    client.get("/echo", params={"a": None})
    client.get("/echo", params=[("a", "2")])
    client.get("/echo")


@http
def params_of_the_session_changed_in_place(client):
    client.params["a"] = "1"
    client.get("/echo")
    client.params.update(b=["2", "3"])
    client.get("/echo")
    client.params.clear()
    client.get("/echo")


@http
def params_of_the_session_as_pairs_and_text(client):
    client.params = [("a", "1"), ("a", "2")]
    client.get("/echo")
    client.params = "text=1"
    client.get("/echo")


@both.each(
    "/echo?a=1&a=2&&b",
    "/echo?",
    "/echo?q=%41%2f%2F%zz",
    "/echo/ü/☃?ü=☃",
    "/echo/a b/c%20d",
    '/echo?x=<>"{}|\\^`',
    "/echo?json={'a':[1,2]}",
    "/echo/;p=1,2/@:!$&'()*+=~",
    "/echo//double//slash",
    "/echo?a=1#frag?b=2",
)
def path(client, value):
    client.get(value)


@both.each("/a/../echo", "/./echo", "/echo/.", "/echo/..", "/echo/%2e%2e/json", "/../echo")
def path_with_dots(client, say, value):
    r = client.get(value)
    say(r.status_code, r.url)


@both
def host_in_capitals(client, host, say):
    r = client.get(host.replace("http", "HTTP") + "/echo")
    say(r.status_code, r.url)


@both
def surrounding_space(client, host, say):
    say(client.get(f" {host}/echo").status_code)


@http
def surrounding_space_of_an_absolute_url(client, host, say):
    say(client.get(f"{host}/echo ").status_code)


@both
def localhost_by_name(client, host, say):
    say(client.get(host.replace("127.0.0.1", "localhost") + "/json").status_code)


@both
def credentials_in_an_absolute_url(client, host):
    client.get(host.replace("//", "//u:p%20q@") + "/echo")


@both
def user_without_password_in_an_absolute_url(client, host):
    client.get(host.replace("//", "//u@") + "/echo")


@both
def base_url_changed(client, say):
    client.base_url += "/status"
    say(client.get("/204").status_code)


@both
def base_url_with_a_slash_at_its_end(client, host, say):
    client.base_url = host + "/"
    r = client.get("/echo")
    say(r.status_code, r.url)


@both
def credentials_in_the_host_are_decoded(user, another, host, say):
    user = another(user, host=host.replace("//", "//us%40er:p%3Aw@"))
    say(user.client.base_url)
    user.client.get("/echo")


@both
def user_alone_in_the_host(user, another, host, say):
    user = another(user, host=host.replace("//", "//u@"))
    say(user.client.base_url)
    user.client.get("/echo")


@http.each(None, b"/echo", 5, ["/echo"])
def url_that_is_no_text(client, value):
    client.get(value)
