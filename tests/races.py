"""Everything at once: a test that is started, reshaped, stopped and quit at random, with users of every temper.

Run in a process of its own: `races.py HOST SEED SECONDS`. What is done follows from the seed; how it interleaves does
not, so a failure tells the seed and the last steps. After each step the runner has to tell the truth.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import logging
import os
import sys
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import gevent
from gevent import Greenlet, GreenletExit, Timeout
from gevent.event import Event
from gevent.pool import Pool

from gregaria import _engine
from locust import FastHttpUser, HttpUser, LoadTestShape, SequentialTaskSet, TaskSet, User, constant, task
from locust.env import Environment
from locust.exception import (
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)

HOST, SEED, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
PATIENCE = 30.0
"""Seconds after which something is stuck: the longest thing that a user does takes one."""

chance = Random(SEED)
temper = Random(SEED + 1)
steps: deque[str] = deque(maxlen=40)


class Boom(Exception):
    """What users and listeners raise."""


class Anybody(User):
    abstract = True
    host = HOST
    wait_time = constant(0.001)
    immortal = True

    def start(self, group):
        self.environment.started.append(self)
        return super().start(group)

    def nap(self, most: float = 0.03) -> None:
        time.sleep(temper.random() * most)


class Quick(HttpUser, Anybody):
    @task(5)
    def get(self):
        self.client.get("/json")

    @task
    def slow(self):
        self.client.get(f"/delay?ms={temper.randrange(60)}", name="/delay")


class Fast(FastHttpUser, Anybody):
    @task
    def get(self):
        self.client.get(f"/delay?ms={temper.randrange(30)}", name="/delay")

    def on_stop(self):
        self.nap()


class Overridden(HttpUser, Anybody):
    """Runs the loop that is written in Python."""

    @task
    class Set(TaskSet):
        def wait(self):
            super().wait()

        @task(3)
        def get(self):
            with self.client.get("/json", catch_response=True) as response:
                response.failure("so it is")

        @task
        def leave(self):
            self.interrupt(reschedule=temper.random() < 0.5)


class Sleeper(Anybody):
    wait_time = constant(30)

    @task
    def sleep(self):
        time.sleep(temper.choice([0, 0.001, 0.05, 30]))


class Waiter(Anybody):
    """Waits for what never comes."""

    @task
    def wait_for_ever(self):
        Event().wait()


class Pooled(HttpUser, Anybody):
    @task
    def several(self):
        pool = Pool(3)
        for _ in range(5):
            pool.spawn(self.client.get, f"/delay?ms={temper.randrange(20)}", name="/delay")
        pool.join()


class Impatient(HttpUser, Anybody):
    immortal = False

    @task
    def give_up(self):
        with Timeout(temper.random() * 0.02, False):
            self.client.get("/delay?ms=15", name="/delay")

    @task
    def fail(self):
        with Timeout(0.001):
            self.client.get("/delay?ms=200", name="/delay")


class Nested(Anybody):
    @task
    class Outer(SequentialTaskSet):
        @task
        def one(self):
            self.user.nap(0.002)

        @task
        class Inner(TaskSet):
            @task
            def two(self):
                self.user.nap(0.002)
                raise temper.choice([InterruptTaskSet(True), InterruptTaskSet(False), RescheduleTask(), Boom("two")])

            def on_stop(self):
                if temper.random() < 0.1:
                    raise Boom("on_stop of a task set")

        @task
        def three(self):
            if temper.random() < 0.3:
                self.interrupt()


class Mortal(HttpUser, Anybody):
    """Raises whatever can be raised, wherever it can be."""

    immortal = False

    def on_start(self):
        self.nap(0.005)
        if temper.random() < 0.1:
            raise temper.choice([StopUser(), Boom("on_start"), RescheduleTask(), GreenletExit()])

    @task(5)
    def get(self):
        self.client.get("/json")

    @task
    def raising(self):
        raise temper.choice(
            [Boom("task"), RescheduleTask(), RescheduleTaskImmediately(), StopUser(), GreenletExit(), StopTest("no")]
        )

    def on_stop(self):
        self.nap()
        if temper.random() < 0.2:
            raise temper.choice([Boom("on_stop"), StopUser()])


class Unborn(Anybody):
    """Takes its time to be created, and sometimes is not."""

    immortal = False
    wait_time = constant(0.05)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.nap(0.01)
        if temper.random() < 0.05:
            raise temper.choice([Boom("__init__"), StopTest("__init__")])

    @task
    def nothing(self):
        pass


class Suicidal(Anybody):
    """Stops itself, others, or the whole test."""

    immortal = False

    @task
    def stop_somebody(self):
        self.nap()
        match temper.randrange(40):
            case 0:
                self.stop(force=True)
            case 1:
                if self._state == "running":
                    self.stop()
            case 2:
                self.greenlet.kill(block=temper.random() < 0.5)
            case 3:
                self.environment.runner.stop_users({temper.choice(self.environment.user_classes).__name__: 1})
            case 4:
                self.environment.runner.stop()
            case 5:
                gevent.spawn(self.environment.runner.stop)
            case 6:
                others = list(self.environment.runner.user_greenlets)
                gevent.killall(temper.sample(others, min(3, len(others))), block=False)


CLASSES = [
    cls for cls in list(globals().values()) if isinstance(cls, type) and issubclass(cls, Anybody) and not cls.abstract
]


class Shape(LoadTestShape):
    def tick(self):
        if chance.random() < 0.15:
            return None
        users, rate = chance.randrange(25), chance.choice([12.5, 60, 100])
        if chance.random() < 0.5:
            return users, rate
        return users, rate, chance.sample(self.runner.user_classes, chance.randint(1, len(self.runner.user_classes)))


LEGAL = {
    "ready": {"ready", "spawning", "running", "cleanup"},
    "spawning": {"ready", "spawning", "running", "cleanup"},
    "running": {"ready", "spawning", "running", "cleanup"},
    "cleanup": {"stopped"},
    "stopped": {"ready", "spawning", "running", "cleanup"},
}


class Stuck(BaseException):
    """Something that should have ended has not."""


@contextmanager
def patience(what: str) -> Iterator[None]:
    with Timeout(PATIENCE, Stuck(what)):
        yield


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise Stuck(what)
        gevent.sleep(0.005)


def witness() -> dict[str, Any]:
    import urllib.request  # after gevent has patched what it stands on

    request = urllib.request.Request(f"{HOST}/witness/counts", headers={"Connection": "close"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        return json.load(response)


class Episode:
    """One environment with its runner, from its creation to its end."""

    def __init__(self) -> None:
        self.classes = chance.sample(CLASSES, chance.randint(1, len(CLASSES)))
        self.environment = Environment(
            user_classes=self.classes,
            shape_class=Shape(),
            stop_timeout=chance.choice([None, 0, 0.05, 0.3]),
            catch_exceptions=chance.random() < 0.8,
            reset_stats=False,
        )
        if chance.random() < 0.5:
            self.environment.seed = SEED
        self.users: list[User] = []
        self.runner = self.environment.create_local_runner()
        self.environment.started = self.users  # type: ignore[attr-defined]
        self._watch_states()
        self.environment.events.test_start.add_listener(self._count_from_here)
        self._listen()
        self.background: list[Greenlet] = []
        self.waits = False
        # A pool's greenlets go on without their user, into the next test.
        self.counts = Pooled not in self.classes
        self.before = -1

    def _watch_states(self) -> None:
        update = self.runner.update_state

        def watched(new: str) -> None:
            assert new in LEGAL[self.runner.state], f"from {self.runner.state} to {new}"
            update(new)

        self.runner.update_state = watched

    def _listen(self) -> None:
        events = self.environment.events
        for name in ("test_start", "test_stop", "test_stopping", "spawning_complete", "user_error", "request"):
            if chance.random() < 0.3:
                getattr(events, name).add_listener(self._raising if chance.random() < 0.5 else self._switching)

    def _count_from_here(self, **_: object) -> None:
        self.before = -1
        if not self.runner.user_count:
            self.before = witness()["requests"]

    def _raising(self, **_: object) -> None:
        if temper.random() < 0.3:
            raise Boom("a listener")

    def _switching(self, **_: object) -> None:
        gevent.sleep(temper.choice([0, 0, 0.002]))

    # What may be done.

    def start(self) -> None:
        classes = chance.sample(self.classes, chance.randint(1, len(self.classes))) if chance.random() < 0.3 else None
        number = chance.randrange(40)
        self.waits = chance.random() < 0.1
        self.runner.start(number, chance.choice([12.5, 60, 100, 100]), wait=self.waits, user_classes=classes)

    def stop(self) -> None:
        self.runner.stop()
        self.is_over()
        self.has_counted()

    def start_afresh(self) -> None:
        """Nobody may be missing when nothing comes between."""
        gevent.joinall(self.background)
        self.runner.stop()
        number = chance.randrange(60)
        self.waits = False
        self.runner.start(number, 100)
        self.wait_for_all()
        # Without `catch_exceptions` a task that raises is its user's end.
        if self.environment.catch_exceptions and all(cls.immortal for cls in self.classes):
            assert (self.runner.state, self.runner.user_count) == ("running", number), (
                f"{self.runner.user_count} users of {number}, {self.runner.state}"
            )

    def stop_beside(self) -> None:
        self.background.append(gevent.spawn(self.runner.stop))

    def stop_and_start(self) -> None:
        self.stop_beside()
        self.rest()
        self.start()

    def stop_twice(self) -> None:
        self.stop_beside()
        self.rest()
        self.runner.stop()

    def spawn(self) -> None:
        name, number = chance.choice(self.classes).__name__, chance.randrange(4)
        try:
            self.runner.spawn_users({name: number})
        except (Boom, StopTest):
            assert name == "Unborn"

    def stop_some(self) -> None:
        self.runner.stop_users({cls.__name__: chance.randrange(4) for cls in chance.sample(self.classes, 1)})

    def stop_user(self) -> None:
        for user in chance.sample(self.users, min(3, len(self.users))):
            # Who was asked already must not be asked again: Locust raises then, and so does this.
            user.stop(force=user._state == "stopping" or chance.random() < 0.5)

    def kill(self) -> None:
        greenlets = [user.greenlet for user in chance.sample(self.users, min(4, len(self.users)))]
        gevent.killall(greenlets, block=chance.random() < 0.5)

    def throw(self) -> None:
        for user in chance.sample(self.users, min(2, len(self.users))):
            user.greenlet.kill(chance.choice([Boom("thrown"), StopUser(), Timeout()]), block=False)

    def shape(self) -> None:
        self.runner.start_shape()

    def change_patience(self) -> None:
        self.environment.stop_timeout = chance.choice([None, 0, 0.05, 0.3])

    def rest(self) -> None:
        gevent.sleep(chance.choice([0, 0.001, 0.02, 0.1]))

    def wait_for_all(self) -> None:
        """Let a ramp end. One that waits for the end of its users does so for ever."""
        if not self.waits:
            until(lambda: not self._is_ramping(), "a ramp")

    def _is_ramping(self) -> bool:
        ramp = self.runner.spawning_greenlet
        return ramp is not None and not ramp.ready()

    STEPS = {
        start: 6,
        stop: 2,
        start_afresh: 1,
        stop_beside: 1,
        stop_and_start: 1,
        stop_twice: 1,
        spawn: 2,
        stop_some: 2,
        stop_user: 2,
        kill: 2,
        throw: 1,
        shape: 1,
        change_patience: 1,
        rest: 8,
        wait_for_all: 2,
    }

    def step(self) -> None:
        (what,) = chance.choices(list(self.STEPS), self.STEPS.values())
        steps.append(f"{what.__name__} in state {self.runner.state} with {self.runner.user_count} users")
        with patience(what.__name__):
            what(self)
        self.tells_the_truth()

    # What has to hold.

    def living(self) -> list[User]:
        self.users[:] = [user for user in self.users if not user.greenlet.dead]
        return self.users

    def tells_the_truth(self) -> None:
        """Without a pause, for whoever asks must not have to wait for the answer to become right."""
        living = self.living()
        classes = Counter(type(user).__name__ for user in living)
        runner = self.runner
        told = {name: number for name, number in runner.user_classes_count.items() if number}
        assert runner.user_count == len(living), f"user_count is {runner.user_count}, and {len(living)} live"
        assert told == dict(classes), f"user_classes_count is {told}, and {dict(classes)} live"

    def is_over(self) -> None:
        """After a stop nobody is left."""
        assert self.runner.state == "stopped", f"{self.runner.state} after a stop"
        assert not self.living(), f"{self.living()} live after a stop"

    def has_counted(self) -> None:
        """Every request is in the statistics that came to an end, and no other."""
        if not self.counts or self.before < 0:
            return
        until(lambda: not _engine.unreturned_requests() and not witness()["requests_open"], "requests do not end")
        arrived, counted = witness()["requests"] - self.before, self.environment.stats.total.num_requests
        abandoned = _engine.take_abandoned_requests()
        assert counted <= arrived <= counted + abandoned, f"{arrived} arrived, {counted} counted, {abandoned} abandoned"
        self.before = -1

    def end(self) -> None:
        steps.append("quit")
        with patience("quit"):
            self.runner.quit()
            gevent.joinall(self.background)
            self.runner.quit()
            gevent.joinall(list(self.runner.greenlet))
        assert not self.runner.user_count and not self.living()
        assert not len(self.runner.greenlet), "the runner has greenlets after it quit"
        self.leaves_nothing()

    def leaves_nothing(self) -> None:
        until(lambda: not _engine.parked(), "somebody is parked in the engine")
        until(lambda: not _engine.unreturned_requests(), "requests do not come back")


def greenlets() -> set[Greenlet]:
    return {thing for thing in gc.get_objects() if isinstance(thing, Greenlet) and thing and not thing.dead}


def main() -> None:
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(logging.CRITICAL + 1)
    gevent.get_hub().exception_stream = None
    faulthandler.dump_traceback_later(SECONDS + 2 * PATIENCE, exit=True)
    episodes = taken = 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        episode = Episode()
        episodes += 1
        for _ in range(chance.randint(5, 60)):
            episode.step()
            taken += 1
        episode.end()
        del episode
        nothing_is_left()
    print(json.dumps({"seed": SEED, "episodes": episodes, "steps": taken}))


def nothing_is_left() -> None:
    def left() -> list[Any]:
        gc.collect()
        return [thing for thing in gc.get_objects() if isinstance(thing, (User, TaskSet))]

    until(lambda: not (greenlets() - {gevent.getcurrent()}), "greenlets are left")
    until(lambda: not left(), "users are left")
    until(lambda: witness()["connections_open"] == 0, "connections are left")
    until(lambda: witness()["requests_open"] == 0, "requests are left")


def tell_where_it_stands() -> None:
    """What went wrong, after which steps; and where everybody is, if somebody is stuck there."""
    error = traceback.format_exc()
    print(error, f"seed {SEED}; the last steps:", *steps, sep="\n  ", file=sys.stderr)
    if "Stuck" in error:
        for greenlet in greenlets():
            print(greenlet, *traceback.format_stack(greenlet.gr_frame)[-4:], sep="\n", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except BaseException:
        tell_where_it_stands()
        sys.stderr.flush()
        # What is wrong may be that nothing ends any more.
        os._exit(1)
