"""Which users of which classes run: weights, fixed counts, and what is changed between tests."""

from __future__ import annotations

import gevent

import locust

from ..probe import probe
from ..running import ended, local, logged, user_class


@probe.each(1, 2, 3, 5, 8)
def mix(say, value):
    a = user_class("A", weight=3)
    b = user_class("B", fixed_count=2)
    c = user_class("C", weight=1)
    d = user_class("D", fixed_count=1)
    env = local(a, b, c, d)
    with ended(env) as runner:
        runner.start(value, 100)
        runner.spawning_greenlet.join()
        say(runner.user_classes_count, runner.target_user_classes_count)


@probe
def only_fixed(say):
    b = user_class("B", fixed_count=2)
    env = local(b)
    with ended(env) as runner:
        runner.start(5, 100)
        runner.spawning_greenlet.join()
        say(runner.user_classes_count, runner.state, runner.target_user_count)
        runner.start(1, 100)
        runner.spawning_greenlet.join()
        say(runner.user_classes_count, runner.state)


@probe
def lost_fixed_user_is_restored(say):
    b = user_class("B", fixed_count=2)
    a = user_class("A")
    env = local(a, b)
    with ended(env) as runner:
        runner.start(3, 100)
        runner.spawning_greenlet.join()
        say(runner.user_classes_count)
        runner.stop_users({"B": 1})
        say(runner.user_classes_count)
        runner.start(4, 100)
        runner.spawning_greenlet.join()
        say(runner.user_classes_count)
        runner.start(2, 100)
        runner.spawning_greenlet.join()
        say(runner.user_classes_count)
        runner.start(5, 100)
        runner.spawning_greenlet.join()
        say(runner.user_classes_count)


@probe
def weights_changed_between_tests(say):
    a, b = user_class("A"), user_class("B")
    env = local(a, b)
    with ended(env) as runner:
        runner.start(4, 100)
        runner.spawning_greenlet.join()
        say(runner.user_classes_count)
        runner.stop()
        a.weight = 3
        runner.start(4, 100)
        runner.spawning_greenlet.join()
        say(runner.user_classes_count)
        runner.stop()
        b.weight = 0
        runner.start(4, 100)
        runner.spawning_greenlet.join()
        say(runner.user_classes_count)
        runner.stop()
        a.fixed_count = 1
        b.weight = 1
        runner.start(4, 100)
        runner.spawning_greenlet.join()
        say(runner.user_classes_count)


@probe
def classes_replaced_between_tests(say):
    a, b = user_class("A"), user_class("B")
    env = local(a)
    with ended(env) as runner:
        runner.start(2, 100)
        runner.spawning_greenlet.join()
        runner.stop()
        env.user_classes = [b]
        runner.start(2, 100)
        runner.spawning_greenlet.join()
        say(runner.user_classes_count)


@probe
def tasks_ratio_final(say):
    a, b = user_class("A"), user_class("B")
    env = local(a, b)
    runner = env.runner
    runner.start(3, 100)
    runner.spawning_greenlet.join()
    runner.quit()
    say(runner.final_user_classes_count, runner.target_user_classes_count)


@probe
def stop_timeout_none(say):
    env = local()
    env.stop_timeout = None
    runner = env.runner
    runner.start(2, 100)
    runner.spawning_greenlet.join()
    runner.quit()
    say(runner.state, runner.user_count)


@probe
def host_falsy(say):
    a = user_class("A", host="http://a")
    env = local(a, host="")
    with ended(env) as runner:
        runner.start(1, 100)
        runner.spawning_greenlet.join()
        say(a.host)


@probe
def http_user_without_a_host(say):
    class H(locust.HttpUser):
        wait_time = locust.constant(1)

        @locust.task
        def t(self):
            pass

    env = local(H)
    with logged() as lines:
        env.runner.start(1, 100)
        env.runner.spawning_greenlet.join()
        gevent.sleep(0.05)
        say(env.runner.state, env.runner.user_count, [line.splitlines()[0][:90] for line in lines])
        env.runner.quit()


@probe
def start_positional(say):
    env = local()
    with ended(env) as runner:
        runner.start(1, 10, False, None)
        runner.spawning_greenlet.join()
        say(runner.user_count)
        runner.start(user_count=2, spawn_rate=10, wait=False, user_classes=None)
        runner.spawning_greenlet.join()
        say(runner.user_count)
        try:
            runner.start()
        except TypeError:
            say("TypeError")


@probe
def greenlet_names(say):
    env = local()
    with ended(env) as runner:
        (u,) = runner.spawn_users({"Idler": 1})
        say(
            type(u.greenlet).__name__,
            u.greenlet in runner.user_greenlets,
            u.group is runner.user_greenlets,
            u.greenlet.args[0] is u,
        )


@probe
def users_are_told_apart(say):
    env = local()
    with ended(env) as runner:
        runner.start(3, 100)
        runner.spawning_greenlet.join()
        say(len({id(g.args[0]) for g in runner.user_greenlets}), [g.dead for g in runner.user_greenlets])


@probe
def tick_with_numpy_like(say):
    class N(int):
        pass

    env = local()
    with ended(env) as runner:
        runner.start(N(2), 100)
        runner.spawning_greenlet.join()
        say(runner.user_count)
        from fractions import Fraction

        runner.start(Fraction(3), Fraction(100))
        runner.spawning_greenlet.join()
        say(runner.user_count)
