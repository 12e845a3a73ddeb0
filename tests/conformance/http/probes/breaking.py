"""What goes wrong on the way, and what is refused before."""

from __future__ import annotations

import gevent

from ..probe import both, fast, http


@both
def refused(client, say):
    r = client.get("http://127.0.0.1:1/x")
    say(r.status_code, r.text, r.content, r.ok if r.status_code else None, r.url, type(r).__name__)


@both
def refused_raise_for_status(client):
    client.get("http://127.0.0.1:1/x").raise_for_status()


@both
def refused_json(client):
    client.get("http://127.0.0.1:1/x").json()


@both
def unresolvable(client, say):
    r = client.get("http://nothing.invalid/x")
    say(r.status_code)


@both
def closed_without_an_answer(client, say):
    r = client.get("/close")
    say(r.status_code)


@both
def reset(client, say):
    r = client.get("/reset")
    say(r.status_code)


@both
def closed_in_the_body(client, say):
    r = client.get("/close-mid-body")
    say(r.status_code)


@both
def reset_in_the_body(client, say):
    r = client.get("/reset-mid-body")
    say(r.status_code)


@both
def bad_chunk(client, say):
    r = client.get("/bad-chunk")
    say(r.status_code)


@both
def close_after(client, say):
    say(client.get("/close-after").status_code)
    gevent.sleep(0.05)  # or the close is still on its way, and what follows is a race
    say(client.get("/json").status_code)


@http
def timeout(client, say):
    r = client.get("/delay?ms=3000", timeout=0.1)
    say(r.status_code)


@http
def timeout_as_a_pair(client, say):
    r = client.get("/delay?ms=3000", timeout=(1, 0.1))
    say(r.status_code)


@both
def timeout_long_enough(client, say):
    r = client.get("/delay?ms=20", timeout=5)
    say(r.status_code)


@both
def timeout_none(client, say):
    r = client.get("/delay?ms=20", timeout=None)
    say(r.status_code)


@http
def timeout_in_the_body(client, say):
    r = client.get("/drip?bytes=10&ms=400", timeout=0.1)
    say(r.status_code)


@both
def tls_verified(client, tls, say):
    r = client.get(tls + "/json")
    say(r.status_code)


@both
def plain_http_to_tls(client, tls, say):
    r = client.get(tls.replace("https", "http") + "/json")
    say(r.status_code)


@both
def tls_to_plain_http(client, user, say):
    r = client.get(user.host.replace("http", "https") + "/json")
    say(r.status_code)


@both
def missing_schema(client):
    client.get("ftp://127.0.0.1/x")


@both
def invalid_url(client):
    client.get("http://")


@both
def bad_port(client):
    client.get("http://127.0.0.1:99999/")


@both
def unknown_argument(client):
    client.get("/json", nonsense=1)


@both
def header_that_is_no_text(client):
    client.get("/json", headers={"X": 1})


@both
def header_with_a_newline(client):
    client.get("/json", headers={"X": "a\nb"})


@both
def json_that_cannot_be(client):
    client.post("/json", json={"a": object()})


@both
def after_a_failure_the_client_goes_on(client, say):
    client.get("/reset")
    client.get("http://127.0.0.1:1/")
    say(client.get("/json").status_code)


@fast.each(0.001, (1, 0.001))
def timeout_is_a_word_like_any_other(client, value):
    client.get("/delay?ms=20", timeout=value)
