"""`catch_response` in every shape, names, contexts, and what a block may change."""

from __future__ import annotations

import json

import gevent
import requests

from ..probe import both, fast, http


@both.each("text", ValueError("wrong"), KeyError("key"), {"a": 1}, 42, None, "", ["list"], b"bytes", 1.5, True)
def failure(client, value):
    with client.get("/json", catch_response=True) as r:
        r.failure(value)


@both
def failure_with_a_class(client):
    with client.get("/json", catch_response=True) as r:
        r.failure(ValueError)


@both
def failure_with_no_exception_of_python(client):
    with client.get("/json", catch_response=True) as r:
        r.failure(KeyboardInterrupt("stop"))


@both
def failure_with_long_and_odd_text(client):
    with client.get("/json", catch_response=True) as r:
        r.failure("ü\n\t'\"\\ " + "x" * 500)


@both
def failures_are_grouped(client):
    for n in range(4):
        with client.get("/json", catch_response=True) as r:
            r.failure(f"kind {n % 2}")


@both
def failures_that_differ_by_address_only(client):
    for _ in range(2):
        with client.get("/json", catch_response=True) as r:
            r.failure(f"object {object()!r}")


@both
def last_verdict_counts(client):
    with client.get("/json", catch_response=True) as r:
        r.failure("one")
        r.failure("two")
    with client.get("/json", catch_response=True) as r:
        r.failure("one")
        r.success()
        r.failure("three")


@both
def nested(client, say):
    with client.get("/json", catch_response=True, name="outer") as outer:
        with client.get("/status/500", catch_response=True, name="inner") as inner:
            inner.success()
        outer.failure("outer")


@both
def entered_twice(client):
    r = client.get("/json", catch_response=True)
    with r:
        r.failure("first")
    with r:
        r.success()


@both
def verdict_after_the_block(client):
    with client.get("/json", catch_response=True) as r:
        pass
    r.failure("too late")


@both
def verdict_without_a_block(client):
    r = client.get("/json", catch_response=True)
    r.failure("never counted")


@both
def never_entered(client, say):
    r = client.get("/status/500", catch_response=True)
    say(r.status_code)


@http
def with_but_not_caught(client):
    with client.get("/json") as r:
        r.status_code


@fast
def with_but_not_caught_fast(client, say):
    with client.get("/json") as r:
        say(r.status_code)


@both
def with_but_not_caught_and_failure(client):
    with client.get("/json") as r:
        r.failure("no")


class OwnError(Exception):
    pass


@both.each(
    OwnError("own"), AssertionError("assert"), ZeroDivisionError(), TypeError("t"), requests.ConnectionError("c")
)
def raised_inside(client, value):
    with client.get("/json", catch_response=True):
        raise value


@both.each("InterruptTaskSet", "RescheduleTask", "RescheduleTaskImmediately", "StopUser", "StopTest")
def control_exception_inside(client, locust, value):
    with client.get("/json", catch_response=True):
        raise getattr(locust.exception, value)()


@both
def subclass_of_response_error_inside(client, locust):
    class Own(locust.exception.ResponseError):
        pass

    with client.get("/json", catch_response=True):
        raise Own("own")


@both
def raised_after_success(client):
    with client.get("/status/500", catch_response=True) as r:
        r.success()
        raise KeyError("after")


@both
def response_error_after_success(client, locust):
    with client.get("/json", catch_response=True) as r:
        r.success()
        raise locust.exception.ResponseError("after")


@both
def gevent_timeout_inside(client, say):
    try:
        with gevent.Timeout(0.05), client.get("/json", catch_response=True) as r:
            say(r.status_code)
            gevent.sleep(5)
    except gevent.Timeout:
        say("timed out")


@both
def gevent_timeout_around(client, say):
    try:
        with gevent.Timeout(0.05):
            client.get("/delay?ms=3000")
    except gevent.Timeout:
        say("timed out")
    say(client.get("/json").status_code)


@both
def killed_while_waiting(client, say):
    waiting = gevent.spawn(client.get, "/delay?ms=3000")
    gevent.sleep(0.05)
    waiting.kill()
    say(waiting.dead, client.get("/json").status_code)


@both
def json_inside_that_is_none(client):
    with client.get("/bytes/5", catch_response=True) as r:
        try:
            r.json()
        except json.JSONDecodeError:
            r.failure("no JSON")


@both
def verdict_by_field(client):
    with client.post("/echo", json={"a": 1}, catch_response=True) as r:
        if r.json()["method"] != "GET":
            r.failure(f"method was {r.json()['method']}, status {r.status_code}")


@both
def verdict_by_time(client):
    with client.get("/delay?ms=20", catch_response=True) as r:
        r.success() if r.elapsed.total_seconds() < 5 else r.failure("slow")


@both
def raise_for_status_inside_after_success(client, say):
    with client.get("/status/500", catch_response=True) as r:
        r.success()
        r.raise_for_status()
        say("nothing raised")


@both
def raise_for_status_inside_after_failure(client):
    with client.get("/json", catch_response=True) as r:
        r.failure("mine")
        r.raise_for_status()


@both.each("name", "response_length", "context", "request_type", "url", "exception", "start_time")
def meta_edited(client, value):
    edited = {
        "name": "edited",
        "response_length": 12345,
        "context": {"edited": True},
        "request_type": "EDITED",
        "url": "edited",
        "exception": ValueError("edited"),
        "start_time": 5.0,
    }
    with client.get("/json", catch_response=True) as r:
        r.request_meta[value] = edited[value]


@both
def meta_with_a_key_of_its_own(client):
    with client.get("/json", catch_response=True) as r:
        r.request_meta["own"] = "mine"


@both
def meta_replaced(client):
    with client.get("/json", catch_response=True) as r:
        r.request_meta = {**r.request_meta, "name": "replaced"}


@both
def meta_response_time(client, user):
    with client.get("/json", catch_response=True) as r:
        r.request_meta["response_time"] = 1234
    entry = user.environment.stats.get("/json", "GET")
    assert entry.max_response_time == 1234, entry.max_response_time


@both
def meta_as_seen(client, say):
    with client.get("/json?a=1", catch_response=True, name="n", context={"c": 1}) as r:
        say(sorted(r.request_meta), {k: r.request_meta[k] for k in ("name", "context", "url", "response_length")})


@http
def meta_order(client, say):
    say(list(client.get("/json").request_meta))


@both
def names(client):
    client.get("/json?a=1", name="/json?a=[a]")
    client.get("/json", name="ünï ☃")
    client.get("/json", name="a\nb,c;d\"e'")
    client.get("/json", name="x" * 300)
    client.get("/json", name=" spaced ")


@both.each(5, ("a", "b"), b"bytes", ["list"])
def name_that_is_no_text(client, value):
    client.get("/json", name=value)


@both
def same_name_of_several_verbs(client):
    client.get("/json", name="one")
    client.post("/json", name="one")
    client.get("/status/500", name="one")


@http
def request_name(client, say):
    client.request_name = "all"
    client.get("/json")
    client.get("/json", name="own")
    client.get("/status/404")
    client.request_name = ""
    client.get("/json")
    say(client.request_name, client.explicit_name)


@both
def renamed_in_nested_blocks(client, say):
    with client.rename_request("outer"):
        client.get("/json")
        with client.rename_request("inner"):
            client.get("/json")
        client.get("/json")
    say(client.request_name)


@both
def renamed_and_raised(client, say):
    try:
        with client.rename_request("renamed"):
            client.get("/json")
            raise KeyError
    except KeyError:
        client.get("/json")


@both
def renamed_and_caught(client):
    with client.rename_request("renamed"), client.get("/json", catch_response=True) as r:
        r.failure("no")


@both
def contexts(client):
    client.get("/json", context={"a": 1, "nested": {"b": [1]}})
    client.get("/json", context={})
    client.post("/status/500", context={"user": "overrides"})


@both
def context_of_the_user(user, another):
    count = []

    def context(self):
        count.append(1)
        return {"calls": len(count)}

    own = another(user, context=context)
    own.client.get("/json")
    own.client.get("/json", context={"more": 1})
    with own.client.get("/json", catch_response=True) as r:
        r.failure("no")


@both
def context_of_the_user_that_is_wrong(user, another):
    another(user, context=lambda self: None).client.get("/json")


@both
def listener_of_the_environment(user, another, say):
    def listen(request_type, name, exception, **others):
        say(request_type, name, exception is None, sorted(others))

    user.environment.events.request.add_listener(listen)
    try:
        user.client.get("/json")
        user.client.get("/status/404")
        with user.client.get("/json", catch_response=True) as r:
            r.failure("no")
    finally:
        user.environment.events.request.remove_listener(listen)


@both
def listener_sees_the_response(user, say):
    def listen(response, **others):
        say(response.status_code, response.text, response.url)

    user.environment.events.request.add_listener(listen)
    try:
        user.client.get("/json", name="named")
        with user.client.get("/json", name="named", catch_response=True) as r:
            r.success()
    finally:
        user.environment.events.request.remove_listener(listen)


@both
def listener_that_raises(user, say):
    def listen(**others):
        raise KeyError("listener")

    user.environment.events.request.add_listener(listen)
    try:
        say(user.client.get("/json").status_code)
    finally:
        user.environment.events.request.remove_listener(listen)


@both
def fired_by_hand(user):
    fire = user.environment.events.request.fire
    fire(request_type="OWN", name="n", response_time=5, response_length=7, exception=None, context={}, response=None,
         start_time=1.0, url="u")  # fmt: skip
    fire(request_type="OWN", name="n", response_time=None, response_length=0, exception=ValueError("x"), context={},
         response=None, start_time=1.0, url="u")  # fmt: skip


@both
def type_of_the_method(client):
    client.request("get", "/json")
    client.request("GET", "/json")
