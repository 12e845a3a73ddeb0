"""`rest` and `rest_` of both users."""

from __future__ import annotations

from contextlib import contextmanager

from ..probe import both


@both
def what_is_sent(user):
    with user.rest("GET", "/echo"):
        pass
    with user.rest("POST", "/echo", json={"a": 1}, headers={"Accept": "x/y", "X-A": "1"}):
        pass
    with user.rest("PUT", "/echo", data="x", headers={"content-type": "a/b"}):
        pass


@both
def js(user, say):
    with user.rest("GET", "/json") as r:
        say(r.js, r.status_code)


@both.each("", "[]", "null", "{", "<html>text", "5")
def js_of(user, target, say, value):
    target.respond("/it", body=value)
    with user.rest("GET", "/it") as r:
        say(r.js)


@both.each('{"error": "x"}', "no json")
def failing_status(user, target, say, value):
    target.respond("/it", status=500, body=value)
    with user.rest("GET", "/it") as r:
        say(r.js)


@both
def refused(user, say):
    with user.rest("GET", "http://127.0.0.1:1/") as r:
        say(r.js, r.status_code)


@both
def failure_by_hand(user):
    with user.rest("GET", "/json") as r:
        r.failure("by hand")


@both
def success_by_hand(user):
    with user.rest("GET", "/status/500") as r:
        r.success()


@both
def assertion(user):
    with user.rest("GET", "/json"):
        assert False  # noqa: B011
    with user.rest("GET", "/json"):
        raise AssertionError("with words")
    with user.rest("GET", "/json"):
        raise AssertionError("with a comma,")


@both
def name_and_context(user):
    with user.rest("GET", "/json", name="named", context={"a": 1}):
        pass


@both
def renamed(user):
    with user.client.rename_request("renamed"), user.rest("GET", "/json"):
        pass


@both
def control_exception(user, locust):
    with user.rest("GET", "/json"):
        raise locust.exception.StopUser("x")


@both
def with_an_underscore(user):
    with user.rest_("GET", "/echo"):
        pass
    with user.rest_("GET", "/echo?a=1"):
        pass
    with user.rest_("GET", "/echo", name="named"):
        pass


@both
def overridden(user, another, locust, say):
    base = type(user).__mro__[1]

    @contextmanager
    def rest(self, method, url, **kwargs):
        with base.rest(self, method, url, headers={"X-Own": "1"}, **kwargs) as r:
            say(r.js is not None)
            yield r

    with another(user, rest=rest).rest("GET", "/echo") as r:
        r.failure("own")


@both
def caught_keyword(user, say):
    with user.rest("GET", "/json", catch_response=True) as r:
        say(r.status_code)
