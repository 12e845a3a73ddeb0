"""The command line's Python face; parsing itself is tested in Rust."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gregaria import _engine


@pytest.fixture
def parse(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that parses with a listener that adds arguments."""
    from locust import argument_parser

    def run(arguments: list[str], add: Any = lambda parser: None) -> Any:
        event = SimpleNamespace(fire=lambda parser: add(parser))
        events = SimpleNamespace(init_command_line_parser=event)
        monkeypatch.setattr(argument_parser, "locust", SimpleNamespace(events=events))
        return argument_parser.get_parser().parse_args(arguments)

    return run


def test_options_have_locusts_types(parse: Any) -> None:
    options = vars(parse(["--headless", "-u", "5", "-r", "2", "-t", "1h", "-T", "a", "--", "MyUser"]))
    expected = {"headless": True, "num_users": 5, "spawn_rate": 2.0, "run_time": 3600, "tags": ["a"]}
    assert expected.items() <= options.items()
    assert (options["user_classes"], options["host"], options["autoquit"]) == (["MyUser"], None, -1)
    assert isinstance(options["spawn_rate"], float)


def test_a_text_that_means_nothing_is_refused() -> None:
    with pytest.raises(_engine.UsageError, match="invalid int value: 'x'") as raised:
        _engine.option_value("num_users", "x")
    assert raised.value.code == 2


def test_an_option_that_locust_lacks_is_written_in_full(parse: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert parse(["--seed", "3"]).random_seed == 3
    with pytest.raises(SystemExit):
        parse(["--see", "3"])
    assert "unrecognized arguments: --see" in capsys.readouterr().err
    assert parse(["--see", "3"], lambda parser: parser.add_argument("--seeds")).seeds == "3"


def test_a_locustfile_adds_its_own_arguments(parse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "secret")

    def add(parser: Any) -> None:
        parser.add_argument("--mine", type=int, default=1)
        action = parser.add_argument("--token", env_var="SHOP_TOKEN", is_secret=True)
        assert (action.is_secret, action.include_in_web_ui) == (True, True)

    options = parse(["--headless", "--mine", "3", "-u", "2", "MyUser"], add)
    assert (options.mine, options.token, options.num_users, options.user_classes) == (3, "secret", 2, ["MyUser"])


def test_an_argument_that_locust_has_is_refused(parse: Any) -> None:
    import argparse

    with pytest.raises(argparse.ArgumentError, match="conflicting option string: --host"):
        parse(["--headless"], lambda parser: parser.add_argument("--host"))


def test_a_mistake_is_one_line(parse: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        parse(["--headless", "--bogus"])
    assert raised.value.code == 2
    assert capsys.readouterr().err == "locust: error: unrecognized arguments: --bogus\nDid you mean '--tags'?\n"


@pytest.mark.parametrize("argument", ["--version", "-V", "--help"])
def test_what_needs_no_run_is_answered_without_gevent(argument: str) -> None:
    program = (
        "import sys; sys.argv = ['locust', sys.argv[1]]; from gregaria.__main__ import locust; code = locust();"
        "assert not {'gevent', 'locust'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program, argument], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    starts = "Usage: locust [options] [UserClass ...]" if argument == "--help" else "locust 2.47.0+gregaria."
    assert done.stdout.startswith(starts)


DECLARES = """
from locust import events
@events.init_command_line_parser.add_listener
def add(parser):
    parser.add_argument("--token", env_var="SHOP_TOKEN", help="The token of the shop")
    parser.add_argument_group("Basket").add_argument("--items")
"""


@pytest.mark.parametrize("place", ["shop.py", "locust_plugins/__init__.py"])
def test_help_tells_of_the_options_of_a_locustfile_that_is_named_and_of_plugins(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text(DECLARES)
    named = ["-f", place] if place == "shop.py" else []
    done = subprocess.run(
        [sys.executable, "-m", "locust", *named, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nOptions of the locustfile:\n  --token TOKEN  The token of the shop [env:SHOP_TOKEN]\n" in done.stdout
    assert "\nBasket:\n  --items ITEMS\n" in done.stdout
    assert done.stdout.index("Other options:") < done.stdout.index("Basket:") < done.stdout.index("Examples:")


@pytest.mark.parametrize(("text", "said"), [(None, "Could not find 'shop.py'"), ("1 / 0", "ZeroDivisionError")])
def test_help_is_shown_whatever_the_locustfile_is(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "shop.py").write_text(text)
    command = [sys.executable, "-m", "locust", "-f", "shop.py", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout.startswith("Usage: locust [options] [UserClass ...]\n")
