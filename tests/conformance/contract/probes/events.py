"""The events of a local run."""

from __future__ import annotations

import gevent

import locust

from ..probe import probe
from ..running import ended, local, logged, unhandled, until, user_class

# The events of a run.


def _record(events, say, *names):
    for name in names:
        getattr(events, name).add_listener(lambda name=name, **kw: say(name, sorted(kw)))


RUN = [
    "init",
    "test_start",
    "spawning_complete",
    "test_stopping",
    "test_stop",
    "quitting",
    "quit",
    "reset_stats",
    "user_error",
    "report_to_master",
    "worker_report",
    "worker_connect",
    "heartbeat_sent",
    "heartbeat_received",
]


@probe
def the_events_of_a_run(say):
    env = local()
    _record(env.events, say, *RUN)
    with ended(env) as runner:
        runner.start(2, 10)
        until(lambda: runner.state == "running")
        runner.start(1, 10)
        until(lambda: runner.state == "running" and runner.user_count == 1)
        runner.stop()
        say("again")
        runner.start(1, 10)
        until(lambda: runner.state == "running")


@probe
def the_state_that_each_event_sees(say):
    events = locust.event.Events()

    def see(name, when):
        def on(**kw):
            runner = env.runner
            say(name, when, runner.state, runner.user_count, runner.target_user_count, runner.target_user_classes_count)

        getattr(events, name).add_listener(on)

    names = ("test_start", "spawning_complete", "test_stopping", "test_stop")
    for name in names:
        see(name, "before")
    env = local(events=events)
    for name in names:
        see(name, "after")
    with ended(env) as runner:
        runner.start(2, 10)
        until(lambda: runner.state == "running")
        runner.stop()


@probe
def events_of_quitting_before_a_start(say):
    env = local()
    _record(env.events, say, *RUN)
    say(env.runner.state)
    env.runner.quit()
    say(env.runner.state)
    env.runner.quit()
    env.runner.stop()


@probe
def events_are_told_the_environment(say):
    env = local()
    for name in ("test_start", "test_stopping", "test_stop"):
        getattr(env.events, name).add_listener(lambda environment, name=name, **kw: say(name, environment is env, kw))
    env.events.spawning_complete.add_listener(lambda user_count, **kw: say("complete", user_count, kw))
    with ended(env) as runner:
        runner.start(3, 10)
        until(lambda: runner.state == "running")


@probe
def user_error_is_told_of_a_tasks_exception(say):
    def fails(user):
        raise RuntimeError("task")

    cls = user_class(tasks=[fails])
    env = local(cls)

    @env.events.user_error.add_listener
    def on(user_instance, exception, tb, **kw):
        say(type(user_instance) is cls, repr(exception), type(tb).__name__, kw)

    with logged(), ended(env) as runner:
        runner.start(1, 1)
        until(lambda: runner.exceptions)
        say([(e["count"], e["msg"], e["nodes"], "RuntimeError" in e["traceback"]) for e in runner.exceptions.values()])


@probe
def user_error_fired_by_hand(say):
    env = local()
    with ended(env) as runner:
        try:
            raise KeyError("mine")
        except KeyError as error:
            env.events.user_error.fire(user_instance=None, exception=error, tb=error.__traceback__)
        say([(e["count"], e["msg"], e["nodes"]) for e in runner.exceptions.values()])


@probe
def user_error_with_more_arguments_by_hand(say):
    env = local()
    with logged() as lines, ended(env) as runner:
        env.events.user_error.fire(user_instance=None, exception=KeyError("mine"), tb=None, more=1)
        say(len(runner.exceptions), *[line.splitlines()[-1][:9] for line in lines])


@probe
def spawning_complete_fired_by_hand(say):
    env = local()
    with ended(env) as runner:
        env.events.spawning_complete.fire(user_count=3)
        say(runner.state)


@probe
def a_failing_test_start_listener(say):
    env = local()

    @env.events.test_start.add_listener
    def bad(**kw):
        raise ValueError("no")

    with logged() as lines, ended(env) as runner:
        runner.start(1, 1)
        until(lambda: runner.state == "running")
        say(runner.user_count, unhandled())
        say(*[line.splitlines()[0] for line in lines])


@probe.each("StopTest", "StopUser", "InterruptTaskSet")
def a_test_start_listener_raises(say, value):
    env = local()

    @env.events.test_start.add_listener
    def bad(**kw):
        raise (
            getattr(locust.exception, value)("enough")
            if value != "InterruptTaskSet"
            else locust.exception.InterruptTaskSet()
        )

    _record(env.events, say, "test_stopping", "test_stop", "spawning_complete")
    with logged() as lines:
        runner = env.runner
        runner.start(1, 1)
        runner.spawning_greenlet.join()
        gevent.sleep(0.05)
        say(runner.user_count, runner.state, unhandled())
        say(*[line.splitlines()[0] for line in lines])
        runner.quit()


@probe
def quit_in_test_start(say):
    env = local()
    _record(env.events, say, "test_stopping", "test_stop", "spawning_complete")

    @env.events.test_start.add_listener
    def on(environment, **kw):
        environment.runner.quit()
        say("after quit")

    env.runner.start(1, 1)
    try:
        with gevent.Timeout(1):
            env.runner.greenlet.join()
        say("joined")
    except gevent.Timeout:
        say("never")
    say(env.runner.state, env.runner.user_count)


@probe
def stop_in_test_start(say):
    env = local()
    _record(env.events, say, "test_stopping", "test_stop", "spawning_complete")

    @env.events.test_start.add_listener
    def on(environment, **kw):
        environment.runner.stop()
        say("after stop")

    env.runner.start(1, 1)
    gevent.sleep(0.1)
    say(env.runner.state, env.runner.user_count)
    env.runner.quit()


@probe
def stop_in_spawning_complete(say):
    env = local()
    _record(env.events, say, "test_stopping", "test_stop")

    @env.events.spawning_complete.add_listener
    def on(**kw):
        env.runner.stop()
        say("after stop")

    env.runner.start(1, 1)
    gevent.sleep(0.1)
    say(env.runner.state, env.runner.user_count)
    env.runner.quit()


@probe
def quit_in_spawning_complete(say):
    env = local()
    _record(env.events, say, "test_stopping", "test_stop")

    @env.events.spawning_complete.add_listener
    def on(**kw):
        env.runner.quit()
        say("after quit")

    env.runner.start(1, 1)
    try:
        with gevent.Timeout(1):
            env.runner.greenlet.join()
        say("joined")
    except gevent.Timeout:
        say("never")
    say(env.runner.state, env.runner.user_count)


@probe
def start_in_test_stop(say):
    env = local()
    again = []

    @env.events.test_stop.add_listener
    def on(environment, **kw):
        say("stopped")
        if not again:
            again.append(1)
            environment.runner.start(1, 10)

    with ended(env) as runner:
        runner.start(1, 10)
        until(lambda: runner.state == "running")
        runner.stop()
        until(lambda: runner.state == "running")
        say(runner.user_count)


@probe
def a_slow_request_listener_delays_its_user_only(say):
    events = locust.event.Events()

    @events.request.add_listener
    def slow(name, **kw):
        if name == "slow":
            gevent.sleep(0.2)

    def task(user):
        user.environment.events.request.fire(request_type="X", name=user.kind, response_time=1, response_length=0)
        done.append(user.kind)

    done = []
    a = user_class("Slow", tasks=[task], kind="slow")
    b = user_class("Quick", tasks=[task], kind="quick")
    env = local(a, b, events=events)
    with ended(env) as runner:
        runner.start(2, 10)
        until(lambda: len(done) == 2)
        say(done)


@probe
def usage_monitor_and_its_arguments(say):
    before = locust.runners.CPU_MONITOR_INTERVAL
    locust.runners.CPU_MONITOR_INTERVAL = 0.05
    try:
        env = local()
        told = []

        @env.events.usage_monitor.add_listener
        def on(environment, cpu_usage, memory_usage, **kw):
            told.append(
                (environment is env, type(cpu_usage).__name__, type(memory_usage).__name__, memory_usage > 10**6, kw)
            )

        with ended(env) as runner:
            until(lambda: len(told) > 1)
            say(told[0], runner.current_memory_usage > 10**6, isinstance(runner.current_cpu_usage, float))
    finally:
        locust.runners.CPU_MONITOR_INTERVAL = before


@probe
def cpu_warning_and_its_arguments(say):
    runners = locust.runners
    before = runners.CPU_MONITOR_INTERVAL, runners.CPU_WARNING_THRESHOLD
    runners.CPU_MONITOR_INTERVAL, runners.CPU_WARNING_THRESHOLD = 0.05, -1
    try:
        env = local()
        told = []

        @env.events.cpu_warning.add_listener
        def on(environment, cpu_usage, **kw):
            told.append((environment is env, type(cpu_usage).__name__, kw))

        with logged() as lines, ended(env) as runner:
            until(lambda: len(told) > 2)
            say(told[0], runner.cpu_warning_emitted)
            say([line[:60] for line in lines if "CPU" in line])
            say(runner.cpu_log_warning(), [line[:60] for line in lines][-1])
    finally:
        runners.CPU_MONITOR_INTERVAL, runners.CPU_WARNING_THRESHOLD = before


@probe
def init_command_line_parser_is_fired_for_each_parser(say):
    from locust.argument_parser import get_parser

    told = []

    def on(parser, **kw):
        told.append(kw)
        parser.add_argument("--mine", default="d", env_var="MINE_X")

    locust.events.init_command_line_parser.add_listener(on)
    try:
        options = get_parser().parse_args(["--mine", "x"])
        say(options.mine, told)
        options = get_parser().parse_args([])
        say(options.mine, len(told))
    finally:
        locust.events.init_command_line_parser.remove_listener(on)
