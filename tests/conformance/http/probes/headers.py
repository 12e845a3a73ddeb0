"""Request headers: a call's own, the session's, and how they are merged."""

from __future__ import annotations

from requests.structures import CaseInsensitiveDict

from ..probe import both, fast, http


@both
def override_of_a_default_in_another_case(client):
    client.get("/echo", headers={"user-agent": "me", "ACCEPT-ENCODING": "identity"})


@both
def empty_value(client):
    client.get("/echo", headers={"X-Empty": ""})


@both
def same_name_in_two_cases(client):
    client.get("/echo", headers={"X-Name": "1", "x-name": "2"})


@both
def twenty_headers(client):
    client.get("/echo", headers={f"X-Header-{n}": str(n) * n for n in range(20)})


@both
def long_value(client):
    client.get("/echo", headers={"X-Long": "x" * 8000})


@http.each(b"bytes", "latin ü", "", " leading", "trailing ", "inner  space\tand tab", "☃")
def value(client, value):
    client.get("/echo", headers={"X-Value": value})


@both.each("a\r\nX-Injected: 1", "a\n b")
def value_with_a_line_end(client, value):
    client.get("/echo", headers={"X-Value": value})


@http.each(1, 1.5, True, ["a"], {"a": 1})
def value_that_is_no_text(client, value):
    client.get("/echo", headers={"X-Value": value})


@http.each("", "with space", "with:colon", "ü", b"X-Bytes", 5)
def name(client, value):
    client.get("/echo", headers={value: "x"})


@http
def case_insensitive_dict(client):
    client.get("/echo", headers=CaseInsensitiveDict({"X-A": "1", "ACCEPT": "x/y"}))


@http
def pairs(client):
    client.get("/echo", headers=[("X-A", "1"), ("X-B", "2")])


@both
def none_and_empty(client):
    client.get("/echo", headers=None)
    client.get("/echo", headers={})


@http
def none_removes_each_default(client):
    client.get("/echo", headers={"User-Agent": None, "Accept": None, "Accept-Encoding": None, "Connection": None})


@both
def callers_dict_is_left_alone(client, say):
    headers = {"X-A": "1"}
    client.post("/echo", json={}, headers=headers, auth=("u", "p"))
    say(headers)


@both
def host_of_its_own(client):
    client.get("/echo", headers={"Host": "elsewhere.example"})


@both
def content_length_of_its_own(client):
    client.post("/echo", data="12345", headers={"Content-Length": "5"})


@both
def connection_close(client):
    client.get("/json", headers={"Connection": "close"})
    client.get("/json")


@both
def cookie_header(client):
    client.get("/echo", headers={"Cookie": "a=1; b=2"})


@http
def cookie_header_and_kept_cookies(client):
    client.get("/cookies/set?kept=1", allow_redirects=False)
    client.get("/echo", headers={"Cookie": "a=1"})
    client.get("/echo", headers={"Cookie": "a=1"}, cookies={"b": "2"})


@both
def authorization(client):
    client.get("/echo", headers={"Authorization": "Bearer token"})


@http
def authorization_and_auth(client):
    client.get("/echo", headers={"Authorization": "Bearer token"}, auth=("u", "p"))


@fast
def authorization_and_auth_of_the_fast_client(client):
    client.get("/echo", headers={"Authorization": "Bearer token"}, auth=("u", "p"))


@http
def of_the_session_in_each_way(client):
    client.headers["X-A"] = "item"
    client.get("/echo")
    client.headers.update({"x-a": "update", "X-B": "2"})
    client.get("/echo")
    client.headers.setdefault("X-C", "3")
    client.get("/echo")
    client.headers.pop("X-B")
    client.get("/echo")
    del client.headers["x-c"]
    client.get("/echo")


@http
def of_the_session_cleared(client):
    client.headers.clear()
    client.get("/echo")


@http
def of_the_session_replaced(client):
    client.headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
    client.post("/echo", data="{}")
    client.headers["X-Later"] = "1"
    client.get("/echo", headers={"X-Own": "2"})


@http
def of_the_session_replaced_by_none_of_its_kind(client):
    client.headers = None
    client.get("/echo")


@http
def of_the_session_removed_by_a_call(client):
    client.headers["X-A"] = "1"
    client.get("/echo", headers={"x-a": None})
    client.get("/echo")


@http
def of_the_session_none(client):
    client.headers["Accept"] = None
    client.headers["X-A"] = None
    client.get("/echo")


@http
def of_the_session_bytes(client):
    client.headers["X-A"] = b"bytes"
    client.get("/echo")


@http
def of_the_session_read(client, say):
    headers = client.headers
    say(
        isinstance(headers, CaseInsensitiveDict),
        sorted(headers),
        headers["accept"],
        headers.get("x"),
        "ACCEPT" in headers,
        len(headers),
    )
    say(sorted(headers.copy().items())[:2], headers == dict(headers), sorted(headers.lower_items())[:1])


@http
def of_the_session_wrong(client):
    client.headers["X-A"] = 5
    client.get("/echo")


@fast
def default_headers_of_the_class(user, another):
    user = another(user, default_headers={"X-Mine": "1", "user-agent": "mine"})
    user.client.get("/echo", headers={"x-mine": "2"})
    user.client.get("/echo", headers={"X-Mine": "3"})
    user.client.post("/echo", json={})


@fast
def default_headers_empty(user, another):
    another(user, default_headers={}).client.get("/echo")
