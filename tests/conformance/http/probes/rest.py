"""`rest` and `rest_` of both users."""

from __future__ import annotations

from ..probe import both


@both
def json_in_and_out(user, say):
    with user.rest("POST", "/echo", json={"a": 1}) as r:
        say(r.js["body"])


@both
def own_headers(user, say):
    mine = {"accept": "x/y", "content-type": "a/b"}
    with user.rest("POST", "/echo", headers=mine, data="q"):
        say(mine)


@both.each("/bytes/300", "/no-content", "/status/404", "/basic-auth/a/b")
def what_came(user, say, value):
    with user.rest("GET", value) as r:
        say(r.js, r.status_code)


@both
def nobody_there(user, say):
    with user.rest("GET", "http://127.0.0.1:1/") as r:
        say(r.js, r.content, r.text, r.status_code)


@both.each((), ("said",), ("said,",))
def an_assertion(user, say, value):
    with user.rest("GET", "/json"):
        raise AssertionError(*value)
    say("went on")


@both.each("RescheduleTask", "StopUser", "ResponseError")
def an_exception(user, say, locust, value):
    class Silent:
        def match(self, line):
            return None

    user._callstack_regex = Silent()
    with user.rest("GET", "/json"):
        raise getattr(locust.exception, value)()
    say("went on")


@both
def a_name(user):
    with user.rest("GET", "/json", name="named", context={"a": 1}):
        pass


@both
def a_name_of_the_session(user):
    user.client.request_name = "renamed"
    with user.rest("GET", "/json"):
        pass
