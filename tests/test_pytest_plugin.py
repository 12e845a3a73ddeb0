"""Files of test functions: under pytest, and as locustfiles."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import Target, eventually

SUITE = {
    "conftest.py": """
        import json, os, sys
        import pytest

        def note(*words):
            with open(os.environ["NOTES"], "a") as notes:
                notes.write(json.dumps(words) + "\\n")

        def pytest_addoption(parser): parser.addoption("--place", default="nowhere")
        def pytest_sessionstart(session): note("session starts")
        def pytest_sessionfinish(session): note("session finishes")

        @pytest.fixture(scope="session")
        def database():
            note("database up")
            yield {"sold": 0}
            note("database down")

        @pytest.fixture(scope="module", params=["red", "blue"])
        def colour(request, database):
            note("colour up", request.param)
            yield request.param
            note("colour down", request.param)

        @pytest.fixture
        def session(session):
            session.headers["X-Suite"] = "yes"
            return session

        @pytest.fixture
        def cart(session, database):
            session.post("/echo", name="new cart")
            yield []
            session.delete("/echo", name="drop cart")

        @pytest.fixture
        def account(user=None):
            note("account opened", None if user is None else type(user).__name__)
            yield {"visits": 0}
            note("account closed")

        @pytest.fixture
        def order(request, account):
            request.addfinalizer(lambda: note("order undone"))
            return request.getfixturevalue("cart")
        """,
    "test_shop.py": """
        import unittest
        import pytest
        from conftest import note

        @pytest.fixture(autouse=True)
        def around(request):
            note("before", request.node.name)
            yield
            note("after", request.node.name)

        def test_buy(cart, session, database, account):
            account["visits"] += 1
            note("visit", id(account), account["visits"])
            assert session.headers["X-Suite"] == "yes" and cart == []
            cart.append(1)
            assert session.get("/echo?buy", name="buy").ok
            database["sold"] += 1

        @pytest.mark.parametrize("size", ["s", "l"])
        def test_look(fastsession, colour, size, request, pytestconfig):
            assert request.function.__name__ == "test_look" and pytestconfig.getoption("--place") == "nowhere"
            assert fastsession.get(f"/echo?{colour}-{size}", name=f"{colour} {size}").status_code == 200

        @pytest.fixture(scope="class")
        def prepared(request):
            note("class up")
            request.cls.prepared_with = 42
            yield
            note("class down")

        @pytest.mark.usefixtures("prepared")
        class TestClass:
            def setup_method(self, method):
                assert not hasattr(self, "used")
                self.used = method.__name__

            def test_instance(self, order, tmp_path, monkeypatch):
                assert self.used == "test_instance" and self.prepared_with == 42
                monkeypatch.setenv("NOBODY", "1")
                assert not list(tmp_path.iterdir())
                (tmp_path / "file").write_text("x")
                order.append(1)

        class TestOld(unittest.TestCase):
            def setUp(self): note("setUp")
            def tearDown(self): note("tearDown")
            def test_case(self): self.assertTrue(True)

        @pytest.mark.skip(reason="not now")
        def test_skipped(session): assert False

        @pytest.mark.xfail(reason="known")
        def test_known(session):
            session.get("/echo", name="known")
            assert False

        def test_gives_up(session):
            session.get("/echo", name="gives up")
            pytest.skip("nothing to do")
        """,
}


@dataclass
class Run:
    exit_code: int
    stdout: str
    stderr: str
    folder: Path

    @property
    def notes(self) -> list[list[Any]]:
        file = self.folder / "notes"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def rows(self) -> dict[str, tuple[int, int]]:
        """Requests and failures by name, from the last lines of the CSV file."""
        import csv

        with (self.folder / "out_stats.csv").open(newline="") as file:
            return {row["Name"]: (int(row["Request Count"]), int(row["Failure Count"])) for row in csv.DictReader(file)}


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LOCUST_", "PYTEST"))}
    return {**kept, "NOTES": str(folder / "notes"), "PYTHONDONTWRITEBYTECODE": "1", **more}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    """Run `python -m` with these files in the current folder."""

    def run(files: dict[str, str], *command: str, **more: str) -> Run:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(textwrap.dedent(text))
        (tmp_path / "notes").unlink(missing_ok=True)
        ended = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            env=environment(tmp_path, **more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Run(ended.returncode, ended.stdout, ended.stderr, tmp_path)

    return run


@pytest.fixture
def load(run: Callable[..., Run], target: Target) -> Callable[..., Run]:
    """Run the files as locustfiles for a second."""

    def load(files: dict[str, str], *arguments: str, **more: str) -> Run:
        file = next((name for name in files if name.startswith("test_")), ".")
        options = ["-f", file, "--headless", "-H", target.url, "-t", "1s", "-s", "5", "--only-summary", "--csv", "out"]
        return run(files, "locust", *options, *arguments, **more)

    return load


@pytest.fixture
def tested(run: Callable[..., Run], target: Target) -> Callable[..., Run]:
    """Run the files with plain pytest; the plugin is named only where the distribution is not installed."""

    def tested(files: dict[str, str], *arguments: str, **more: str) -> Run:
        return run(
            files, "pytest", "-q", *named_plugin(), "-p", "no:cacheprovider", "-H", target.url, *arguments, **more
        )

    return tested


def named_plugin() -> list[str]:
    from importlib.metadata import entry_points

    return [] if entry_points(group="pytest11", name="locust") else ["-p", "pytest_locust.plugin"]


def test_a_suite_passes_under_pytest(tested: Callable[..., Run], target: Target) -> None:
    ended = tested(SUITE)
    assert "7 passed, 2 skipped, 1 xfailed" in ended.stdout, ended.stdout
    assert ended.exit_code == 0, ended.stderr
    assert ["account opened", None] in ended.notes
    assert target.counts()["requests"] > 0


def test_the_same_suite_runs_as_load(load: Callable[..., Run], target: Target) -> None:
    ended = load(SUITE, "-u", "12", "-r", "100")
    assert ended.exit_code == 0, ended.stderr
    assert "test_shop.py::test_skipped is not run: not now" in ended.stderr
    rows = ended.rows
    assert rows.keys() == {
        *("new cart", "buy", "drop cart", "red s", "red l", "blue s", "blue l", "known", "gives up"),
        *("TestOld::test_case", "Aggregated"),
    }
    assert all(count > 0 and failures == 0 for count, failures in rows.values()), rows
    # The target saw what we counted; a test of its own (`TEST`) sends nothing.
    sent = rows["Aggregated"][0] - rows["TestOld::test_case"][0]
    assert sent <= target.counts()["requests"] <= sent + 12


def test_fixtures_live_as_long_as_their_scope_says(load: Callable[..., Run]) -> None:
    ended = load(SUITE, "-u", "12", "-r", "100")
    notes = ended.notes
    once = Counter(tuple(note) for note in notes)
    for note in ("session starts", "database up", "database down", "class up", "class down", "session finishes"):
        assert once[(note,)] == 1, note
    for colour in ("red", "blue"):
        assert once["colour up", colour] == once["colour down", colour] == 1
    assert notes[0] == ["session starts"] and notes[-1] == ["session finishes"]
    assert notes.index(["database down"]) > notes.index(["colour down", "red"]), "what asked for it ends first"
    assert once["setUp",] == once["tearDown",] > 0
    before, after = (sum(note[0] == when for note in notes) for when in ("before", "after"))
    assert before == after > 12, "an autouse fixture surrounds every run of every test"


def test_a_fixture_that_takes_a_user_lives_as_long_as_the_user(load: Callable[..., Run]) -> None:
    notes = load(SUITE, "-u", "3", "-r", "100", "test_buy").notes
    opened = [note for note in notes if note[0] == "account opened"]
    assert opened == [["account opened", "test_buy"]] * 3
    assert notes.count(["account closed"]) == 3
    visits: dict[int, list[int]] = {}
    for _, account, visit in (note for note in notes if note[0] == "visit"):
        visits.setdefault(account, []).append(visit)
    assert len(visits) == 3
    for counted in visits.values():
        assert counted == list(range(1, len(counted) + 1)) and len(counted) > 1


def test_a_temporary_folder_is_empty_each_time_and_not_left_behind(load: Callable[..., Run], tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    ended = load(SUITE, "-u", "2", "-r", "100", "test_instance", TMPDIR=str(temporary))
    assert ended.exit_code == 0, ended.stderr
    assert ended.rows["new cart"][0] > 2
    assert not [path for path in temporary.rglob("file") if path.is_file()]
    assert sum(note == ["order undone"] for note in ended.notes) > 2


FAILING = {
    "test_failing.py": """
        import pytest

        @pytest.fixture
        def broken(session):
            raise ValueError("no fixture today")

        def test_asserts(session):
            assert session.get("/echo", name="asserts").status_code == 300, "it is no redirect"

        def test_says(session):
            session.get("/echo", name="says")
            pytest.fail("said so")

        def test_fixture(broken):
            pass

        def test_itself():
            number = 1
            assert number == 2
        """
}


def test_a_failing_test_is_reported_and_its_user_goes_on(load: Callable[..., Run]) -> None:
    ended = load(FAILING, "-u", "4", "-r", "100")
    assert ended.exit_code == 1
    for name in ("asserts", "says"):
        count, failures = ended.rows[name]
        assert count > 1 and failures == 0, "an assertion is no failed request"
    for text in ("it is no redirect", "said so", "no fixture today"):
        assert text in ended.stderr
    count, failures = ended.rows["test_itself"]
    assert count == failures > 1, "a test that sends nothing that is counted is counted itself"
    assert "AssertionError('assert number == 2')" in ended.stderr
    exceptions = (ended.folder / "out_exceptions.csv").read_text()
    assert "it is no redirect" in exceptions and "no fixture today" in exceptions


def test_raise_for_status_ends_the_test_and_is_counted_once(load: Callable[..., Run], target: Target) -> None:
    target.respond("/gone", status=410)
    ended = load(
        {
            "test_status.py": """
            def test_gone(session, fastsession):
                for client in (session, fastsession):
                    try:
                        client.get("/gone").raise_for_status()
                    except Exception as error:
                        kept = error
                raise kept
            def test_judged(session):
                with session.get("/echo", name="judged", catch_response=True) as response:
                    response.failure("not fine")
                response.raise_for_status()
            """
        },
        "-u",
        "2",
        "-r",
        "10",
    )
    assert ended.exit_code == 1
    for name in ("/gone", "judged"):
        count, failures = ended.rows[name]
        assert count == failures > 2
    assert "Traceback" not in ended.stderr
    assert len((ended.folder / "out_exceptions.csv").read_text().splitlines()) == 1


def test_marks_choose_and_set(load: Callable[..., Run]) -> None:
    files = {
        "pytest.ini": "[pytest]\nmarkers = slow\n",
        "test_marks.py": """
            import pytest
            from locust import constant
            @pytest.mark.slow
            def test_slow(session): session.get("/echo", name="slow")
            @pytest.mark.locust(weight=3, wait_time=constant(30))
            def test_quick(session): session.get("/echo", name="quick")
            """,
    }
    assert load(files, "-u", "4", "-r", "100", "--tags", "slow").rows.keys() == {"slow", "Aggregated"}
    ended = load(files, "-u", "4", "-r", "100", "--loglevel", "DEBUG")
    assert '{"test_quick": 3, "test_slow": 1}' in ended.stderr
    assert ended.rows["quick"] == (3, 0) and ended.rows["slow"][0] > 3
    assert load(files, "-u", "4", "-r", "100", "--exclude-tags", "slow").rows["quick"] == (4, 0)
    wrong = {"test_marks.py": files["test_marks.py"].replace("weight", "height")}
    refused = load({**files, **wrong})
    assert refused.exit_code == 1
    assert "takes fixed_count, host, wait_time, weight by name, and got height" in refused.stderr


def test_several_files_and_folders_share_fixtures(run: Callable[..., Run], target: Target) -> None:
    files = {
        "suite/__init__.py": "",
        "suite/helpers.py": "PATH = '/echo'\n",
        "suite/conftest.py": SUITE["conftest.py"],
        "suite/test_one.py": """
            from .helpers import PATH
            def test_one(session, database): session.get(PATH, name="one")
            """,
        "suite/test_three.py": "import pytest\npytest.importorskip('nothing_of_that_name')\ndef test_three(): pass\n",
        "suite/test_two.py": "def test_two(session, database): session.get('/echo', name='two')\n",
    }
    options = ["-H", target.url, "--headless", "-u", "2", "-r", "10", "-t", "1s", "--only-summary", "--csv", "out"]
    ended = run(files, "locust", "-f", "suite/test_one.py,suite/test_two.py,suite/test_three.py", *options)
    assert ended.exit_code == 0, ended.stderr
    assert ended.rows.keys() == {"one", "two", "Aggregated"}
    assert ended.notes.count(["database up"]) == 1


def test_users_who_are_stopped_end_their_test_and_their_fixtures(load: Callable[..., Run]) -> None:
    ended = load(
        {
            "test_stop.py": """
            import os, time, pytest
            def note(word):
                with open(os.environ["NOTES"], "a") as notes: notes.write(f'["{word}"]\\n')
            @pytest.fixture
            def account(user=None):
                yield
                note("account closed")
            def test_long(account):
                note("begins")
                time.sleep(0.7)
                note("ends")
            """
        },
        "-u",
        "3",
        "-r",
        "100",
    )
    assert ended.exit_code == 0, ended.stderr
    notes = [note for (note,) in ended.notes]
    assert notes.count("begins") == notes.count("ends") == 6, "the stop timeout lets running tests end"
    assert notes.count("account closed") == 3 and notes[-1] == "account closed"


def test_stop_user_and_stop_test(load: Callable[..., Run]) -> None:
    ended = load(
        {
            "test_stop.py": """
            from locust.exception import StopUser
            def test_once(session):
                session.get("/echo", name="once")
                raise StopUser
            """
        },
        "-u",
        "3",
        "-r",
        "100",
    )
    assert ended.exit_code == 0 and "Traceback" not in ended.stderr
    assert ended.rows["once"] == (3, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def test_a(nobody): pass", "ValueError: Could not find fixture for parameter 'nobody' in test_a"),
        ("import pytest\n@pytest.mark.parametrize('b', [1])\ndef test_a(a): pass", "uses no argument 'b'"),
        ("def helper(): pass", "No User class found!"),
    ],
)
def test_what_cannot_be_run_is_said(load: Callable[..., Run], text: str, said: str) -> None:
    ended = load({"test_a.py": text})
    assert ended.exit_code == 1
    assert said in ended.stderr, ended.stderr


def test_options_of_pytest_come_by_its_environment_variable(load: Callable[..., Run]) -> None:
    ended = load(
        {
            "conftest.py": SUITE["conftest.py"],
            "test_place.py": """
            def test_here(session, pytestconfig):
                session.get("/echo", name=pytestconfig.getoption("--place"))
            def test_there(session):
                session.get("/echo", name="there")
            """,
        },
        PYTEST_ADDOPTS="--place=home -k here",
    )
    assert ended.exit_code == 0, ended.stderr
    assert ended.rows.keys() >= {"home", "Aggregated"}


def test_ctrl_c_ends_fixtures_too(tmp_path: Path, target: Target) -> None:
    test = """
        import pytest
        from conftest import note
        from locust import constant
        @pytest.mark.locust(wait_time=constant(60))
        def test_once(account, database): note("once")
        """
    for name, text in {"conftest.py": SUITE["conftest.py"], "test_once.py": test}.items():
        (tmp_path / name).write_text(textwrap.dedent(text))
    command = [sys.executable, "-m", "locust", "-f", "test_once.py", "--headless", "-H", target.url, "-s", "30"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path), stderr=quiet, stdout=quiet) as process:
        try:
            notes = tmp_path / "notes"
            eventually(lambda: notes.exists() and "once" in notes.read_text())
            process.send_signal(signal.SIGINT)
            process.wait(20)
        finally:
            process.kill()
    words = [json.loads(line)[0] for line in notes.read_text().splitlines()]
    assert words[-4:] == ["once", "account closed", "database down", "session finishes"]


def test_plain_runs_neither_patch_nor_import_locust(tested: Callable[..., Run]) -> None:
    ended = tested(
        {
            "test_plain.py": """
            import sys, socket
            def test_plain():
                assert not {"locust", "gevent", "gregaria", "requests"} & sys.modules.keys()
                assert "gevent" not in socket.socket.__module__
            """
        },
        "-W",
        "error",
    )
    assert ended.exit_code == 0, ended.stdout


def test_a_session_raises_no_warning_where_warnings_are_errors(tested: Callable[..., Run]) -> None:
    files = {"test_warned.py": "import ssl, urllib.request\ndef test_warned(session): assert session.get('/echo').ok\n"}
    ended = tested(files, "-W", "error")
    assert ended.exit_code == 0, ended.stdout


def test_the_host_may_come_from_the_environment(run: Callable[..., Run], target: Target) -> None:
    files = {"test_host.py": "def test_host(session, fastsession):\n    assert session.get('/echo').ok\n"}
    ended = run(files, "pytest", "-q", *named_plugin(), "-p", "no:cacheprovider", LOCUST_HOST=target.url)
    assert ended.exit_code == 0, ended.stdout


def test_another_plugin_may_have_the_option_already(run: Callable[..., Run], target: Target) -> None:
    files = {
        "other.py": "def pytest_addoption(parser): parser.addoption('--host', '-H', dest='host')\n",
        "test_host.py": "def test_host(session): assert session.get('/echo').ok\n",
    }
    path = os.pathsep.join([".", os.environ.get("PYTHONPATH", "")])
    ended = run(
        files, "pytest", "-p", "other", *named_plugin(), "-p", "no:cacheprovider", "-H", target.url, PYTHONPATH=path
    )
    assert ended.exit_code == 0, ended.stdout + ended.stderr
