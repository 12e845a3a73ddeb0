"""Users together: what is patched for them, what they share, in which order they draw and take turns."""

from __future__ import annotations

import contextvars
import queue
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import gevent
import gevent.event
import gevent.local
import gevent.lock
import gevent.monkey
import gevent.queue
from gevent.pool import Group, Pool

from locust import SequentialTaskSet, TaskSet, User, between, constant, task
from locust.exception import StopUser

from ..probe import probe


def once(do):
    """A user that does that, and ends."""

    class U(User):
        @task
        def a(self):
            do(self)
            raise StopUser()

    return U


@probe.each("time", "socket", "threading", "queue", "select", "ssl", "subprocess", "os", "signal")
def patched(value, say):
    say(gevent.monkey.is_module_patched(value))


@probe
def draws_in_their_order(run, step):
    class U(User):
        wait_time = between(0, 0.00001)

        @task(3)
        def a(self):
            step("a", random.random())

        @task
        def b(self):
            step("b", random.choice("xyz"))

        @task(6)
        class Set(TaskSet):
            @task
            def c(self):
                step("c", random.randint(1, 6))

            @task
            def d(self):
                step("d")
                self.interrupt()

    run(U, steps=60)


@probe.each(1, 2, 3, 7, 8, 100, 257)
def draws_of_so_many_tasks(value, run, step):
    class U(User):
        tasks = [lambda user, number=number: step(number) for number in range(value)]

    run(U, steps=12)


@probe
def draws_by_a_generator_of_ones_own(run, step):
    own = random.Random(5)

    class U(User):
        @task
        def a(self):
            step("a", own.random())

        @task
        def b(self):
            step("b", own.random(), random.random())

    run(U, steps=20)


@probe
def seeds_of_users(run, say):
    drawn = []

    class U(User):
        def on_start(self):
            random.seed(len(drawn))
            drawn.append(random.random())
            raise StopUser()

    run(U, users=3)
    say(drawn)


@probe.each("time.sleep", "gevent.sleep", "event", "queue", "semaphore", "lock", "join", "select")
def waiting_lets_others_run(value, run, say):
    """The first user waits for what the second does."""
    users = []
    event = gevent.event.Event()
    waiting = queue.Queue()
    semaphore = gevent.lock.Semaphore(0)
    lock = threading.Lock()
    lock.acquire()

    def wait(_):
        users.append("came")
        if len(users) == 1:
            match value:
                case "time.sleep":
                    time.sleep(0.01)
                case "gevent.sleep":
                    gevent.sleep(0.01)
                case "event":
                    event.wait(5)
                case "queue":
                    waiting.get(timeout=5)
                case "semaphore":
                    semaphore.acquire(timeout=5)
                case "lock":
                    lock.acquire(timeout=5)
                case "join":
                    gevent.spawn(gevent.sleep, 0.01).join()
                case "select":
                    import select

                    select.select([], [], [], 0.01)
            users.append("went on")
        else:
            users.append("second")
            event.set()
            waiting.put(1)
            semaphore.release()
            lock.release()

    run(once(wait), users=2)
    say(users)


@probe.each("threading", "gevent")
def locals_are_each_user_s_own(value, run, say):
    own = threading.local() if value == "threading" else gevent.local.local()
    seen = []

    def look(user):
        seen.append(hasattr(own, "word"))
        own.word = id(user)
        gevent.sleep(0.001)
        seen.append(own.word == id(user))

    run(once(look), users=3)
    say(seen)


@probe
def context_variables_are_each_user_s_own(run, say):
    word = contextvars.ContextVar("word", default="none")
    seen = []

    def look(user):
        seen.append(word.get())
        word.set("mine")
        gevent.sleep(0)
        seen.append(word.get())

    run(once(look), users=2)
    say(seen)


@probe
def identity(run, say):
    seen = []

    def look(user):
        seen.append((threading.get_ident(), gevent.getcurrent(), threading.current_thread()))
        say(gevent.getcurrent() is user.greenlet, isinstance(gevent.getcurrent(), gevent.Greenlet))
        say(user.greenlet.args == (user,) or user.greenlet.args[0] is user, user.greenlet in user.group)
        gevent.sleep(0)

    run(once(look), users=3)
    say(
        len({one for one, _, _ in seen}), len({id(two) for _, two, _ in seen}), len({id(three) for _, _, three in seen})
    )


@probe
def what_is_shared_needs_no_lock(run, say):
    total = {"count": 0}

    class U(User):
        turn = 0

        @task
        def a(self):
            for _ in range(100):
                total["count"] += 1
            self.turn += 1
            if self.turn == 5:
                raise StopUser()

    run(U, users=10)
    say(total)


@probe
def threads_are_greenlets(run, say):
    seen = []

    def sleep():
        seen.append("in")
        time.sleep(0.02)
        seen.append("out")

    def work(user):
        threads = [threading.Thread(target=sleep) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        say(seen.index("out"), len(seen), threading.active_count() < 3)

    run(once(work))


@probe
def pools(run, say):
    def work(user):
        say(sorted(Pool(2).map(lambda number: number * 2, range(5))))
        with ThreadPoolExecutor(2) as executor:
            say(list(executor.map(lambda number: number * 3, range(3))))
        group = Group()
        seen = []
        for number in range(3):
            group.spawn(seen.append, number)
        group.join()
        say(seen)

    run(once(work))


@probe
def processes(run, say):
    def work(user):
        done = subprocess.run([sys.executable, "-c", "print(6 * 7)"], stdout=subprocess.PIPE, text=True, check=True)
        say(done.stdout)

    run(once(work))


@probe
def a_queue_of_work_for_all(run, say):
    work = gevent.queue.Queue()
    done = []
    for number in range(12):
        work.put(number)

    class U(User):
        wait_time = constant(0)

        @task
        def a(self):
            try:
                done.append(work.get_nowait())
            except gevent.queue.Empty:
                raise StopUser() from None

    run(U, users=4)
    say(sorted(done))


@probe
def a_barrier_for_all(run, say):
    arrived = []
    everybody = gevent.event.Event()

    def work(user):
        arrived.append(user)
        if len(arrived) == 5:
            everybody.set()
        say(everybody.wait(5))

    run(once(work), users=5)


@probe
def a_lock_is_passed_on(run, say):
    lock = gevent.lock.BoundedSemaphore(1)
    seen = []

    def work(user):
        with lock:
            seen.append("in")
            gevent.sleep(0.001)
            seen.append("out")

    run(once(work), users=4)
    say(seen)


@probe
def killed_while_holding_a_lock(run, step, say):
    lock = gevent.lock.Semaphore(1)

    class U(User):
        @task
        def a(self):
            with lock:
                step("in")

    run(U, users=3, steps=1)
    say(lock.counter, lock.locked())


@probe
def one_user_stops_another(run, say):
    users = []

    class U(User):
        def on_start(self):
            users.append(self)

        def on_stop(self):
            say("on_stop", users.index(self))

        @task
        def a(self):
            if len(users) == 2 and self is users[1]:
                users[0].stop(force=True)
                say(users[0].greenlet.dead)
                raise StopUser()
            gevent.sleep(0.001)

    run(U, users=2)


@probe
def all_are_started_before_any_begins(run, say):
    def listen(env):
        env.events.spawning_complete.add_listener(lambda user_count, **others: say("spawning_complete", user_count))

    class U(User):
        def __init__(self, environment):
            super().__init__(environment)
            say("made", environment.runner.user_count)

        def on_start(self):
            say("on_start", self.environment.runner.user_count, self.environment.runner.state)
            raise StopUser()

    run(U, users=3, before=listen)


@probe
def a_user_that_ended_is_not_replaced(run, say):
    class U(User):
        made = []

        def on_start(self):
            self.made.append(self)
            if len(self.made) == 1:
                raise StopUser()

        @task
        def a(self):
            gevent.sleep(0.01)
            say(len(self.made), self.environment.runner.user_count)
            raise StopUser()

    run(U, users=2)


@probe
def sequences_take_turns(run, say):
    turns = []

    class U(User):
        @task
        class Steps(SequentialTaskSet):
            @task
            def one(self):
                turns.append("one")

            @task
            def two(self):
                turns.append("two")

            @task
            def three(self):
                turns.append("three")
                raise StopUser()

    run(U, users=3)
    say(turns)


@probe
def users_that_never_wait_end_when_asked(run, step):
    class U(User):
        @task
        def a(self):
            step("a")

    run(U, users=5, steps=50)


@probe.each(0.2, 5)
def stop_timeout(value, run, say):
    """The task that runs when the test is stopped goes on to its end, if that is in time."""
    began = gevent.event.Event()

    class U(User):
        wait_time = constant(9)

        def on_stop(self):
            say("on_stop")

        @task
        def a(self):
            say("a")
            began.set()
            gevent.sleep(0.02 if value == 5 else 4)
            say("a ended")

    def listen(env):
        def stop():
            began.wait()
            env.runner.quit()

        gevent.spawn(stop)

    run(U, before=listen, stop_timeout=value)


@probe
def stop_timeout_while_waiting(run, say):
    class U(User):
        wait_time = constant(9)

        def on_stop(self):
            say("on_stop", self._state)

        @task
        def a(self):
            say("a")
            gevent.spawn_later(0.01, self.environment.runner.quit)

    run(U, stop_timeout=5)


@probe
def stop_timeout_in_a_wait_time_that_waits(run, say):
    class U(User):
        def wait_time(self):
            say("wait_time")
            gevent.spawn(self.environment.runner.quit)
            gevent.sleep(0.02)
            say("wait_time is over")
            return 0

        def on_stop(self):
            say("on_stop")

        @task
        def a(self):
            say("a")

    run(U, stop_timeout=5)
