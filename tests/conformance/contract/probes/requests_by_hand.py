"""Requests that somebody fires by hand, and what of them is counted."""

from __future__ import annotations

import locust

from ..probe import probe
from ..running import ended, local, logged, until, user_class

# What `request` fired by hand does.


def _counted(env):
    entries = sorted(
        [
            e.method,
            e.name,
            e.num_requests,
            e.num_none_requests,
            e.num_failures,
            e.total_content_length,
            e.total_response_time,
            e.min_response_time,
            e.max_response_time,
        ]
        for e in env.stats.entries.values()
    )
    total = env.stats.total
    return [
        entries,
        [total.num_requests, total.num_none_requests, total.num_failures, total.total_content_length],
        sorted([e.method, e.name, e.to_dict()["error"], e.occurrences] for e in env.stats.errors.values()),
    ]


REQUESTS = {
    "plain": dict(request_type="GET", name="/", response_time=12.5, response_length=3),
    "everything": dict(
        request_type="GET",
        name="/",
        response_time=12,
        response_length=3,
        exception=None,
        context={"a": 1},
        response=None,
        start_time=1.0,
        url="/",
    ),
    "an exception": dict(request_type="GET", name="/", response_time=1, response_length=0, exception=ValueError("no")),
    "an exception class": dict(request_type="GET", name="/", response_time=1, response_length=0, exception=ValueError),
    "a text as exception": dict(request_type="GET", name="/", response_time=1, response_length=0, exception="no"),
    "an empty text as exception": dict(request_type="GET", name="/", response_time=1, response_length=0, exception=""),
    "true as exception": dict(request_type="GET", name="/", response_time=1, response_length=0, exception=True),
    "a number as exception": dict(request_type="GET", name="/", response_time=1, response_length=0, exception=404),
    "a judged response": "CatchResponseError",
    "no response time": dict(request_type="GET", name="/", response_time=None, response_length=3),
    "no response length": dict(request_type="GET", name="/", response_time=5, response_length=None),
    "neither": dict(request_type="GET", name="/", response_time=None, response_length=None),
    "a fractional length": dict(request_type="GET", name="/", response_time=5, response_length=2.5),
    "a negative length": dict(request_type="GET", name="/", response_time=5, response_length=-4),
    "a negative time": dict(request_type="GET", name="/", response_time=-4.5, response_length=1),
    "a large time": dict(request_type="GET", name="/", response_time=1e7, response_length=1),
    "true as length": dict(request_type="GET", name="/", response_time=1, response_length=True),
    "a text as length": dict(request_type="GET", name="/", response_time=1, response_length="3"),
    "a text as time": dict(request_type="GET", name="/", response_time="3", response_length=1),
    "no name": dict(request_type="GET", response_time=1, response_length=1),
    "no type": dict(name="/", response_time=1, response_length=1),
    "no time": dict(request_type="GET", name="/", response_length=1),
    "no length": dict(request_type="GET", name="/", response_time=1),
    "more arguments": dict(request_type="GET", name="/", response_time=1, response_length=1, flavour="sweet"),
    "an empty name": dict(request_type="", name="", response_time=1, response_length=1),
    "unicode": dict(request_type="GÉT", name="/straße ☃", response_time=1, response_length=1),
    "none as name": dict(request_type="GET", name=None, response_time=1, response_length=1),
    "a number as name": dict(request_type="GET", name=7, response_time=1, response_length=1),
}


@probe.each(*REQUESTS)
def a_request_fired_by_hand_with(say, value):
    env = local()
    arguments = REQUESTS[value]
    if arguments == "CatchResponseError":
        arguments = dict(
            request_type="GET",
            name="/",
            response_time=1,
            response_length=0,
            exception=locust.exception.CatchResponseError("bad"),
        )
    with logged() as lines, ended(env):
        env.events.request.fire(**arguments)
        env.events.request.fire(**arguments)
        say(_counted(env))
    say(
        *[line.splitlines()[0] for line in lines if "Uncaught" in line],
        *[line.splitlines()[-1][:9] for line in lines if "Uncaught" in line],
    )


@probe
def a_request_listener_sees_the_statistics_before_or_after(say):
    events = locust.event.Events()
    events.request.add_listener(lambda **kw: say("before", env.stats.total.num_requests))
    env = local(events=events)
    events.request.add_listener(lambda **kw: say("after", env.stats.total.num_requests))
    with ended(env):
        events.request.fire(request_type="X", name="y", response_time=1, response_length=2)


@probe
def a_request_listener_that_stops_the_user(say):
    events = locust.event.Events()

    def stop(**kw):
        raise locust.exception.StopUser()

    events.request.add_listener(stop)

    def fires(user):
        user.environment.events.request.fire(request_type="X", name="y", response_time=1, response_length=2)
        say("went on")

    cls = user_class(tasks=[fires], on_stop=lambda user: say("on_stop"))
    env = local(cls, events=events)
    with ended(env) as runner:
        runner.start(1, 1)
        until(lambda: runner.user_greenlets.__len__() == 0 and runner.state == "running")
        say(env.stats.total.num_requests, runner.exceptions, runner.user_count)
