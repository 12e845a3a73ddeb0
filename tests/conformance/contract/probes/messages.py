"""Messages, workers as a master sees them, and what else runners do."""

from __future__ import annotations

import gevent

import locust

from ..probe import probe
from ..running import ended, local, logged, started, unhandled, until, user_class


@probe
def a_new_test_begins_with_nothing(say):
    def task(user):
        user.environment.events.request.fire(
            request_type="X", name="y", response_time=1, response_length=1, exception=OSError()
        )
        raise ValueError()

    env = local(user_class(tasks=[task]))
    with logged(), ended(env) as runner:
        runner.start(1, 100)
        until(lambda: runner.exceptions and runner.errors and runner.state == "running")
        exceptions, stats = runner.exceptions, env.stats
        runner.stop()
        say(env.stats.total.num_requests, len(runner.exceptions), len(runner.errors))
        env.user_classes[0].tasks = [lambda user: None]
        started(env, 1)
        say(env.stats.total.num_requests, len(runner.exceptions), len(runner.errors), len(env.stats.entries))
        say(runner.exceptions is exceptions, env.stats is stats)


@probe
def a_change_of_count_keeps_the_statistics(say):
    env = local()
    with ended(env) as runner:
        started(env, 1)
        env.events.request.fire(request_type="X", name="y", response_time=1, response_length=1)
        runner.start(2, 100)
        until(lambda: runner.user_count == 2 and runner.state == "running")
        say(env.stats.total.num_requests)


@probe.each(False, True)
def reset_stats_when_spawning_completes(say, value):
    env = local(reset_stats=value)
    with logged("locust") as lines, ended(env) as runner:
        started(env, 1)
        env.events.request.fire(request_type="X", name="y", response_time=1, response_length=1, exception=OSError())
        runner.start(2, 100)
        until(lambda: runner.user_count == 2 and runner.state == "running")
        entry = env.stats.get("y", "X")
        say(env.stats.total.num_requests, entry.num_requests, len(env.stats.entries), len(env.stats.errors))
        say(*lines)


@probe
def exceptions_are_grouped_by_traceback(say):
    def one(user):
        raise ValueError(f"{user.n}")

    def two(user):
        raise KeyError("k")

    def n(user):
        user.count = getattr(user, "count", 0) + 1
        return user.count

    cls = user_class(tasks=[one, two], wait_time=locust.constant(0.001), n=property(n))
    env = local(cls)
    with logged(), ended(env) as runner:
        runner.start(1, 100)
        until(lambda: len(runner.exceptions) == 2 and all(e["count"] > 2 for e in runner.exceptions.values()))
        rows = sorted(runner.exceptions.values(), key=lambda e: e["msg"])
        say(
            [sorted(e) for e in rows],
            [e["nodes"] for e in rows],
            rows[1]["msg"],
            rows[1]["traceback"].splitlines()[-1].strip(),
        )
        say(rows[0]["msg"], all(k == hash(e["traceback"]) for k, e in runner.exceptions.items()))


@probe
def log_exception_by_hand(say):
    env = local()
    with ended(env) as runner:
        runner.log_exception("node1", "message", "traceback")
        runner.log_exception("node2", "other", "traceback")
        runner.log_exception("node2", "other", "another")
        say(
            sorted(
                ([e["count"], e["msg"], e["traceback"], sorted(e["nodes"])] for e in runner.exceptions.values()),
                key=str,
            )
        )
        say(hash("traceback") in runner.exceptions)


@probe
def messages_within_one_process(say):
    env = local()
    with ended(env) as runner:

        def on(environment, msg, **kw):
            say(environment is env, type(msg).__name__, msg.type, msg.data, msg.node_id, kw)

        say(runner.register_message("greet", on))
        say(runner.send_message("greet", {"a": 1}))
        runner.send_message("greet")
        runner.send_message("greet", "x", "anybody")
        runner.send_message("greet", data=[1], client_id=None)


@probe
def messages_of_an_unknown_type(say):
    env = local()
    with logged("locust") as lines, ended(env) as runner:
        runner.send_message("what", 1)
        say(*lines)


@probe
def a_second_listener_for_a_message(say):
    env = local()
    with ended(env) as runner:
        runner.register_message("greet", print)
        runner.register_message("greet", print)


@probe
def a_concurrent_listener_of_messages(say):
    env = local()
    with ended(env) as runner:

        def on(environment, msg, **kw):
            say("heard", gevent.getcurrent() is me)

        me = gevent.getcurrent()
        runner.register_message("greet", on, concurrent=True)
        runner.send_message("greet")
        say(runner.custom_messages == {"greet": (on, True)})


@probe
def a_listener_of_messages_that_raises(say):
    env = local()
    with ended(env) as runner:

        def on(environment, msg, **kw):
            raise ValueError("no")

        runner.register_message("greet", on)
        try:
            runner.send_message("greet")
        except ValueError as e:
            say("ValueError", str(e))


@probe
def a_message_and_its_attributes(say):
    m = locust.runners.Message("t", {"d": 1}, "n")
    say(m.type, m.data, m.node_id, repr(m))


@probe
def worker_nodes(say):
    r = locust.runners
    nodes = r.WorkerNodes()
    nodes["a"] = r.WorkerNode("a")
    nodes["b"] = r.WorkerNode("b", state=r.STATE_RUNNING)
    nodes["c"] = r.WorkerNode(id="c", state=r.STATE_MISSING, heartbeat_liveness=7)
    nodes["d"] = r.WorkerNode("d", r.STATE_SPAWNING)
    for name in ("ready", "spawning", "running", "missing", "all"):
        say(name, [n.id for n in getattr(nodes, name)])
    say([n.id for n in nodes.get_by_state("running")], len(nodes), list(nodes), "a" in nodes, nodes.get("x"))
    for key in nodes:
        del nodes[key]
    say(len(nodes))


@probe
def a_worker_node(say):
    node = locust.runners.WorkerNode("a")
    say(sorted(vars(node).items()), node.user_count)
    node.user_classes_count = {"A": 2, "B": 3}
    say(node.user_count)


@probe
def the_host_of_the_environment_wins_at_start(say):
    a, b = user_class("A", host="http://mine"), user_class("B")
    env = local(a, b, host="http://theirs")
    say(a.host, b.host)
    with ended(env):
        started(env, 2)
        say(a.host, b.host)
        env.host = "http://new"
        started(env, 2)
        env.runner.spawning_greenlet.join()
        say(a.host, b.host)


@probe
def tags_are_applied_when_a_test_starts(say):
    @locust.tag("x")
    def one(user):
        ran.add("one")

    @locust.tag("y")
    def two(user):
        ran.add("two")

    ran = set()
    cls = user_class(tasks=[one, two], wait_time=locust.constant(0.001))
    env = local(cls, tags=["x"])
    say(len(cls.tasks))
    with ended(env) as runner:
        started(env, 2)
        say(len(cls.tasks))
        until(lambda: ran)
        runner.stop()
        env.tags = ["y"]
        started(env, 2)
        say(len(cls.tasks), sorted(ran))


@probe
def users_that_end_by_themselves_are_not_replaced(say):
    def task(user):
        user.stop()

    env = local(user_class(tasks=[task]))
    with ended(env) as runner:
        runner.start(3, 100)
        until(lambda: runner.state == "running" and runner.user_count == 0)
        say(runner.target_user_count, runner.target_user_classes_count, runner.user_classes_count)
        env.user_classes[0].tasks = [lambda user: None]
        runner.start(3, 100)
        runner.spawning_greenlet.join()
        say(runner.user_count, runner.state)


@probe
def who_is_stopped_when_a_test_shrinks(say):
    a, b = user_class("A"), user_class("B", fixed_count=2)
    env = local(a, b)
    with ended(env) as runner:
        for n in (5, 3, 1, 4, 2):
            runner.start(n, 100)
            runner.spawning_greenlet.join()
            say(n, runner.user_classes_count)


@probe.each(1, 2, 2.5, 4)
def the_steps_of_a_ramp(say, value):
    import time

    env = local()
    steps = []
    real = env.runner.spawn_users

    def watch(counts, wait=False):
        steps.append((round((time.monotonic() - began) * 10), dict(counts)))
        return real(counts, wait)

    env.runner.spawn_users = watch
    with ended(env) as runner:
        began = time.monotonic()
        runner.start(5 if value > 1 else 2, value)
        until(lambda: runner.state == "running")
    say(steps)


@probe
def a_replaced_spawn_users(say):
    class Mine(locust.runners.LocalRunner):
        def spawn_users(self, user_classes_spawn_count, wait=False):
            say("spawn", user_classes_spawn_count, wait)
            return super().spawn_users(user_classes_spawn_count, wait)

        def stop_users(self, user_classes_stop_count):
            say("stop", user_classes_stop_count)
            super().stop_users(user_classes_stop_count)

    env = locust.env.Environment(user_classes=[user_class()])
    env.runner = runner = Mine(env)
    with ended(env):
        started(env, 2)
        runner.start(1, 100)
        runner.spawning_greenlet.join()
        runner.stop()


@probe
def a_dispatcher_of_ones_own(say):
    class Mine(locust.dispatch.UsersDispatcher):
        def __init__(self, worker_nodes, user_classes):
            say("init", [n.id for n in worker_nodes], [c.__name__ for c in user_classes])
            super().__init__(worker_nodes=worker_nodes, user_classes=user_classes)

        def new_dispatch(self, target_user_count, spawn_rate, user_classes=None):
            say("new", target_user_count, spawn_rate, user_classes)
            super().new_dispatch(target_user_count, spawn_rate, user_classes)

        def __next__(self):
            step = super().__next__()
            say("step", step)
            return step

    env = local(dispatcher_class=Mine)
    with ended(env) as runner:
        started(env, 2)
        runner.start(3, 100)
        runner.spawning_greenlet.join()
        say(type(runner._users_dispatcher) is Mine)
        runner.stop()
        say(runner._users_dispatcher)
        started(env, 1)


@probe
def a_dispatcher_from_scratch(say):
    class Fixed:
        def __init__(self, worker_nodes, user_classes):
            self.id = worker_nodes[0].id

        def new_dispatch(self, target_user_count, spawn_rate, user_classes=None):
            self.steps = [{self.id: {"Idler": 1}}, {self.id: {"Idler": 3}}, {self.id: {"Idler": 2}}]

        def __iter__(self):
            return self

        def __next__(self):
            if not self.steps:
                raise StopIteration
            return self.steps.pop(0)

    env = local(dispatcher_class=Fixed)
    with ended(env) as runner:
        started(env, 2)
        say(runner.user_count, runner.target_user_count, runner.target_user_classes_count)


@probe
def user_greenlets_and_their_users(say):
    env = local()
    with ended(env) as runner:
        started(env, 2)
        greenlets = list(runner.user_greenlets)
        say([type(g.args[0]).__name__ for g in greenlets], [g.args[0].greenlet is g for g in greenlets])
        greenlets[0].kill()
        gevent.sleep(0)
        say(runner.user_count, len(runner.user_greenlets), runner.user_classes_count)
        runner.user_greenlets.kill()
        say(runner.user_count, runner.state)


@probe
def a_users_own_stop(say):
    env = local()
    with ended(env) as runner:
        users = runner.spawn_users({"Idler": 3})
        gevent.sleep(0.01)
        say(users[0].stop(), users[1].stop(force=True))
        until(lambda: runner.user_count == 1)
        say(runner.user_count, users[2]._state)


@probe
def the_exception_handler_of_runners(say):
    env = local()
    for name in ("test_stopping", "test_stop"):
        getattr(env.events, name).add_listener(lambda name=name, **kw: say(name))
    handler = locust.runners.locust_exception_handler(env)

    def fails(error):
        raise error

    with logged() as lines:
        for error in (ValueError("x"), locust.exception.StopTest("enough")):
            greenlet = gevent.spawn(fails, error)
            greenlet.link_exception(handler)
            greenlet.join()
            gevent.sleep(0.05)
            say(env.runner.state, unhandled())
    say(*[line.splitlines()[0][:40] for line in lines])
    env.runner.quit()


@probe
def a_plain_runner(say):
    env = locust.env.Environment(user_classes=[user_class()])
    runner = locust.runners.Runner(env)
    say(runner.state, runner.user_count, env.runner)
    say(runner.start(1, 1), runner.send_message("x"))
    say(len(runner.spawn_users({"Idler": 1})), runner.state)
    runner.quit()
    say(runner.state, runner.user_count)


@probe
def cpu_log_warning(say):
    env = local()
    with logged("locust") as lines, ended(env) as runner:
        say(runner.cpu_log_warning())
        runner.cpu_warning_emitted = True
        say(runner.cpu_log_warning())
        say(*[line[:70] for line in lines])


@probe.each("create_master_runner", "create_worker_runner", "create_web_ui", "create_local_runner")
def the_signature_of(say, value):
    import inspect

    signature = inspect.signature(getattr(locust.env.Environment, value))
    say([(p.name, None if p.default is p.empty else p.default, str(p.kind)) for p in signature.parameters.values()])
