"""`FastHttpUser`: its session, its responses, its errors."""

from __future__ import annotations

import io
import ssl

from ..probe import fast


@fast
def content_and_text(client, say):
    r = client.get("/json")
    say(bytes(r.content), r.text, r.json(), r.status_code, r.ok, r.encoding, r.url)
    say(len(r), bool(r), r.content is r.content)


@fast.each("text/plain", "text/plain; charset=utf-8", "application/json", "", "text/html; charset=nonsense")
def text(client, target, say, value):
    target.respond("/text", body="ünï", headers={"content-type": value} if value else {})
    r = client.get("/text")
    say(r.text, r.encoding)


@fast
def text_of_another_encoding(client, target, say):
    target.respond("/text", body="ünï", headers={"content-type": "text/plain"})
    r = client.get("/text")
    r.encoding = "utf-8"
    say(r.text)


@fast.each('{"a": 1}', "[]", "", "{", "null", "<html>")
def json_of(client, target, say, value):
    target.respond("/it", body=value)
    say(client.get("/it").json())


@fast
def headers(client, target, say):
    target.respond("/it", headers={"X-One": "1", "x-two": ["a", "b"]})
    h = client.get("/it").headers
    say(
        h["x-one"],
        h["X-TWO"],
        h.get("none"),
        h.get("x-one"),
        "X-one" in h,
        len(h),
        h.getlist("x-two"),
        h.get_all("x-two"),
    )
    say(sorted(list(pair) for pair in h.items() if pair[0].startswith("x")), h.getheaders("x-one"))
    h["none"]


@fast
def request(client, say):
    q = client.post("/echo?q=1", data={"a": 1}, headers={"X-A": "1"}).request
    say(type(q).__name__, q.method, q.url, q.payload, q.body, sorted(q.headers))


@fast
def request_after_a_redirect(client, say):
    r = client.post("/redirect-to?url=/json", data="x")
    say(r.request.method, r.request.url, r.url)


@fast
def history_and_elapsed(client, say):
    r = client.get("/redirect/2")
    say(len(r.history), r.elapsed.total_seconds() > 0, [h.status_code for h in r.history])


@fast
def error_of_a_good_one(client, say):
    say(hasattr(client.get("/json"), "error"))
    client.get("/json").error


@fast
def error_of_a_bad_status(client, say):
    r = client.get("/status/404")
    e = r.error
    say(type(e).__name__, e.code, e.response is r, e.url == r.url, str(e), repr(e))
    r.raise_for_status()


@fast.each(200, 201, 204, 208, 209, 226, 227, 300, 301, 304, 305, 306, 307, 308, 399, 400, 451, 500, 599)
def status(client, say, value):
    r = client.get(f"/status/{value}")
    say(r.status_code, r.ok, hasattr(r, "error"))


@fast
def error_response(client, say):
    r = client.get("http://127.0.0.1:1/x")
    say(type(r).__name__, r.status_code, r.ok, r.content, r.text, r.headers, type(r.error).__name__, r.url)
    r.raise_for_status()


@fast
def error_response_json(client):
    client.get("http://127.0.0.1:1/x").json()


@fast
def error_response_bool(client):
    bool(client.get("http://127.0.0.1:1/x"))


@fast
def error_response_iterated(client):
    list(client.get("http://127.0.0.1:1/x").iter_content())


@fast
def success_outside(client):
    client.get("/json").success()


@fast.each("cookies", "reason", "iter_lines", "links", "raw", "apparent_encoding", "missing")
def attribute_that_is_not_there(client, say, value):
    getattr(client.get("/json"), value)


@fast
def older_attributes(client, say):
    r = client.get("/json")
    say(r.status, len(r.data), r.isclosed())


@fast
def info(client, say):
    r = client.get("/json")
    say(r.info()["content-type"])


@fast
def truth_of_an_empty_one(client, say):
    say(bool(client.get("/bytes/0")), bool(client.get("/bytes/5")))


@fast
def names(client, host):
    client.get("/json?a=ü b")
    client.get(host + "/json")
    client.get("/json", params={"a": 1})
    client.get("/json#part", name="")


@fast
def listeners_get_a_fast_response(user, locust, say):
    fasthttp = locust.contrib.fasthttp

    def listen(response, **others):
        say(isinstance(response, fasthttp.FastResponse), isinstance(response, fasthttp.ErrorResponse))

    user.environment.events.request.add_listener(listen)
    try:
        user.client.get("/json")
        user.client.get("http://127.0.0.1:1/")
        with user.client.get("/json", catch_response=True) as r:
            say(isinstance(r, fasthttp.ResponseContextManager), isinstance(r, fasthttp.FastResponse))
        with user.client.get("http://127.0.0.1:1/", catch_response=True) as r:
            say(isinstance(r, fasthttp.ResponseContextManager))
            r.success()
    finally:
        user.environment.events.request.remove_listener(listen)


@fast.each("verify", "timeout", "cookies", "proxies", "cert", "hooks", "anything")
def unknown_keyword(client, value):
    client.get("/echo", **{value: "1"})
    client.put("/echo", data="x", **{value: "1"})


@fast
def unknown_keyword_of_a_post(client):
    client.post("/echo", verify=False)
    client.post("/echo", data={"a": "1"}, timeout=5)


@fast
def unknown_keyword_of_a_post_with_text(client):
    client.post("/echo", data="text", timeout=5)


@fast
def unknown_keyword_with_params(client):
    client.get("/echo", params={"a": 1}, b=2)


@fast
def content_types(client):
    client.post("/echo", data={"a": 1})
    client.post("/echo", data="text")
    client.post("/echo", data=b"bytes")
    client.post("/echo", json=[])
    client.post("/echo", data="text", headers={"content-type": "x/y"})


@fast
def json_headers(client):
    client.post("/echo", json={}, headers={"Accept": "x/y"})
    client.post("/echo", json={}, headers={"accept": "x/y", "content-type": "a/b"})
    client.get("/echo", json=None)


@fast
def pool_closed(client, say):
    client.get("/json")
    client.client.clientpool.close()
    say(client.get("/json").status_code)


@fast
def pool_closed_after_each(client):
    for _ in range(3):
        client.get("/json")
        client.client.clientpool.close()


@fast
def pool_shared(user, another):
    from geventhttpclient.client import HTTPClientPool

    pool = HTTPClientPool()
    another(user, client_pool=pool).client.get("/json")
    another(user, client_pool=pool).client.get("/json")


@fast
def ssl_context_factory(user, another, tls, say):
    def factory():
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        say("made")
        return context

    own = another(user, ssl_context_factory=factory)
    say(own.client.get(tls + "/json").status_code)


@fast
def ssl_context_factory_that_verifies(user, another, tls, say):
    own = another(user, ssl_context_factory=ssl.create_default_context)
    say(own.client.get(tls + "/json").status_code)


@fast
def insecure_helper(locust, say):
    context = locust.contrib.fasthttp.insecure_ssl_context_factory()
    say(type(context).__name__, context.check_hostname, context.verify_mode == ssl.CERT_NONE)


@fast
def debug_stream(client, say):
    stream = io.StringIO()
    client.get("/json", debug_stream=stream)
    text = stream.getvalue()
    say("GET /json" in text, "200" in text)


@fast.each(0.05, 5.0)
def network_timeout(user, another, say, value):
    r = another(user, network_timeout=value).client.get("/delay?ms=200")
    say(r.status_code, repr(getattr(r, "error", None)).partition("(")[0])


@fast.each(0, 1, 2)
def max_retries(user, another, say, value):
    r = another(user, max_retries=value, network_timeout=0.05).client.get("/delay?ms=3000")
    say(r.status_code)


@fast
def max_retries_of_a_post(user, another, say):
    r = another(user, max_retries=2, network_timeout=0.05).client.post("/delay?ms=3000", data="x")
    say(r.status_code)


@fast
def max_retries_of_one_call(user, another, say):
    r = another(user, network_timeout=0.05).client.get("/delay?ms=3000", max_retries=1)
    say(r.status_code)


@fast
def concurrency(user, another, say):
    import gevent

    client = another(user, concurrency=2).client
    found = gevent.joinall([gevent.spawn(client.get, "/delay?ms=30") for _ in range(4)])
    say([each.value.status_code for each in found])


@fast
def class_defaults(locust, say):
    user = locust.FastHttpUser
    say(user.network_timeout, user.connection_timeout, user.max_redirects, user.max_retries, user.insecure)
    say(user.default_headers, user.concurrency, user.proxy_host, user.proxy_port, user.client_pool)
    say(user.ssl_context_factory, user.abstract)


@fast
def bare_session(client, locust, user, say):
    session = locust.contrib.fasthttp.FastHttpSession(client.base_url, client.request_event, user)
    say(session.get("/redirect/3").status_code, session.get("/redirect/4").status_code)


@fast
def session_with_arguments(client, locust, user, say):
    session = locust.contrib.fasthttp.FastHttpSession(
        client.base_url, client.request_event, user, headers={"X-A": "1"}, max_redirects=1, network_timeout=5.0
    )
    say(session.get("/echo").status_code, session.get("/redirect/2").status_code)


@fast
def seams_of_the_agent(client, locust, say):
    agent = client.client
    say(type(agent).__name__, isinstance(agent, locust.contrib.fasthttp.LocustUserAgent))
    say(sorted(agent.valid_response_codes), agent.response_type.__name__, agent.request_type.__name__)


@fast
def own_valid_codes(client, say):
    client.client.valid_response_codes = frozenset([404])
    say(hasattr(client.get("/status/404"), "error"), hasattr(client.get("/status/200"), "error"))


@fast
def names_of_the_module(locust, say):
    module = locust.contrib.fasthttp
    wanted = ["FastRequest", "ErrorResponse", "LocustBadStatusCode", "LocustUserAgent", "RestResponseContextManager"]
    say([hasattr(module, name) for name in wanted], [e.__name__ for e in module.FAILURE_EXCEPTIONS])


@fast
def subclass_of_the_session(client, user, locust):
    class Own(locust.contrib.fasthttp.FastHttpSession):
        def request(self, method, url, **kwargs):
            kwargs["headers"] = {**(kwargs.get("headers") or {}), "X-Own": method}
            return super().request(method, url, **kwargs)

    Own(client.base_url, client.request_event, user).get("/echo")
