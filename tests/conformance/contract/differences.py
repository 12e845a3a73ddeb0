"""Which probes' answers differ, and why. What is kept on purpose is in `docs/compatibility.md`, too.

Such a probe is expected to fail, and the tests say so when it no longer does.
"""

from __future__ import annotations

import sys

REASONS: dict[str, list[str]] = {
    "a `user_error` that carries more than Locust's arguments is counted: Locust's own listener takes no others": [
        "events: user error with more arguments by hand",
    ],
    "who stops the test in a listener of `test_start` or `spawning_complete` stops it; Locust waits for somebody else": [
        "events: quit in test start",
        "events: stop in test start",
        "events: stop in spawning complete",
        "events: quit in spawning complete",
    ],
    "a user that ends the test ends it, however many others there are; Locust does not wait for them": [
        "shrinking: a user ends the test while others are busy, 0",
        "shrinking: a user ends the test while others are busy, 5",
        "shrinking: another user quits while the test stops",
    ],
    "users that are asked to stop twice only stop; Locust raises": [
        "shrinking: stopped twice in a row with busy users",
    ],
    "users that stop the test at the same time fire `test_stopping` once": [
        "stopping: several users stop the test at once, stop",
        "stopping: several users stop the test at once, quit",
        "stopping: on stop stops the test",
    ],
    "who stops a test that is being stopped waits for that; Locust fires the events once more": [
        "stopping: stop from two sides at once",
    ],
    "on purpose: who was killed with an exception, caught it and lives on is stopped with the others; Locust forgets it": [
        f"dying: killed with, {kind}{how}" for kind in ("exception", "instance") for how in ("", " (overridden)")
    ],
    "on purpose: a user who has ended is not counted any more; Locust counts it up to the next turn of the event loop": [
        "shrinking: users killed from outside",
    ],
    "a request fired with a length or time that is no number is an error on both; Locust counts it in the total alone": [
        "requests_by_hand: a request fired by hand with, no response length",
        "requests_by_hand: a request fired by hand with, neither",
        "requests_by_hand: a request fired by hand with, a text as length",
        "requests_by_hand: a request fired by hand with, a text as time",
    ],
    "response lengths are whole bytes, and none is below zero": [
        "requests_by_hand: a request fired by hand with, a fractional length",
        "requests_by_hand: a request fired by hand with, a negative length",
    ],
    "a `name` that is no text is counted as its text": [
        "requests_by_hand: a request fired by hand with, none as name",
        "requests_by_hand: a request fired by hand with, a number as name",
    ],
    "half a user is none; Locust starts one and stops it again": [
        "runners: start with arguments that are none, (2.5, 10)",
    ],
    "a user that has ended is not counted from that moment; Locust counts it until gevent's next turn": [
        "shrinking: users killed from outside",
        "together: all are started before any begins",
        "together: all are started before any begins (overridden)",
    ],
    "the engine counts; the figures of an entry are read": [
        "reports: attributes of an entry may be set",
        "objects: an error that was read is counted further",
        "objects: buckets are changed",
    ],
    "on purpose: a `gevent.Timeout` of the locustfile's own is raised; Locust reports it as a failed request": [
        "visits: timeout of the locustfile, FastHttpUser",
        "visits: timeout of the locustfile, FastHttpUser (overridden)",
    ],
    "on purpose: the listener that counts requests is another one, and what it lacks is told of it": [
        "failing: request fired without what it needs",
        "failing: request fired without what it needs (overridden)",
    ],
    "on purpose: a member of a chain may be a function of another name; Locust breaks in telling which are unreachable": [
        "chains: chain of, lambda",
        "chains: chain of, names that differ",
    ],
}

if sys.version_info >= (3, 12):
    REASONS["from 3.12 on Python warns of a fork in a process with threads, and the engine has threads"] = [
        "together: processes",
        "together: processes (overridden)",
    ]

DIFFERENT = {probe: reason for reason, probes in REASONS.items() for probe in probes}
