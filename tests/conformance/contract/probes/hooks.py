"""Event hooks: listeners, firing, measuring."""

from __future__ import annotations

import gevent

import locust

from ..probe import probe
from ..running import ended, local, logged, unhandled

EVENTS = [
    "request",
    "user_error",
    "report_to_master",
    "worker_report",
    "worker_connect",
    "spawning_complete",
    "quitting",
    "quit",
    "init",
    "init_command_line_parser",
    "test_start",
    "test_stopping",
    "test_stop",
    "reset_stats",
    "cpu_warning",
    "heartbeat_sent",
    "heartbeat_received",
    "usage_monitor",
]


@probe
def listeners_are_called_in_their_order(say):
    hook = locust.event.EventHook()
    for n in range(3):
        hook.add_listener(lambda n=n, **kw: say(n, kw))
    hook.fire(a=1, b="two")
    hook.fire(reverse=True)
    say("reverse" in str(kw) if (kw := {}) else None)


@probe
def the_same_listener_twice(say):
    hook = locust.event.EventHook()

    def listener(**kw):
        say("called")

    hook.add_listener(listener)
    hook.add_listener(listener)
    hook.fire()
    hook.remove_listener(listener)
    hook.fire()
    say(len(hook._handlers))


@probe
def removing_an_unknown_listener(say):
    locust.event.EventHook().remove_listener(print)


@probe
def add_listener_returns_it(say):
    hook = locust.event.EventHook()

    def listener(**kw): ...

    say(hook.add_listener(listener) is listener, hook._handlers == [listener])


@probe
def fire_takes_keywords_only(say):
    hook = locust.event.EventHook()
    try:
        hook.fire(1)
    except TypeError:
        say("TypeError")
    try:
        hook.fire(True, reverse=True)
    except TypeError:
        say("TypeError")


@probe
def a_listener_may_be_a_method_or_a_partial_or_an_object(say):
    import functools

    class L:
        def method(self, **kw):
            say("method", kw)

        def __call__(self, **kw):
            say("object", kw)

    hook = locust.event.EventHook()
    one = L()
    hook.add_listener(one.method)
    hook.add_listener(one)
    hook.add_listener(functools.partial(one, x=1))
    hook.fire(y=2)
    hook.remove_listener(one.method)
    say(len(hook._handlers))


@probe
def a_raising_listener_does_not_stop_the_others(say):
    hook = locust.event.EventHook()

    def bad(**kw):
        raise ValueError("no")

    hook.add_listener(bad)
    hook.add_listener(lambda **kw: say("second"))
    with logged() as lines:
        hook.fire()
    for line in lines:
        say(line.splitlines()[0], line.splitlines()[-1])
    say(unhandled())


@probe
def a_listener_that_takes_too_few_arguments(say):
    hook = locust.event.EventHook()

    def narrow(a):
        say("called", a)

    hook.add_listener(narrow)
    with logged() as lines:
        hook.fire(a=1)
        hook.fire(a=1, b=2)
    for line in lines:
        say(line.splitlines()[0], line.splitlines()[-1])


@probe.each(
    "StopUser",
    "StopTest",
    "RescheduleTask",
    "RescheduleTaskImmediately",
    "InterruptTaskSet",
    "LocustError",
    "CatchResponseError",
    "MissingWaitTimeError",
    "RPCError",
)
def a_listener_raises(say, value):
    hook = locust.event.EventHook()
    error = getattr(locust.exception, value)

    def bad(**kw):
        raise error("x") if value != "InterruptTaskSet" else error()

    hook.add_listener(bad)
    hook.add_listener(lambda **kw: say("second"))
    with logged() as lines:
        try:
            hook.fire()
        except Exception as e:
            say(type(e).__name__)
    say(*[line.splitlines()[0] for line in lines])


@probe.each("KeyboardInterrupt", "SystemExit", "GreenletExit")
def a_listener_raises_what_is_no_exception(say, value):
    hook = locust.event.EventHook()
    error = {"KeyboardInterrupt": KeyboardInterrupt, "SystemExit": SystemExit, "GreenletExit": gevent.GreenletExit}[
        value
    ]

    def bad(**kw):
        raise error()

    hook.add_listener(bad)
    hook.add_listener(lambda **kw: say("second"))
    try:
        hook.fire()
    except BaseException as e:
        say(type(e).__name__)


@probe
def listeners_that_add_and_remove_while_it_fires(say):
    hook = locust.event.EventHook()

    def first(**kw):
        say("first")
        hook.remove_listener(second)
        hook.add_listener(third)

    def second(**kw):
        say("second")

    def third(**kw):
        say("third")

    hook.add_listener(first)
    hook.add_listener(second)
    hook.fire()
    hook.remove_listener(first)
    hook.fire()


@probe
def what_events_there_are(say):
    events = locust.event.Events()
    say(sorted(vars(events)), all(type(h) is locust.event.EventHook for h in vars(events).values()))


@probe
def each_events_has_hooks_of_its_own(say):
    a, b = locust.event.Events(), locust.event.Events()
    say(a.init is b.init, a.init is a.init, locust.events.init is a.init)
    say(type(locust.events).__name__, locust.env.Environment().events is locust.events)


@probe
def events_of_a_subclass(say):
    class Mine(locust.event.Events):
        checkout: EventHook  # noqa: F821
        refund = "EventHook"
        other: int = 3

    mine = Mine()
    mine.checkout.add_listener(lambda **kw: say("checkout", kw))
    mine.checkout.fire(n=1)
    say(sorted(set(vars(mine)) - set(EVENTS)), mine.other)
    env = locust.env.Environment(events=mine)
    say(env.events is mine)


@probe
def a_hook_of_a_plugins_own(say):
    events = locust.event.Events()
    events.my_event = locust.event.EventHook()

    @events.my_event.add_listener
    def on(**kw):
        say(kw)

    events.my_event.fire(x=1)


@probe.each(
    "request_success",
    "request_failure",
    "hatch_complete",
    "locust_start_hatching",
    "locust_stop_hatching",
    "slave_report",
    "slave_connect",
    "locust_error",
    "master_start_hatching",
    "test_starting",
    "user_errors",
)
def a_name_of_the_past(say, value):
    getattr(locust.events, value).add_listener(print)


@probe
def a_deprecated_hook(say):
    hook = locust.event.DeprecatedEventHook("do not")
    say(isinstance(hook, locust.event.EventHook), hook.message)
    with logged() as lines:
        say(hook.add_listener(print) is print)
    say(lines, hook._handlers)


@probe
def measure_reports_a_request(say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda **kw: say({k: (v if not isinstance(v, float) else v > 0) for k, v in kw.items()}))
    with hook.measure("GET", "thing") as meta:
        say(sorted(meta), meta["context"], meta["exception"])
        gevent.sleep(0.01)


@probe
def measure_takes_what_the_block_sets(say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda **kw: say({k: (v if not isinstance(v, float) else v > 0) for k, v in kw.items()}))
    with hook.measure("GET", "thing", 7, {"a": 1}) as meta:
        meta["response_length"] = 99
        meta["name"] = "other"
        meta["response"] = "the response"
        meta["more"] = [1]
        meta["context"]["b"] = 2


@probe
def measure_takes_its_own_response_time(say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda response_time, start_time, **kw: say(response_time < 1000, start_time))
    with hook.measure("GET", "thing") as meta:
        meta["response_time"] = 5000
        meta["start_time"] = 1


@probe.each("ValueError", "StopUser", "RescheduleTask", "KeyboardInterrupt", "GreenletExit")
def measure_and_a_block_that_raises(say, value):
    error = {
        "ValueError": ValueError("x"),
        "KeyboardInterrupt": KeyboardInterrupt(),
        "GreenletExit": gevent.GreenletExit(),
    }.get(value)
    if error is None:
        error = getattr(locust.exception, value)("x")
    hook = locust.event.EventHook()
    hook.add_listener(lambda exception, **kw: say("fired", repr(exception)))
    try:
        with hook.measure("GET", "thing"):
            raise error
    except BaseException as e:
        say("out", repr(e))
    say("after")


@probe
def measure_and_an_exception_that_the_block_sets(say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda exception, **kw: say(repr(exception)))
    with hook.measure("GET", "thing") as meta:
        meta["exception"] = RuntimeError("mine")
    with hook.measure("GET", "thing") as meta:
        meta["exception"] = RuntimeError("mine")
        raise ValueError("raised")


@probe
def measure_and_a_listener_that_raises(say):
    hook = locust.event.EventHook()

    def bad(**kw):
        raise locust.exception.StopUser("from listener")

    hook.add_listener(bad)
    try:
        with hook.measure("GET", "thing"):
            say("block")
    except locust.exception.StopUser as e:
        say("StopUser", str(e))


@probe
def measure_counts_in_the_statistics(say):
    env = local()
    with ended(env):
        with env.events.request.measure("MQTT", "publish", 12):
            gevent.sleep(0.02)
        with env.events.request.measure("MQTT", "publish", 30):
            raise OSError("gone")
        entry = env.stats.get("publish", "MQTT")
        say(entry.num_requests, entry.num_failures, entry.total_content_length, entry.max_response_time >= 20)
        say([(e.method, e.name, e.to_dict()["error"], e.occurrences) for e in env.stats.errors.values()])


@probe
def handlers_may_be_replaced(say):
    hook = locust.event.EventHook()
    hook.add_listener(lambda **kw: say("old"))
    hook._handlers = [lambda **kw: say("new")]
    hook.fire()
    hook._handlers.append(lambda **kw: say("more"))
    hook._handlers.insert(0, lambda **kw: say("before"))
    hook.fire()
    hook._handlers.clear()
    hook.fire()


@probe
def a_hook_whose_fire_is_replaced(say):
    env = local()
    with ended(env):
        real = env.events.request.fire

        def mine(**kw):
            say("mine", kw["name"])
            real(**kw)

        env.events.request.fire = mine
        env.events.request.fire(request_type="X", name="y", response_time=1, response_length=2)
        say(env.stats.total.num_requests)


@probe
def a_subclass_of_the_hook(say):
    class Loud(locust.event.EventHook):
        def fire(self, *, reverse=False, **kw):
            say("fire", sorted(kw))
            super().fire(reverse=reverse, **kw)

    hook = Loud()
    hook.add_listener(lambda **kw: say("heard"))
    hook.fire(a=1)
