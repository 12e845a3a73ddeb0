"""`from gregaria import Feeder`: each row once, in a run and in a program."""

from __future__ import annotations

import csv
import gzip
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RUN = """
import json
from gregaria import Feeder, FeederEmpty
from locust import *

taken = []

@events.quit.add_listener
def show(**_):
    print("TAKEN " + json.dumps(taken))

{feeder}

class U(User):
    @task
    def t(self):
        {task}
"""


def run(folder: Path, feeder: str, *options: str, task: str = "taken.append(next(rows))") -> tuple[Any, list[Any]]:
    (folder / "locustfile.py").write_text(RUN.format(feeder=feeder, task=task))
    command = [sys.executable, "-m", "locust", "--headless", "-u", "5", "-r", "100", "--only-summary", *options]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    told = [line for line in ran.stdout.splitlines() if line.startswith("TAKEN ")]
    return ran, json.loads(told[0].removeprefix("TAKEN ")) if told else []


def write_csv(path: Path, count: int) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "name"), *((str(number), f"name, {number}") for number in range(count))])


def test_every_row_is_handed_out_once_and_then_the_run_ends(tmp_path: Path) -> None:
    write_csv(tmp_path / "rows.csv", 1000)
    ran, taken = run(tmp_path, 'rows = Feeder("rows.csv")')
    assert taken == [{"id": str(number), "name": f"name, {number}"} for number in range(1000)]
    assert "Feeder `rows.csv`: all rows were handed out, shutting down when the tasks under way" in ran.stderr
    assert "Feeder `rows.csv`: 1,000 rows handed out" in ran.stderr
    assert ran.returncode == 0


def test_the_tasks_under_way_end_before_the_run(tmp_path: Path) -> None:
    task = "row = next(rows); import gevent; gevent.sleep(0.01 * row); taken.append(row)"
    _, taken = run(tmp_path, "rows = Feeder(range(23))", task=task)
    assert sorted(taken) == list(range(23))


def test_rows_are_recycled(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"n": 0}\n\n[1]\n"zwei"\n')
    _, taken = run(tmp_path, 'rows = Feeder("rows.jsonl", when_empty="recycle")', "-i", "8")
    assert taken == [{"n": 0}, [1], "zwei"] * 2 + [{"n": 0}, [1]]


def test_an_empty_feeder_can_be_an_error(tmp_path: Path) -> None:
    task = """
        try: taken.append(next(rows))
        except FeederEmpty as error: taken.append(str(error)); self.environment.runner.quit()
    """
    _, taken = run(tmp_path, 'rows = Feeder([1], when_empty="error", name="few")', "-u", "1", task=task)
    assert taken == [1, "Feeder `few` is empty: all its rows were handed out"]


def test_a_seed_repeats_the_order_of_lots(tmp_path: Path) -> None:
    write_csv(tmp_path / "rows.csv", 200)
    feeder = 'rows = Feeder("rows.csv", shuffle=True, when_empty="recycle")'
    task = 'taken.append(int(next(rows)["id"]))'
    orders = [run(tmp_path, feeder, "--seed", seed, "-i", "400", task=task)[1] for seed in ("1", "1", "2")]
    assert orders[0] == orders[1] != orders[2]
    first, second = orders[0][:200], orders[0][200:]
    assert sorted(first) == sorted(second) == list(range(200))
    assert first != second != list(range(200))


@pytest.mark.parametrize(
    ("feeder", "said"),
    [
        ('rows = Feeder("rows.csv")', "Feeder `rows.csv`: there is no file rows.csv: it was looked for in "),
        ("rows = Feeder('bad.csv')", "Feeder `bad.csv`: bad.csv, line 3: 1 fields, where there are 2 columns"),
        ("rows = Feeder('list.json')", "Feeder `list.json`: list.json has no list in it"),
        ("rows = Feeder('latin.csv')", "latin.csv, line 2: this is no UTF-8; `encoding=` says what it is"),
        ("rows = Feeder('bad.csv', encoding='latin-1')", "bad.csv, line 3: 1 fields, where there are 2 columns"),
        ("rows = Feeder('long.csv', encoding='latin-1')", "cannot read long.csv: field larger than field limit"),
        ("rows = Feeder('twice.csv', encoding='latin-1')", 'twice.csv: two columns have the name "a"'),
        ("rows = Feeder('none.csv', encoding='latin-1')", "none.csv: the first line names no columns"),
        ("rows = Feeder('cut.csv.gz')", "cannot read cut.csv.gz: "),
        ("rows = Feeder('cut.csv.gz', encoding='latin-1')", "cannot read cut.csv.gz: Compressed file ended before"),
        ("rows = Feeder('bad.jsonl')", "Feeder `bad.jsonl`: row 2 is no JSON: "),
        ("rows = Feeder('bad.jsonl', encoding='latin-1')", "Feeder `bad.jsonl`: row 2 is no JSON: "),
        ("rows = Feeder('half.json')", "cannot read half.json: Expecting value"),
        ("rows = Feeder(lambda: (1 / each for each in (1, 0)))", "Feeder `feeder`: division by zero"),
        ("rows = Feeder((next(iter([])) for _ in [1]))", "Feeder `feeder`: generator raised StopIteration"),
    ],
)
def test_data_that_cannot_be_read_end_the_run_in_one_sentence(feeder: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n3\n")
    (tmp_path / "list.json").write_text("{}")
    (tmp_path / "half.json").write_text("[1,")
    (tmp_path / "bad.jsonl").write_text("1\n\n{\n")
    (tmp_path / "latin.csv").write_bytes("a\nß\n".encode("latin-1"))
    (tmp_path / "long.csv").write_text(f"a\n{'x' * 200_000}\n")
    (tmp_path / "twice.csv").write_text("a, a\n1,2\n")
    (tmp_path / "none.csv").write_text("\n")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"a\n" + random.Random(1).randbytes(999).hex().encode())[:-9])
    ran, taken = run(tmp_path, feeder, "-t", "30")
    assert ran.stderr.count(said) >= 1 and "Traceback" not in ran.stderr, ran.stderr
    assert "all rows were handed out" not in ran.stderr
    assert ran.returncode == (1 if "there is no file" in said else 2) and len(taken) <= 1


def test_users_wait_while_another_one_reads_what_waits_itself(tmp_path: Path) -> None:
    feeder = """
import gevent
def slowly():
    for number in range(20):
        gevent.sleep(0.005)
        yield number
rows = Feeder(slowly)
"""
    ran, taken = run(tmp_path, feeder, "-t", "30")
    assert taken == list(range(20)) and ran.returncode == 0, ran.stderr
    ran, taken = run(tmp_path, feeder.replace("0.005", "7"), "-t", "1")
    assert taken == [] and ran.returncode == 0 and "ERROR" not in ran.stderr, ran.stderr


def test_a_user_that_is_stopped_while_it_reads_is_not_the_end_of_the_data(python_script: Callable[..., Any]) -> None:
    told = python_script(
        """
        import json
        import gevent
        from gregaria import Feeder

        def slowly():
            gevent.sleep(60)
            yield 1

        rows = Feeder(slowly, name="slow")
        user = gevent.spawn(next, rows)
        gevent.sleep(0)
        user.kill()
        try: next(rows)
        except Exception as error: print(json.dumps([type(error).__name__, str(error)]))
        """
    ).last_line
    assert told == [
        "FeederError",
        "Feeder `slow`: GreenletExit ended what gives its rows, while a user waited for one",
    ]


def test_a_destructor_may_take_a_row_while_a_row_is_made(tmp_path: Path, python_script: Callable[..., Any]) -> None:
    write_csv(tmp_path / "rows.csv", 20_000)
    told = python_script(
        """
        import gc, json, os, sys
        os.chdir(sys.argv[1])
        from gregaria import Feeder

        rows, taken = Feeder("rows.csv"), []

        class Left:
            def __init__(self):
                self.itself = self

            def __del__(self):
                taken.append(next(rows))

        while len(taken) < 10_000:
            gc.set_threshold(1 + len(taken) % 5)
            Left()
            taken.append(next(rows))
        numbers = {int(row["id"]) for row in taken}
        print(json.dumps([len(taken) - len(numbers), max(numbers) - min(numbers) + 1 - len(numbers)]))
        """,
        str(tmp_path),
    ).last_line
    assert told == [0, 0]


def test_a_test_that_is_started_again_begins_again(tmp_path: Path, python_script: Callable[..., Any]) -> None:
    write_csv(tmp_path / "rows.csv", 10)
    told = python_script(
        """
        import json, os, sys
        os.chdir(sys.argv[1])
        import gevent
        from locust import User, task
        from locust.env import Environment
        from gregaria import Feeder

        rows, taken = Feeder("rows.csv"), []

        class U(User):
            @task
            def t(self):
                taken.append(int(next(rows)["id"]))

        environment = Environment(user_classes=[U])
        runner = environment.create_local_runner()
        before = [next(rows)["id"] for _ in range(3)]
        for test in (1, 2):
            runner.start(2, 100)
            while len(taken) < 10 * test or runner.state != "stopped":
                gevent.sleep(0.01)
        print(json.dumps([before, sorted(taken)]))
        """,
        str(tmp_path),
    ).last_line
    assert told == [["0", "1", "2"], sorted([*range(10), *range(10)])]


def test_without_a_test_it_is_an_iterator(tmp_path: Path, python_script: Callable[..., Any]) -> None:
    write_csv(tmp_path / "rows.csv", 3)
    with gzip.open(tmp_path / "rows.tsv.gz", "wt") as file:
        file.write("1\t2\n3\t4\n")
    (tmp_path / "latin.csv").write_bytes("a;b\nß;1\n".encode("latin-1"))
    (tmp_path / "list.json").write_text("[1, {}]")
    told = python_script(
        """
        import json, os, sys
        os.chdir(sys.argv[1])
        from gregaria import Feeder

        def numbers():
            yield from range(3)

        print(json.dumps([
            list(Feeder("rows.csv")),
            list(Feeder("rows.tsv.gz", columns=["x", "y"])),
            list(Feeder("latin.csv", encoding="latin-1", delimiter=";")),
            list(Feeder("list.json")),
            list(Feeder(numbers)),
            [row for row, _ in zip(Feeder(numbers, when_empty="recycle"), range(5))],
            sorted(Feeder(numbers(), shuffle=True)),
            next(Feeder([]), "none"),
        ]))
        """,
        str(tmp_path),
    ).last_line
    assert told == [
        [{"id": str(number), "name": f"name, {number}"} for number in range(3)],
        [{"x": "1", "y": "2"}, {"x": "3", "y": "4"}],
        [{"a": "ß", "b": "1"}],
        [1, {}],
        [0, 1, 2],
        [0, 1, 2, 0, 1],
        [0, 1, 2],
        "none",
    ]


def test_coroutines_await_a_row(tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text(
        RUN.format(feeder="rows = Feeder(range(50))", task="pass")
        .replace("def t(self)", "async def t(self)")
        .replace("pass", "taken.append(await anext(rows))")
    )
    command = [sys.executable, "-m", "locust", "--headless", "-u", "3", "-r", "100", "--only-summary", "-t", "30"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert f"TAKEN {list(range(50))}" in ran.stdout, ran.stderr
    assert "all rows were handed out" in ran.stderr


def test_what_is_no_data_is_refused(python_script: Callable[..., Any]) -> None:
    told = python_script(
        """
        import json
        from gregaria import Feeder

        def refusal(*arguments, **keywords):
            try: Feeder(*arguments, **keywords)
            except ValueError as error: return str(error)

        kept = Feeder([], name="one")
        print(json.dumps([
            refusal("rows.xlsx"), refusal(7), refusal([], when_empty="never"), refusal([], name="one"),
            refusal("rows.csv", delimiter="||"), refusal([], columns=["a"]), refusal(print, delimiter=";"),
            refusal([], encoding="latin-1"), refusal("rows.jsonl", delimiter=";"), refusal("rows.json", columns=["a"]),
            refusal("rows.csv", encoding="latin-0"), [Feeder([]).name, Feeder([]).name],
        ]))
        """
    ).last_line
    assert "cannot tell what is in 'rows.xlsx': it reads .csv, .tsv" in told[0]
    assert told[1:-1] == [
        "a feeder takes a path, an iterable, or a function that returns one, not 7",
        '`when_empty` of a feeder is "stop", "recycle" or "error", not \'never\'',
        "there are two feeders with the name 'one'",
        "`delimiter` of a feeder is one ASCII character, not '||'",
        "`columns` of a feeder is for CSV, not for an iterable",
        "`delimiter` of a feeder is for CSV, not for an iterable",
        "`encoding` of a feeder is for files, not for an iterable",
        "`delimiter` of a feeder is for CSV, not for 'rows.jsonl'",
        "`columns` of a feeder is for CSV, not for 'rows.json'",
        "`encoding` of a feeder is one that Python knows, not 'latin-0'",
    ]


def test_importing_gregaria_patches_nothing(python_script: Callable[..., Any]) -> None:
    told = python_script(
        """
        import json, sys
        import gregaria
        before = sorted({"gevent", "locust"} & set(sys.modules))
        from gregaria import Feeder
        print(json.dumps([before, gregaria.Feeder is Feeder, "Feeder" in dir(gregaria)]))
        """
    ).last_line
    assert told == [[], True, True]


EXAMPLES = Path(__file__).parent.parent / "locustfiles" / "feeders"


def example(name: str, target: Any, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "locust", "--headless", "-f", str(EXAMPLES / name), "-H", target.url]
    return subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, timeout=60)


def test_the_example_of_accounts(target: Any, tmp_path: Path) -> None:
    ran = example("own_account.py", target, tmp_path, "-u", "110", "-r", "110", "-t", "2s", "--only-summary")
    assert ran.returncode == 0, ran.stderr
    assert target.counts()["by"]["POST /login"] == 100


def test_the_example_of_orders(target: Any, tmp_path: Path) -> None:
    ran = example("every_order_once.py", target, tmp_path, "-u", "20", "-r", "20", "--only-summary")
    assert ran.returncode == 0, ran.stderr
    assert target.counts()["by"] == {"POST /login": 20, "POST /api/cart": 200, "POST /api/checkout": 200}
