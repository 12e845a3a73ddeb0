"""What comes back: bodies and how they are coded, headers, redirects."""

from __future__ import annotations

from ..probe import both


@both
def text_content_json(client, say):
    r = client.get("/json")
    say(
        r.status_code,
        r.text,
        len(r.content),
        r.json(),
        r.ok,
        bool(r),
        r.reason,
        r.encoding,
        r.apparent_encoding is not None,
    )


@both
def headers(client, say):
    r = client.get("/headers?X-Thing=a&x-other=b")
    say(
        r.headers["x-thing"],
        r.headers.get("X-OTHER"),
        r.headers.get("none"),
        "X-Thing" in r.headers,
        sorted(k for k in r.headers if k.lower().startswith("x-")),
    )


@both
def url(client, say):
    r = client.get("/json?a=1", name="shown")
    say(r.url, r.request.method, r.request.url, r.request.path_url)


@both
def no_content(client, say):
    r = client.get("/no-content")
    say(r.status_code, r.text, r.content == b"")


@both
def not_modified(client, say):
    r = client.get("/not-modified")
    say(r.status_code, r.text)


@both
def not_json(client):
    client.get("/bytes/3").json()


@both
def bytes(client, say):
    r = client.get("/bytes/100000")
    say(len(r.content), len(r.text))


@both
def chunked(client, say):
    r = client.get("/chunked/5000?chunk=100")
    say(len(r.content), r.headers.get("transfer-encoding"))


@both
def until_close(client, say):
    r = client.get("/to-close/700")
    say(len(r.content))
    say(client.get("/json").status_code)


@both
def gzip(client, say):
    r = client.get("/encoded/gzip")
    say(r.text, r.headers.get("content-encoding"))


@both
def deflate(client, say):
    r = client.get("/encoded/deflate")
    say(r.text)


@both
def deflate_raw(client, say):
    r = client.get("/encoded/deflate-raw")
    say(r.text)


@both
def br(client, say):
    r = client.get("/encoded/br")
    say(r.text)


@both
def identity(client, say):
    r = client.get("/encoded/identity")
    say(r.text)


@both
def unknown_encoding(client, say):
    r = client.get("/encoded/unknown")
    say(r.text)


@both
def gzip_corrupt(client, say):
    r = client.get("/encoded/gzip-corrupt")
    say(r.status_code, len(r.content))


@both
def set_cookies(client, say):
    r = client.get("/cookies/set?a=1&b=2")
    say(r.cookies.get("a"), dict(client.cookies), client.get("/cookies").json())
    client.get("/echo")
    client.get("/cookies/delete?a")
    say(dict(client.cookies))


@both
def slow_drip(client, say):
    say(len(client.get("/drip?bytes=5&ms=10").content))


@both
def informational(client, say):
    say(client.get("/informational").status_code)


@both
def as_a_context_manager(client, say):
    with client.get("/json") as r:
        say(r.status_code)


@both
def tls_unverified(client, tls, say):
    say(client.get(tls + "/json", verify=False).status_code)


@both
def tls_unverified_session(client, tls, say):
    client.verify = False
    say(client.get(tls + "/json").status_code)


@both
def redirect(client, say):
    r = client.get("/redirect/3")
    say(r.status_code, r.url, [(h.status_code, h.url) for h in r.history])


@both
def redirect_absolute(client, say):
    r = client.get("/redirect/2?absolute=1")
    say(r.status_code, r.url)


@both
def redirect_not_followed(client, say):
    r = client.get("/redirect/1", allow_redirects=False)
    say(r.status_code, r.headers["location"], r.is_redirect, r.history)


@both
def redirect_after_post_302(client, say):
    r = client.post("/redirect-to?url=/echo", data={"a": 1})
    say(r.url)


@both
def redirect_after_post_303(client):
    client.post("/redirect-to?url=/echo&status=303", json={"a": 1})


@both
def redirect_after_post_307(client):
    client.post("/redirect-to?url=/echo&status=307", json={"a": 1})


@both
def redirect_after_post_308(client):
    client.put("/redirect-to?url=/echo&status=308", data="x")


@both
def redirect_of_head(client, say):
    r = client.head("/redirect/1")
    say(r.status_code)


@both
def redirect_to_another_host(client, user):
    client.get(
        "/redirect-to?url=" + user.host.replace("127.0.0.1", "localhost") + "/echo",
        headers={"Authorization": "Bearer x"},
        auth=None,
    )


@both
def redirect_with_a_name(client, say):
    r = client.get("/redirect/2", name="hops")
    say(r.url, r.status_code)


@both
def redirect_that_sets_cookies(client, say):
    r = client.get("/cookies/set?a=1")
    say(dict(client.cookies))
    r = client.get("/redirect-to?url=/cookies")
    say(r.json())


@both
def too_many_redirects(client, say):
    r = client.get("/redirect/40")
    say(r.status_code)


@both
def redirect_to_nowhere(client, say):
    r = client.get("/redirect-to?url=http://127.0.0.1:1/")
    say(r.status_code)
