"""`FastHttpSession`: what it sends, what its settings do, and what of geventhttpclient can be reached through it."""

from __future__ import annotations

import io

from ..probe import fast


@fast
def retries_after_a_time_out(user, another, say):
    client = another(user, network_timeout=0.2, max_retries=2).client
    error = client.get("/delay?ms=3000").error
    say(str(error), type(error.original).__name__, error.text)


@fast
def no_retries_of_a_post(user, another):
    another(user, network_timeout=0.2, max_retries=2).client.post("/delay?ms=3000")


@fast
def no_retries_of_a_status(user, another):
    another(user, max_retries=2).client.get("/status/503")


@fast
def redirects_of_one_request(client, say):
    say(client.get("/redirect/3", max_redirects=3).status_code)
    say(client.get("/redirect/3", max_redirects=0).status_code)


@fast
def redirect_codes_of_the_agent(client, say):
    client.client.redirect_response_codes = frozenset([301])
    say(client.get("/redirect/1").status_code, client.get("/redirect/1?status=301").status_code)


@fast
def valid_codes_of_the_agent(client, say):
    client.client.valid_response_codes = frozenset([404])
    say(hasattr(client.get("/status/404"), "error"), str(client.get("/json").error))


@fast
def headers_of_the_agent(client, say):
    client.client.default_headers["X-New"] = "1"
    client.get("/echo")
    client.client.default_headers.update({"User-Agent": "me"})
    client.get("/echo")
    del client.client.default_headers["x-new"]
    client.get("/echo")


@fast
def redirects_of_the_agent(client, say):
    client.client.max_redirects = 3
    say(client.get("/redirect/3").status_code)


@fast
def a_cookie_jar(client, say):
    client.get("/cookies/set?a=1")
    say(sorted((cookie.name, cookie.value, cookie.path) for cookie in client.cookiejar), len(client.cookiejar))
    client.cookiejar.clear()
    client.get("/cookies")


@fast
def cookies_off(client):
    client.client.cookiejar = None
    client.get("/cookies/set?a=1")
    client.get("/cookies")


@fast
def pool_closed(client, say):
    client.get("/json")
    say(client.client.clientpool.close(), client.get("/json").status_code)


@fast
def urlopen(client, host, say):
    say(client.client.urlopen(host + "/json").status_code)


@fast
def auth_header(client):
    client.auth_header = "Basic eA=="
    client.get("/echo")
    client.get("/echo", auth=("u", "p"))
    client.auth_header = None
    client.get("/echo")


@fast
def encodings_among_the_default_headers(user, another):
    another(user, default_headers={"Accept-Encoding": "identity"}).client.get("/echo")


@fast
def a_type_among_the_default_headers(user, another):
    client = another(user, default_headers={"Content-Type": "a/b", "Accept": "c/d"}).client
    client.post("/echo", json={"a": 1})
    client.post("/echo", json={"a": 1}, headers={"content-type": "own/type"})
    client.post("/echo", data={"a": 1})


@fast
def arguments_by_position(client):
    client.request("POST", "/echo", "a name", "data")


@fast
def debug_stream(client, say):
    stream = io.StringIO()
    client.get("/redirect/1", debug_stream=stream)
    say([line for line in stream.getvalue().splitlines() if line.startswith("RE")])


@fast.each("file", "bytes", "text", "numbers")
def body_of(client, folder, value):
    (folder / "body").write_bytes(b"of a file")
    bodies = {
        "file": (folder / "body").open("rb"),
        "bytes": io.BytesIO(b"in memory"),
        "text": (piece for piece in ["a", "b"]),
        "numbers": (piece for piece in [b"1", b"", b"2"]),
    }
    client.post("/echo", data=bodies[value])


@fast
def a_body_in_chunks(client):
    client.post("/echo", data=b"hello", headers={"Transfer-Encoding": "chunked"})


@fast
def files(client):
    client.post("/echo", files={"f": ("n.txt", b"data", "text/x", {}, "BOUND")})
    client.post("/echo", files=[("f", ("q.txt", b"1", "a/b", {"X": "y"}, "BOUND")), ("g", b"2")], data={"a": [1, 2]})


@fast
def files_beside_text(client):
    client.post("/echo", files={"f": b"x"}, data="abc")


@fast
def lines(client, say):
    say(list(client.iter_lines("/headers?a=1")))


@fast
def lines_of_a_bad_status(client):
    list(client.iter_lines("/status/404"))


@fast
def a_url_of_any_characters(client, say):
    say(client.get("/echo/ü b?q=ä&x=%20+").url)
