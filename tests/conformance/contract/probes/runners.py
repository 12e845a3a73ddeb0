"""Runners: what they have, and how they start users."""

from __future__ import annotations

import gevent
from gevent.pool import Group

import locust

from ..probe import probe
from ..running import ended, local, logged, started, unhandled, until, user_class


@probe
def the_attributes_of_a_new_local_runner(say):
    env = local()
    with ended(env) as runner:
        say(type(runner).__name__, [c.__name__ for c in type(runner).__mro__])
        say(runner.environment is env, env.runner is runner, runner.state, runner.user_count, runner.user_classes_count)
        say(runner.target_user_count, runner.target_user_classes_count, runner.final_user_classes_count)
        say(runner.spawning_greenlet, runner.shape_greenlet, runner.shape_last_tick, runner.exceptions, runner.errors)
        say(
            runner.current_cpu_usage,
            runner.current_memory_usage,
            runner.cpu_warning_emitted,
            runner.worker_cpu_warning_emitted,
        )
        say(runner.custom_messages, runner.connection_broken, runner._users_dispatcher, len(runner.user_greenlets))
        say(isinstance(runner.user_greenlets, Group), len(runner.greenlet))
        say(runner.worker_index, runner.worker_count, len(runner.client_id.rpartition("_")[2]))
        say(
            runner.user_classes is env.user_classes,
            runner.user_classes_by_name == env.user_classes_by_name,
            runner.stats is env.stats,
        )


@probe
def the_vars_of_a_local_runner(say):
    env = local()
    with ended(env) as runner:
        say(sorted(k for k in vars(runner) if not k.startswith("_")))


@probe
def constants_of_the_module(say):
    names = [f"STATE_{name}" for name in ["INIT", "SPAWNING", "RUNNING", "CLEANUP", "STOPPING", "STOPPED", "MISSING"]]
    names += ["WORKER_REPORT_INTERVAL", "WORKER_LOG_REPORT_INTERVAL", "CPU_MONITOR_INTERVAL", "CPU_WARNING_THRESHOLD"]
    names += ["HEARTBEAT_INTERVAL", "HEARTBEAT_LIVENESS", "HEARTBEAT_DEAD_INTERNAL", "MASTER_HEARTBEAT_TIMEOUT"]
    names += ["FALLBACK_INTERVAL", "CONNECT_TIMEOUT", "CONNECT_RETRY_COUNT"]
    say([getattr(locust.runners, name) for name in names])


@probe
def a_second_runner(say):
    env = local()
    with ended(env):
        for create in (
            env.create_local_runner,
            env.create_master_runner,
            lambda: env.create_worker_runner("127.0.0.1", 1),
        ):
            try:
                create()
            except Exception as e:
                say(type(e).__name__, str(e).partition("(")[0])


@probe
def states_of_a_run(say):
    env = local()
    states = []
    runner = env.runner
    real = runner.update_state

    def watch(new):
        states.append(new)
        real(new)

    runner.update_state = watch
    with ended(env):
        started(env)
        runner.start(3, 100)
        until(lambda: runner.user_count == 3 and runner.state == "running")
        runner.start(1, 100)
        until(lambda: runner.user_count == 1 and runner.state == "running")
        runner.stop()
        runner.stop()
        runner.start(1, 100)
        until(lambda: runner.state == "running")
        runner.quit()
        runner.quit()
    say(states)


@probe
def the_state_right_after_start(say):
    env = local()
    with ended(env) as runner:
        say(runner.start(2, 100))
        say(runner.state, runner.user_count, runner.target_user_count, type(runner.spawning_greenlet).__name__)
        gevent.sleep(0)
        until(lambda: runner.state == "running")
        say(runner.spawning_greenlet.ready(), runner.target_user_count, runner.target_user_classes_count)
        runner.start(5, 100)
        say(runner.state, runner.user_count, runner.target_user_count, runner.spawning_greenlet.ready())


@probe
def the_state_that_the_constructor_of_a_user_sees(say):
    seen = []

    def init(self, environment):
        locust.User.__init__(self, environment)
        seen.append((environment.runner.state, environment.runner.user_count, environment.runner.target_user_count))

    cls = user_class(__init__=init)
    env = local(cls)
    with ended(env) as runner:
        started(env)
        runner.start(3, 100)
        until(lambda: runner.user_count == 3 and runner.state == "running")
        runner.stop()
        started(env, 1)
    say(seen)


@probe
def counts_while_a_run_ramps(say):
    a, b = user_class("A"), user_class("B", weight=2)
    env = local(a, b)
    with ended(env) as runner:
        started(env, 6)
        say(runner.user_count, runner.user_classes_count, runner.target_user_count, runner.target_user_classes_count)
        runner.start(3, 100)
        until(lambda: runner.user_count == 3 and runner.state == "running")
        say(runner.user_count, runner.user_classes_count, runner.target_user_count, runner.target_user_classes_count)
        runner.stop()
        say(
            runner.user_count,
            runner.user_classes_count,
            runner.target_user_count,
            runner.target_user_classes_count,
            runner.final_user_classes_count,
        )


@probe
def start_at_no_users(say):
    env = local()
    env.events.spawning_complete.add_listener(lambda user_count, **kw: say("complete", user_count))
    with ended(env) as runner:
        started(env, 0)
        say(runner.user_count, runner.target_user_classes_count)
        started(env, 2)
        until(lambda: runner.user_count == 2 and runner.state == "running")
        runner.start(0, 100)
        until(lambda: runner.user_count == 0 and runner.state == "running")
        say(runner.target_user_classes_count)


@probe
def a_restart_to_the_same_number(say):
    env = local()
    env.events.spawning_complete.add_listener(lambda user_count, **kw: say("complete", user_count))
    env.events.test_start.add_listener(lambda **kw: say("start"))
    with ended(env) as runner:
        started(env, 2)
        runner.start(2, 100)
        runner.spawning_greenlet.join()
        say(runner.state, runner.user_count)


@probe.each((2, 0), (2, -1), (-1, 1), (2, float("inf")), (2, float("nan")), ("2", 1), (None, 1), (2, None), (2.5, 10))
def start_with_arguments_that_are_none(say, value):
    env = local()
    runner = env.runner
    with logged() as lines:
        try:
            runner.start(*value)
            runner.spawning_greenlet.join(timeout=1)
        except Exception as e:
            say(type(e).__name__, str(e))
        gevent.sleep(0.02)
        say(runner.state, runner.user_count, runner.target_user_count, unhandled())
        say(
            *[line.splitlines()[0].partition(":")[0] for line in lines],
            repr(runner.spawning_greenlet.exception) if runner.spawning_greenlet else None,
        )
        runner.quit()


@probe
def a_start_during_a_ramp_takes_its_place(say):
    env = local()
    env.events.spawning_complete.add_listener(lambda user_count, **kw: say("complete", user_count))
    with ended(env) as runner:
        runner.start(10, 1)
        until(lambda: runner.user_count == 1)
        first = runner.spawning_greenlet
        runner.start(4, 100)
        until(lambda: runner.state == "running")
        say(first.ready(), first.successful(), type(first.value).__name__, runner.user_count)


@probe
def a_spawn_rate_that_is_very_high(say):
    env = local()
    with logged("locust") as lines, ended(env) as runner:
        runner.start(1, 101)
        until(lambda: runner.state == "running")
        say(*lines)


@probe
def what_a_start_logs(say):
    a, b = user_class("Beta"), user_class("Alpha")
    env = local(a, b)
    with logged("locust") as lines:
        started(env, 3, 50)
        env.runner.start(1, 2.5)
        until(lambda: env.runner.user_count == 1 and env.runner.state == "running")
        env.runner.quit()
    say(*lines)


@probe
def what_a_start_logs_for_debugging(say):
    env = local()
    with logged("locust", 10) as lines:
        started(env, 11, 100)
        env.runner.start(1, 100)
        until(lambda: env.runner.user_count == 1 and env.runner.state == "running")
        env.runner.send_message("x")
    say(*[line for line in lines if "Stopping" not in line and "Updating" not in line])
    env.runner.quit()


@probe
def start_and_wait(say):
    ran = []

    def task(user):
        ran.append(1)
        user.stop()

    env = local(user_class(tasks=[task]))
    with logged("locust") as lines, ended(env) as runner:
        say(runner.start(2, 10, wait=True))
        runner.spawning_greenlet.join()
        say(runner.user_count, len(ran), runner.state, *lines)


@probe
def start_and_wait_for_too_many(say):
    env = local()
    with logged() as lines, ended(env) as runner:
        runner.start(5, 1, wait=True)
        runner.spawning_greenlet.join()
        gevent.sleep(0.01)
        say(runner.user_count, runner.state, repr(runner.spawning_greenlet.exception))
        say(*[line.splitlines()[0][:40] for line in lines])


@probe
def start_with_classes_of_ones_own(say):
    a, b = user_class("A"), user_class("B")
    env = local(a, b)
    with ended(env) as runner:
        runner.start(4, 100, user_classes=[a])
        until(lambda: runner.state == "running")
        say(runner.user_classes_count)
        runner.start(6, 100, user_classes=[b])
        until(lambda: runner.user_count == 6 and runner.state == "running")
        say(runner.user_classes_count)
        runner.start(8, 100)
        until(lambda: runner.user_count == 8 and runner.state == "running")
        say(runner.user_classes_count)
        runner.start(3, 100)
        until(lambda: runner.user_count == 3 and runner.state == "running")
        say(runner.user_classes_count)


@probe
def spawn_users_by_hand(say):
    a, b = user_class("A"), user_class("B")
    env = local(a, b)
    env.events.test_start.add_listener(lambda **kw: say("test_start"))
    env.events.spawning_complete.add_listener(lambda **kw: say("complete"))
    with ended(env) as runner:
        users = runner.spawn_users({"A": 2, "B": 1})
        say([type(u).__name__ for u in users], runner.state, runner.user_count, runner.user_classes_count)
        say(all(u.environment is env for u in users), all(u.group is runner.user_greenlets for u in users))
        say([type(u.greenlet).__name__ for u in users], {u.greenlet for u in users} == set(runner.user_greenlets))
        say(runner.target_user_count, runner.target_user_classes_count)
        users += runner.spawn_users({"B": 1})
        say(runner.user_count, runner.spawn_users({}), runner.spawn_users({"A": 0}))
        runner.stop_users({"A": 1, "B": 5})
        say(runner.user_classes_count, runner.state)
        runner.stop()
        say(runner.state, runner.user_count)
        runner.spawn_users({"A": 1})
        say(runner.state)


@probe
def spawn_users_and_wait(say):
    def task(user):
        gevent.sleep(0.02)
        user.stop()

    env = local(user_class(tasks=[task]))
    with logged("locust") as lines, ended(env) as runner:
        users = runner.spawn_users({"Idler": 2}, wait=True)
        say(len(users), runner.user_count, runner.state, *lines)


@probe
def spawn_users_of_an_unknown_class(say):
    env = local()
    with ended(env) as runner:
        try:
            runner.spawn_users({"Nobody": 1})
        except KeyError as e:
            say("KeyError", str(e))
        say(runner.state, runner.user_count)
        try:
            runner.stop_users({"Nobody": 1})
        except KeyError as e:
            say("KeyError", str(e))


@probe
def a_user_that_does_not_call_its_base_constructor(say):
    def init(self, environment): ...

    env = local(user_class(__init__=init))
    with ended(env) as runner:
        try:
            runner.spawn_users({"Idler": 1})
        except AssertionError as e:
            say(str(e))


@probe
def a_user_whose_constructor_raises(say):
    def init(self, environment):
        raise ValueError("no user")

    env = local(user_class(__init__=init))
    with logged() as lines, ended(env) as runner:
        runner.start(2, 10)
        runner.spawning_greenlet.join()
        gevent.sleep(0.02)
        say(runner.state, runner.user_count, unhandled(), [line.partition(":")[0] for line in lines])


@probe
def a_user_whose_constructor_stops_the_test(say):
    def init(self, environment):
        raise locust.exception.StopTest("enough")

    env = local(user_class(__init__=init))
    with logged() as lines, ended(env) as runner:
        runner.start(2, 10)
        runner.spawning_greenlet.join()
        gevent.sleep(0.05)
        say(runner.state, runner.user_count, unhandled(), lines)
