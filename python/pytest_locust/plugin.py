"""The fixtures `session` and `fastsession`: one file of test functions, run by pytest and as a load test.

pytest imports this module in every run in which gregaria is installed, so it imports nothing else: `locust`, whose
import patches the standard library, comes with the first test that asks for a session.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from locust.clients import HttpSession
    from locust.contrib.fasthttp import FastHttpSession
    from locust.user.users import User

_config: pytest.Config


class NoOpEvent:
    """What the sessions fire their requests at under plain pytest, where nobody counts them."""

    def fire(self, *, reverse: bool = False, **kwargs: Any) -> None:
        """Do nothing."""


def pytest_configure(config: pytest.Config) -> None:
    # Kept here, not asked of a fixture `request`: as load, the fixtures below are called with a user and nothing else.
    global _config
    _config = config
    config.addinivalue_line(
        "markers", "locust(weight, fixed_count, wait_time, host): attributes of the user that runs the test as load"
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    try:
        parser.addoption(
            "--host",
            "-H",
            action="store",
            default=os.environ.get("LOCUST_HOST"),
            help="the part of every URL before the path, for the fixtures `session` and `fastsession`",
        )
    except ValueError as error:
        # Another plugin's option of that name serves as well.
        if "already added" not in str(error):
            raise


@pytest.fixture
def session(user: User | None = None) -> Iterator[HttpSession]:
    """A `requests.Session` on `--host`; as load, one for each user, its requests counted."""
    _import_locust()
    from locust.clients import HttpSession

    with HttpSession(*_base_and_event(user), user) as client:
        yield client


@pytest.fixture
def fastsession(user: User | None = None) -> Iterator[FastHttpSession]:
    """The client of `FastHttpUser` on `--host`; as load, one for each user, its requests counted."""
    _import_locust()
    from locust.contrib.fasthttp import FastHttpSession

    base_url, event = _base_and_event(user)
    yield FastHttpSession(base_url=base_url, request_event=event, user=user)


def _base_and_event(user: User | None) -> tuple[Any, Any]:
    if user is None:
        return _config.getoption("--host"), NoOpEvent()
    return user.host, user.environment.events.request


def _import_locust() -> None:
    with warnings.catch_warnings():
        # gevent warns of patching late, which under `filterwarnings = error` would fail the first test. Late is
        # harmless here: the engine has TLS and sockets of its own.
        warnings.filterwarnings("ignore", message="Monkey-patching", category=RuntimeWarning)
        import locust  # noqa: F401
