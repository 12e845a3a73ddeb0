"""What counts as failed, under which name, and how a `with` block decides it."""

from __future__ import annotations

from ..probe import both


@both
def raise_for_status(client):
    client.get("/status/404").raise_for_status()


@both
def raise_for_status_of_a_name(client):
    client.get("/status/503", name="n").raise_for_status()


@both
def name(client, say):
    r = client.get("/json?a=1", name="/json?a=[]")
    say(r.url)


@both
def name_failing(client, say):
    r = client.get("/status/500?a=1", name="/status")
    say(r.url)


@both
def name_none_and_empty(client):
    client.get("/json", name=None)
    client.get("/json", name="")


@both
def request_name(client):
    client.request_name = "all of it"
    client.get("/json")
    client.post("/status/400")
    client.request_name = None
    client.get("/json")


@both
def rename_request(client):
    with client.rename_request("renamed"):
        client.get("/json")
        client.get("/status/404", name="n")
    client.get("/json")


@both
def context(client):
    client.get("/json", context={"more": 1})
    client.get("/json", context={"user": "mine"})


@both
def caught_untouched(client, say):
    with client.get("/json", catch_response=True) as r:
        say(r.status_code, type(r).__name__)


@both
def caught_untouched_failing(client, say):
    with client.get("/status/500", catch_response=True) as r:
        say(r.status_code)


@both
def caught_success(client):
    with client.get("/status/404", catch_response=True) as r:
        r.success()


@both
def caught_failure(client):
    with client.get("/json", catch_response=True) as r:
        r.failure("not what I wanted")


@both
def caught_failure_with_an_exception(client):
    with client.get("/json", catch_response=True) as r:
        r.failure(ValueError("wrong"))


@both
def caught_failure_with_something_else(client):
    with client.get("/json", catch_response=True) as r:
        r.failure({"a": 1})
    with client.get("/json", catch_response=True) as r:
        r.failure(42)


@both
def caught_failure_with_nothing(client):
    with client.get("/json", catch_response=True) as r:
        r.failure("")


@both
def caught_failure_then_success(client):
    with client.get("/json", catch_response=True) as r:
        r.failure("no")
        r.success()


@both
def caught_success_then_failure(client):
    with client.get("/json", catch_response=True) as r:
        r.success()
        r.failure("no")


@both
def caught_responseerror(client, locust):
    with client.get("/json", catch_response=True):
        raise locust.exception.ResponseError("raised")


@both
def caught_catchresponseerror(client, locust):
    with client.get("/json", catch_response=True):
        raise locust.exception.CatchResponseError("raised")


@both
def caught_another_exception(client):
    with client.get("/json", catch_response=True):
        raise KeyError("raised")


@both
def caught_another_exception_after_failure(client):
    with client.get("/json", catch_response=True) as r:
        r.failure("no")
        raise KeyError("raised")


@both
def caught_rescheduletask_after_failure(client, locust):
    with client.get("/json", catch_response=True) as r:
        r.failure("no")
        raise locust.exception.RescheduleTask()


@both
def caught_stopuser(client, locust):
    with client.get("/json", catch_response=True):
        raise locust.exception.StopUser()


@both
def caught_return(client, say):
    def f():
        with client.get("/json", catch_response=True) as r:
            return r.status_code

    say(f())


@both
def caught_raise_for_status(client):
    with client.get("/status/500", catch_response=True) as r:
        r.raise_for_status()


@both
def caught_assert(client):
    with client.get("/json", catch_response=True) as r:
        assert r.status_code == 201, "not 201"


@both
def caught_without_with(client, say):
    r = client.get("/json", catch_response=True)
    r.success()
    say(type(r).__name__)
    r = client.get("/status/500", catch_response=True)
    r.failure("x")


@both
def caught_renamed_inside(client):
    with client.get("/json", catch_response=True) as r:
        r.request_meta["name"] = "inside"


@both
def caught_own_response_time(client):
    with client.get("/json", catch_response=True) as r:
        r.request_meta["response_time"] = 5
        r.request_meta["response_length"] = 77


@both
def caught_own_context(client):
    with client.get("/json", catch_response=True, context={"a": 1}) as r:
        r.request_meta["context"]["b"] = 2


@both
def caught_name(client):
    with client.post("/json", name="n", catch_response=True, json={}) as r:
        r.failure("told")


@both
def caught_two_at_once(client):
    with client.get("/json", catch_response=True) as a, client.get("/status/404", catch_response=True) as b:
        a.failure("a")
        b.success()


@both
def caught_refused(client, say):
    with client.get("http://127.0.0.1:1/", catch_response=True) as r:
        say(r.status_code, r.text, r.content, r.error is not None)
        r.failure("gone")


@both
def caught_refused_success(client):
    with client.get("http://127.0.0.1:1/", catch_response=True) as r:
        r.success()


@both
def caught_refused_untouched(client, say):
    with client.get("http://127.0.0.1:1/", catch_response=True) as r:
        say(r.status_code)


@both
def caught_false(client, say):
    with client.get("/json", catch_response=False) as r:
        say(r.status_code)


@both.each(201, 399, 400, 404, 500, 599)
def status(client, say, value):
    r = client.get(f"/status/{value}")
    say(r.status_code, r.ok)
