"""`--seed` and `environment.seed`: what a user draws repeats, whoever else runs and however long responses take."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

SHOP = """
import os, random
from random import choice, gauss, random as draw
import gevent
from locust import FastHttpUser, HttpUser, MarkovTaskSet, TaskSet, between, events, poisson, task, transitions

assert draw is random.random
DELAY, TOP = os.environ["DELAY"], random.random()


class Named:
    def __init__(self, environment):
        super().__init__(environment)
        self.me = f"{type(self).__name__}-{random.getrandbits(32)}"

    def tell(self, what, *drawn):
        path = f"/delay?ms={random.random() * float(DELAY)}&said={what}:{drawn}:{TOP}"
        self.client.get(path, headers={"Me": self.me}, name=what)


class Shopper(Named, HttpUser):
    wait_time = between(0, 0.002)

    @task(3)
    def browse(self):
        self.tell("browse", choice("abcdef"), round(gauss(0, 1), 6), random.sample(range(9), 3))

    @task
    def search(self):
        drawn = [None] * 3
        def child(place):
            gevent.sleep(int.from_bytes(os.urandom(1), "big") / 1e5)
            drawn[place] = random.randint(0, 999)
        gevent.joinall([gevent.spawn(child, place) for place in range(3)])
        self.tell("search", *drawn)

    @task
    class Cart(TaskSet):
        wait_time = poisson(1000)

        @task(2)
        def add(self):
            self.user.tell("add", round(self.wait_time(), 9))

        @task
        def leave(self):
            self.interrupt()

    @task
    class Chain(MarkovTaskSet):
        @transitions({"one": 1, "two": 1})
        def one(self):
            self.user.tell("one")

        @transitions({"one": 1, "end": 1})
        def two(self):
            self.user.tell("two")

        @transitions(["one"])
        def end(self):
            self.interrupt(reschedule=False)


class Quick(Named, FastHttpUser):
    wait_time = between(0, 0.002)

    @task(2)
    def look(self):
        self.tell("look", random.uniform(0, 1))

    @task
    def buy(self):
        self.tell("buy", random.choices("xyz", k=2))
"""


def _locust(tmp_path: Path, source: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "shop.py"
    file.write_text(source)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    return subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(file), "--headless", "--only-summary", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**kept, **environment},
    )


def _said(target) -> dict[str, list[str]]:
    """What each user said, as the server heard it."""
    said = defaultdict(list)
    for request in json.loads(target._ask("GET", "/witness/requests")):
        headers = {name.lower(): value for name, value in request["headers"]}
        said[headers["me"]].append(parse_qs(urlsplit(request["target"]).query)["said"][0])
    return said


@pytest.fixture
def shopped(target, tmp_path):
    """Run the shop and return what each user said."""

    def shopped(*arguments: str, delay: int, source: str = SHOP, **environment: str) -> dict[str, list[str]]:
        target.reset()
        target._ask("POST", "/witness/record")
        run = _locust(
            tmp_path,
            source,
            "-H",
            target.url,
            "-s",
            "5",
            *arguments,
            DELAY=str(delay),
            PYTHONHASHSEED="0",
            **environment,
        )
        assert run.returncode == 0, run.stderr
        return _said(target)

    return shopped


def _agree(one: dict[str, list[str]], other: dict[str, list[str]], users: set[str]) -> None:
    for user in users:
        both = list(zip(one[user], other[user], strict=False))
        assert len(both) >= 8, f"{user} hardly ran"
        assert [mine for mine, _ in both] == [theirs for _, theirs in both], user


def test_each_user_repeats_itself_whatever_the_interleaving(shopped):
    first = shopped("--seed", "42", "-u", "4", "-r", "50", "-t", "2s", delay=5)
    # Slower responses, more users beside them, another ramp, the seed from elsewhere; and by the loop in Python.
    overridden = SHOP + "TaskSet.wait = lambda self, wait=TaskSet.wait: wait(self)"
    second = shopped("-u", "9", "-r", "6", "-t", "3s", delay=50, source=overridden, LOCUST_SEED="42")
    assert len(first) == 4 and set(first) <= set(second) and len(second) == 9
    _agree(first, second, set(first))
    # No two users are alike, and no two seeds.
    assert len({tuple(said[:5]) for said in second.values()}) == 9
    third = shopped("--seed", "43", "-u", "4", "-r", "50", "-t", "1s", delay=5)
    assert not set(third) & set(second)
    assert _top(first) == _top(second) == repr(random.Random(42).random()) != _top(third)


def _top(said: dict[str, list[str]]) -> str:
    (top,) = {line.rsplit(":", 1)[1] for lines in said.values() for line in lines}
    return top


def test_a_seed_that_was_chosen_is_told_and_repeats_the_run(tmp_path):
    source = """
import random
from locust import User, task, constant
class U(User):
    wait_time = constant(9)
    @task
    def t(self): print("drew", random.random(), flush=True)
"""
    chosen = _locust(tmp_path, source, "-u", "3", "-r", "9", "-t", "1s", "--seed", "auto")
    (line,) = [line for line in chosen.stderr.splitlines() if "--seed" in line]
    seed = line.split("`--seed ")[1].split("`")[0]
    assert 0 <= int(seed) < 10**9
    again = _locust(tmp_path, source, "-u", "3", "-r", "3", "-t", "2s", "--seed", seed)
    assert sorted(chosen.stdout.splitlines()) == sorted(again.stdout.splitlines())
    assert sorted(chosen.stdout.splitlines()) == sorted(
        f"drew {_second_draw(f'{seed}/U/{number}')}" for number in (1, 2, 3)
    )


def _second_draw(path: str) -> float:
    """What the only task of a user of `path` draws: picking it came first."""
    generator = random.Random(path)
    generator.choice([None])
    return generator.random()


@pytest.mark.parametrize("bad", ["-1", "x", "1.5", "", str(2**63)])
def test_what_is_no_seed_is_refused_in_a_sentence(tmp_path, bad):
    for run in (
        _locust(tmp_path, "from locust import User", f"--seed={bad}"),
        _locust(tmp_path, "from locust import User", LOCUST_SEED=bad),
    ):
        assert run.returncode == 2
        wanted = f"expected a whole number from 0 to {2**63 - 1}, or `auto`, not '{bad}'"
        assert run.stderr.splitlines() == [f"locust: error: argument --seed: {wanted}"]


def test_a_locustfile_may_have_a_seed_of_its_own(tmp_path):
    run = _locust(
        tmp_path,
        """
from locust import User, events, task
@events.init_command_line_parser.add_listener
def _(parser): parser.add_argument("--seed", type=str.upper, default="none", env_var="MY_SEED")
class U(User):
    @task
    def t(self):
        print(self.environment.parsed_options.seed, self.environment.seed, flush=True)
        self.environment.runner.quit()
""",
        "--seed",
        "mine",
    )
    assert (run.returncode, run.stdout.splitlines()) == (0, ["MINE None"]), run.stderr


def test_without_a_seed_random_is_pythons_own(python_script):
    run = python_script(
        """
        import json, random, sys
        before = [random.random, random.seed, random.choice]
        from locust import User, task
        from locust.env import Environment
        import gevent
        drawn = []
        class U(User):
            @task
            def t(self): drawn.append(random.random()); gevent.sleep(9)
        environment = Environment(user_classes=[U])
        environment.create_local_runner().start(2, 10)
        random.seed(7)
        gevent.sleep(0.1)
        environment.runner.quit()
        expected = random.Random(7)
        expected = [(expected.choice([0]), expected.random())[1] for _ in drawn]
        untouched = type(random._inst) is random.Random and [random.random, random.seed, random.choice] == before
        print(json.dumps([environment.seed, untouched, "gregaria.seeding" in sys.modules, drawn == expected]))
        """
    )
    assert run.last_line == [None, True, False, True]


SCRIPT = """
import contextvars, json, random, sys
from random import random as draw, seed, gauss, getrandbits, randbytes
import gevent
from locust import User, task, constant
from locust.env import Environment
told = {}
def tell(key, value): told.setdefault(key, []).append(value)
class U(User):
    wait_time = constant(9)
    def on_start(self): self.me = getrandbits(20)
environment = Environment(user_classes=[U])
"""


def test_every_name_of_a_function_draws_from_the_user_s_own(python_script):
    run = python_script(
        SCRIPT
        + """
@task
def t(user):
    user.state = random.getstate()
    told[user.me] = [draw(), random.random(), gauss(0, 1), random.gauss(0, 1), randbytes(3).hex(), random.randrange(9)]
    random.setstate(user.state)
    told[user.me].append(draw())
    seed(user.me)
    gevent.sleep(0)
    told[user.me] += [draw(), gauss(0, 1)]
U.tasks = [t]
before = random.getstate()
environment.seed = 5
assert random.getstate() == before and environment.seed == 5
runner = environment.create_local_runner()
runner.start(3, 100)
gevent.sleep(0.1)
runner.quit()
assert random.getstate() == before, "the users drew from what is not theirs"
random.seed(1)
assert draw() == random.Random(1).random()
print(json.dumps(told))
"""
    )
    expected = {}
    for number in (1, 2, 3):
        own = random.Random(f"5/U/{number}")
        me = own.getrandbits(20)
        own.choice([0])
        drawn = [own.random(), own.random(), own.gauss(0, 1), own.gauss(0, 1), own.randbytes(3).hex(), own.randrange(9)]
        seeded = random.Random(me)
        expected[str(me)] = [*drawn, drawn[0], seeded.random(), seeded.gauss(0, 1)]
    assert run.last_line == expected


def test_greenlets_of_a_user_have_branches_of_its_stream(python_script):
    run = python_script(
        SCRIPT
        + """
from gevent.pool import Pool
mine = contextvars.ContextVar("mine", default="nothing")
@task
def t(user):
    mine.set("the task's")
    tell("parent", draw())
    def child(name):
        tell("leaks", mine.get())
        if name == "first": gevent.sleep(0.02)
        tell(name, draw())
        if name == "second": gevent.spawn(lambda: tell("grandchild", draw())).join()
    gevent.spawn(child, "first"), gevent.spawn_later(0.01, child, "second")
    Pool(2).map(child, ["third"])  # what maps is a greenlet itself
    tell("parent", draw())
U.tasks = [t]
environment.seed = 5
runner = environment.create_local_runner()
runner.start(1, 100)
gevent.sleep(0.2)
gevent.spawn(lambda: tell("rest", draw() == draw())).join()
runner.quit()
print(json.dumps(told))
"""
    )
    parent = random.Random("5/U/1")
    parent.getrandbits(20)
    parent.choice([0])
    assert run.last_line == {
        "parent": [parent.random(), parent.random()],
        "leaks": ["nothing"] * 3,
        **{
            name: [random.Random(f"5/U/1/{place}").random()]
            for name, place in (("first", 1), ("second", 2), ("third", "3/1"), ("grandchild", "2/1"))
        },
        "rest": [False],
    }


def test_a_test_started_again_repeats_and_the_last_come_go_first(python_script):
    run = python_script(
        SCRIPT
        + """
from locust.exception import StopUser
class V(U): pass
environment = Environment(user_classes=[U, V])
environment.seed = 3
@task
def t(user): tell("ran", [type(user).__name__, draw()])
U.tasks = V.tasks = [t]
U.on_stop = lambda self: tell("stopped", self.me)
runner = environment.create_local_runner()
for attempt in range(2):
    runner.start(6, 100)
    gevent.sleep(0.1)
    runner.start(2, 100)
    gevent.sleep(0.1)
    tell("left", sorted(greenlet.args[0].me for greenlet in runner.user_greenlets))
    runner.stop()
    print(json.dumps(told)) if attempt else (first := dict(told), told.clear())
assert told["ran"] == first["ran"] and set(told["stopped"]) == set(first["stopped"]) and told["left"] == first["left"]
"""
    )
    told = run.last_line
    assert told["left"] == [sorted(random.Random(f"3/{name}/1").getrandbits(20) for name in "UV")]
    assert [name for name, _ in told["ran"]] == [*"UUUVVV"] and len(told["stopped"]) == 6


def test_one_user_in_a_debugger_repeats(python_script):
    code = """
    import random, sys
    from locust import User, task, run_single_user
    from locust.exception import StopUser
    class U(User):
        @task
        def t(self):
            print(random.random())
            raise StopUser
    run_single_user(U); run_single_user(U)
    """
    *_, once, twice = python_script(code, "--seed", "8").stdout.splitlines()
    assert once == twice == str(_second_draw("8/U/1"))


@pytest.mark.parametrize("bad", ["'7'", "-1", "1.5", "True"])
def test_environment_seed_takes_whole_numbers(python_script, bad):
    run = python_script(
        f"""
        import json
        from locust.env import Environment
        environment = Environment()
        environment.seed = 4
        try: environment.seed = {bad}
        except ValueError as error: said = str(error)
        environment.seed = None
        print(json.dumps([said, environment.seed]))
        """
    )
    value = eval(bad)
    assert run.last_line == [f"environment.seed is a whole number from 0 on, or None for no seed, not {value!r}", None]
