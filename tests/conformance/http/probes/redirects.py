"""Redirects: which are followed, as what, where to, and what is kept on the way."""

from __future__ import annotations

from ..probe import both, fast, http


@both.each(301, 302, 303, 307, 308)
def of_each_verb(client, say, value):
    for verb in ("get", "post", "put", "patch", "delete", "options"):
        r = getattr(client, verb)(f"/redirect-to?url=/echo&status={value}")
        say(verb, r.status_code)


@both.each(301, 302, 303, 307, 308)
def of_a_body(client, value):
    client.post(f"/redirect-to?url=/echo&status={value}", data="body", headers={"Content-Type": "text/x", "X-A": "1"})
    client.put(f"/redirect-to?url=/echo&status={value}", json={"a": 1})


@both.each(300, 304, 305, 306)
def status_that_is_not_followed(client, say, target, value):
    target.respond("/there", status=value, headers={"location": "/echo"})
    say(client.get("/there").status_code)


@both
def without_a_location(client, say, target):
    target.respond("/there", status=302)
    r = client.get("/there")
    say(r.status_code, r.url)


@both.each(
    "/echo",
    "echo",
    "../echo",
    "./echo?a=1",
    "?q=1",
    "#fragment",
    "/echo#fragment",
    "/echo?a=b c",
    "/echo?ü=☃",
    "/a/../echo",
    "//HOST/echo",
    "http://HOST/echo",
    "HTTP://HOST/echo",
    "http://HOST",
    "http://HOST?q=1",
    " /echo ",
    "",
    "/echo%20x",
    "/echo%zz",
)
def location(client, say, target, host, value):
    target.respond("/deep/there", status=302, headers={"location": value.replace("HOST", host.partition("//")[2])})
    r = client.get("/deep/there?x=1#here", allow_redirects=True)
    say(r.status_code, r.url)


@both.each("ftp://elsewhere/", "javascript:alert(1)", "http://", "http://:80/", "http://h:99999/", "mailto:a@b")
def location_that_leads_nowhere(client, say, target, value):
    target.respond("/there", status=302, headers={"location": value})
    r = client.get("/there")
    say(r.status_code)


@http
def fragment_is_inherited(client, say, target):
    target.respond("/there", status=302, headers={"location": "/json"})
    say(client.get("/there#kept").url)
    target.respond("/there", status=302, headers={"location": "/json#own"})
    say(client.get("/there#lost").url)


@both
def loop(client, say, target):
    target.respond("/loop", status=302, headers={"location": "/loop"})
    r = client.get("/loop")
    say(r.status_code)


@both
def loop_of_two(client, say, target):
    target.respond("/one", status=302, headers={"location": "/two"})
    target.respond("/two", status=302, headers={"location": "/one"})
    say(client.post("/one", data="x").status_code)


@http.each(0, 1, 2, 3)
def limit(client, say, value):
    client.max_redirects = value
    r = client.get("/redirect/2")
    say(r.status_code, None if r.error is None else type(r.error).__name__)


@fast.each(0, 1, 2, 3)
def limit_of_the_class(user, another, say, value):
    r = another(user, max_redirects=value).client.get("/redirect/2")
    say(r.status_code)


@fast
def limit_of_one_call(client, say):
    say(client.get("/redirect/3", max_redirects=2).status_code, client.get("/redirect/3", max_redirects=3).status_code)


@both
def another_port_gets_no_authorization(client, other, target):
    target.respond("/there", status=302, headers={"location": f"{other}/echo"})
    client.get("/there", headers={"Authorization": "Bearer secret", "X-Kept": "1", "Cookie": "own=1"})


@both
def another_port_gets_no_basic_auth(client, other, target):
    target.respond("/there", status=307, headers={"location": f"{other}/echo"})
    client.post("/there", auth=("u", "p"), data="kept")


@both
def another_host_gets_no_authorization(client, other, target):
    target.respond("/there", status=302, headers={"location": other.replace("127.0.0.1", "localhost") + "/echo"})
    client.get("/there", headers={"Authorization": "Bearer secret"})


@both
def same_host_keeps_authorization(client):
    client.get("/redirect-to?url=/echo", headers={"Authorization": "Bearer secret"})
    client.get("/redirect-to?url=/echo", auth=("u", "p"))


@http
def auth_of_the_session_on_another_host(client, other, target):
    client.auth = ("u", "p")
    target.respond("/there", status=302, headers={"location": f"{other}/echo"})
    client.get("/there")


@http
def header_of_the_session_on_another_host(client, other, target):
    client.headers["Authorization"] = "Bearer secret"
    client.headers["X-Session"] = "1"
    target.respond("/there", status=302, headers={"location": f"{other}/echo"})
    client.get("/there")


@both
def host_header_of_its_own(client):
    client.get("/redirect-to?url=/echo", headers={"Host": "elsewhere.example"})


@http
def params_are_not_added_again(client):
    client.params = {"s": "1"}
    client.get("/redirect-to?url=/echo", params={"a": "1"})


@http
def history(client, say):
    r = client.get("/redirect/3?absolute=1")
    for hop in r.history:
        say(hop.status_code, hop.reason, hop.url, hop.headers["location"], hop.is_redirect, len(hop.history), hop.text)
        say(hop.request.method, hop.request.url, hop.elapsed.total_seconds() >= 0, type(hop).__name__, hop.ok)
    say(r.url, r.request.url, r.is_redirect, r.next is None)


@http
def history_of_a_post(client, say):
    r = client.post("/redirect-to?url=/json", data={"a": 1})
    say([(h.request.method, h.request.body, h.status_code) for h in r.history], r.request.method, r.request.body)
    say(sorted(r.request.headers), sorted(r.history[0].request.headers))


@http
def not_followed(client, say):
    r = client.get("/redirect/2", allow_redirects=False)
    say(r.is_redirect, r.is_permanent_redirect, r.next.url, r.next.method, r.history, r.ok)
    r = client.get("/redirect/2?status=308", allow_redirects=False)
    say(r.is_redirect, r.is_permanent_redirect, r.next.url)


@http
def not_followed_and_then_sent(client, say):
    r = client.post("/redirect/2", data="x", allow_redirects=False)
    again = client.send(r.next, allow_redirects=True)
    say(again.status_code, again.url, len(again.history))


@http
def resolved_by_hand(client, say):
    r = client.get("/redirect/2", allow_redirects=False)
    say([(hop.status_code, hop.url) for hop in client.resolve_redirects(r, r.request)])


@http
def target_of_a_redirect(client, say):
    r = client.get("/redirect/2", allow_redirects=False)
    say(client.get_redirect_target(r), client.get_redirect_target(client.get("/json")))


@both
def not_followed_by_request(client, say):
    r = client.request("GET", "/redirect/1", allow_redirects=False)
    say(r.status_code, r.url)


@both
def head_followed(client, say):
    say(client.head("/redirect/2", allow_redirects=True).status_code)
    say(client.head("/redirect/2", allow_redirects=False).status_code)


@both
def to_a_failure(client, say):
    r = client.get("/redirect-to?url=/status/404")
    say(r.status_code, r.url)
    say(client.get("/redirect-to?url=/close-mid-body").status_code)


@both
def to_a_failure_under_a_name(client, say):
    say(client.get("/redirect-to?url=/status/500", name="named").status_code)
    say(client.get("/redirect-to?url=http://127.0.0.1:1/x", name="named").status_code)


@both
def from_http_to_https(client, say, target, tls):
    target.respond("/there", status=302, headers={"location": f"{tls}/json"})
    say(client.get("/there", verify=False).status_code)


@both
def of_a_large_body_is_read(client, say, target):
    target.respond("/there", status=302, headers={"location": "/json"}, body="x" * 100_000)
    r = client.get("/there")
    say(r.status_code, len(r.content))


@both
def caught(client, say):
    with client.get("/redirect/1", catch_response=True, allow_redirects=False) as r:
        say(r.status_code)
        r.failure("I did not want that")
    with client.get("/redirect/1", catch_response=True) as r:
        r.success()


@http
def session_subclass_decides(client, say):
    def rebuild_auth(prepared, response):
        prepared.headers["X-Rebuilt"] = "1"

    client.rebuild_auth = rebuild_auth
    client.get("/redirect-to?url=/echo", auth=("u", "p"))


@http
def location_in_latin_1(client, say, target):
    r = client.get("/headers?Location=/caf%E9", allow_redirects=False)
    say(r.status_code, client.get_redirect_target(r))
