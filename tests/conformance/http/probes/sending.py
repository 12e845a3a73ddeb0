"""What is sent: verbs, bodies, parameters, headers."""

from __future__ import annotations

import io
import json

from ..probe import both


@both
def get(client):
    client.get("/echo")


@both
def post_with_json(client):
    client.post("/echo", json={"b": [1, None, "é"], "a": {"x": True}})


@both
def post_with_a_list_as_json(client):
    client.post("/echo", json=[])


@both
def post_with_json_null(client):
    client.post("/echo", json=None)


@both
def post_with_a_form(client):
    client.post("/echo", data={"a": "x y", "b": ["1", "2"], "c": "ü&="})


@both
def post_with_text(client):
    client.post("/echo", data="grün")


@both
def post_with_bytes(client):
    client.post("/echo", data=b"bytes", headers={"Content-Type": "x/y"})


@both
def post_with_json_text(client):
    client.post("/echo", data=json.dumps({"a": 1}), headers={"Content-Type": "application/json"})


@both
def post_with_a_file_object(client):
    client.post("/echo", data=io.BytesIO(b"from a file"))


@both
def post_with_a_generator(client):
    client.post("/echo", data=(part for part in [b"one", b"two"]))


@both
def post_with_nothing(client):
    client.post("/echo")


@both
def positional_data_and_json(client):
    client.post("/echo", {"a": 1})
    client.post("/echo", None, {"a": 1})


@both
def data_beats_json(client):
    client.post("/echo", data={"a": 1}, json={"b": 2})


@both
def put(client):
    client.put("/echo", data={"a": 1})


@both
def patch(client):
    client.patch("/echo", json={"a": 1})


@both
def delete(client):
    client.delete("/echo", json={"a": 1})


@both
def options(client):
    client.options("/echo")


@both
def head(client, say):
    r = client.head("/echo")
    say(r.status_code, r.text, len(r.content))


@both
def request(client):
    client.request("REPORT", "/echo", data=b"x")


@both
def request_in_lower_case(client):
    client.request("get", "/echo")


@both
def a_whole_url(client, user):
    client.get(user.host + "/echo?q=1")


@both
def url_as_keyword(client):
    client.get(url="/echo")


@both
def params(client):
    client.get("/echo", params={"a": "x y", "b": ["1", 2], "none": None, "ü": "é/?"})


@both
def params_after_a_query(client):
    client.get("/echo?z=1", params={"a": 1})


@both
def params_as_text(client):
    client.get("/echo", params="a=1&b=2")


@both
def params_as_pairs(client):
    client.get("/echo", params=[("a", 1), ("a", 2)])


@both
def a_path_to_be_quoted(client):
    client.get("/echo?q=a b&ü=%20%zz#fragment")


@both
def path_with_dots(client, say):
    say(client.get("/a/../echo").status_code, client.get("/./json").status_code)


@both
def headers(client):
    client.get("/echo", headers={"X-One": "1", "accept": "x/y", "User-Agent": "me"})


@both
def header_none_removes_it(client):
    client.get("/echo", headers={"Accept": None})


@both
def headers_of_the_session(client):
    client.headers.update({"Authorization": "Bearer x"})
    client.headers["X-A"] = "a"
    client.get("/echo", headers={"X-A": "b"})
    client.get("/echo")


@both
def headers_of_the_session_replaced(client):
    client.headers = {"X-Only": "this"}
    client.get("/echo")


@both
def cookies(client):
    client.get("/echo", cookies={"a": "1", "b": "2"})
    client.get("/echo")


@both
def cookies_of_the_session(client, say):
    client.cookies.set("a", "1")
    client.get("/echo", cookies={"b": "2"})
    say(dict(client.cookies))


@both
def basic_auth_of_the_session(client, say):
    client.auth = ("u", "p")
    say(client.get("/basic-auth/u/p").status_code)


@both
def basic_auth_in_the_host(user, another, say):
    user = another(user, host=user.host.replace("//", "//u:p@"))
    say(user.client.base_url, user.client.get("/basic-auth/u/p").status_code)
    user.client.get("/echo")


@both
def two_requests_one_connection(client, say):
    say(client.get("/echo").json()["connection"] == client.get("/echo").json()["connection"])


@both
def two_users_two_connections(client, user, say):
    say(
        client.get("/echo").json()["connection"]
        == type(user)(user.environment).client.get("/echo").json()["connection"]
    )


@both
def host_with_a_path(user, another, say):
    user = another(user, host=user.host + "/status")
    say(user.client.get("/201").status_code)


@both
def another_session(client, user):
    other = type(client)(user.host, request_event=user.environment.events.request, user=user)
    other.get("/echo")


@both.each("GET / HTTP/1.1\r\nX-Smuggled: 1\r\nA:", "GE T", "GEÜT", "")
def method_that_is_none(client, value):
    client.request(value, "/json")


@both.each("a\r\nX-Smuggled", "a b", "a:b", "é")
def header_name_that_is_none(client, value):
    client.get("/json", headers={value: "1"})


@both.each("1\r\nX-Smuggled: 1", "1\nX-Smuggled: 1")
def header_value_that_ends_its_line(client, value):
    client.get("/json", headers={"a": value})
