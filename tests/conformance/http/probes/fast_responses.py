"""`FastResponse`: what geventhttpclient's responses have and requests' have not, or otherwise."""

from __future__ import annotations

from ..probe import fast


@fast
def reading_headers(client, say):
    headers = client.get("/headers?X-A=1&X-A=2&X-B=3").headers
    say(headers["x-a"], headers["X-b"], headers.get("no"), headers.get("no", "5"), headers.getlist("x-a"))
    say(headers.get_all("no"), headers.getheaders("x-b"), "X-A" in headers, len(headers) > 3, isinstance(headers, dict))
    say(sorted(headers), sorted(headers.items()), sorted(map(list, headers.itermerged())), sorted(headers.iterlower()))
    say(str(headers), repr(headers), headers.compatible_dict())


@fast
def changing_headers(client, say):
    headers = client.get("/headers?X-A=1&X-A=2&X-B=3").headers
    headers["X-B"] = "9"
    headers.add("x-b", "10")
    say(headers["x-b"], headers.pop("x-b"), "x-b" in headers, headers.pop("x-b", 4))
    headers.update({"Q": "1"})
    headers.extend({"q": "2"})
    say(headers["Q"], headers.setdefault("q", "3"), headers.setdefault("new"))
    copied = headers.copy()
    copied["X-A"] = "0"
    say(headers["x-a"], copied["x-a"], headers == copied, headers == headers.copy(), (headers | {"Z": "1"})["z"])


@fast
def a_missing_header(client):
    client.get("/json").headers["nope"]


@fast
def members(client, say):
    r = client.get("/status/404")
    say(r.status, r.data, r.info() is r.headers, r.isclosed(), len(r), bool(r))
    say(r.read(), r.readline(), list(r), r.stream.read(), list(r.iter_content()), r.release())


@fast
def without_a_response(client, say):
    r = client.get("http://127.0.0.1:1/")
    say(r.status, r.data, r.info(), r.stream, r.url, r.request.method, r.ok, r.encoding, r.headers)


@fast
def no_response_to_iterate(client):
    list(client.get("http://127.0.0.1:1/").iter_content())


@fast
def an_empty_body(client, say):
    r = client.get("/bytes/0")
    say(len(r), bool(r), r.content, r.text)


@fast
def the_request(client, say):
    q = client.post("/echo?x=1", data={"a": 1}, headers={"X-Y": "z"}).request
    say(q.method, q.url, q.payload, q.body, q.data, q.get_host(), q.get_type(), q.selector, q.get_method())
    say(q.headers["x-y"], q.headers["content-type"], type(q.headers).__name__)


@fast
def the_error(client, say):
    r = client.get("/status/404")
    say(
        repr(r.error), r.error.code, r.error.response is r, r.error.request is r.request, r.error.text, r.error.args[1:]
    )
    say(r.error.http_log.splitlines()[0], hasattr(client.get("/json"), "error"))


@fast
def verdicts(client, say):
    with client.get("/json", catch_response=True) as r:
        say(r._manual_result, r._entered, r._catch_response, list(r.request_meta))
    with client.get("/status/404", catch_response=True) as r:
        say(r.request_meta["exception"] is r.error)
        r.success()
        r.raise_for_status()


@fast.each("success", "failure")
def verdict_outside_a_block(client, value):
    getattr(client.get("/json", catch_response=True), value)(*["x"] * (value == "failure"))


@fast.each("/close-mid-body", "/reset-mid-body")
def a_body_that_breaks_off(client, say, value):
    r = client.get(value)
    say(r.status_code, len(r.content), len(r.text), r.ok, len(r), hasattr(r, "error"))
    with client.get(value, catch_response=True) as r:
        r.success()


@fast
def a_streamed_body(client, say):
    r = client.get("/bytes/3000", stream=True)
    say(len(r.read(10)), len(r.stream.read(20)), len(r.stream.read()), r.read(), r.isclosed())
    say([len(piece) for piece in client.get("/bytes/2500", stream=True).iter_content(1000)])
    say(len(client.get("/chunked/3000?chunk=1000", stream=True).content))
    say(len(client.get("/encoded/gzip", stream=True).content))
    say(client.get("/bytes/300", stream=True).stream.readline(b"\n")[:5])


@fast
def a_stream_let_go_of(client, say):
    with client.get("/bytes/3000000", stream=True) as r:
        say(r.isclosed())
    say(client.get("/json").status_code)


@fast.each("/close-mid-body", "/reset-mid-body")
def a_stream_that_breaks_off(client, say, value):
    client.get(value, stream=True).read()


@fast
def a_time_out_within_the_body(user, another, say):
    say(another(user, network_timeout=0.2).client.get("/drip?bytes=5&ms=600").status_code)
