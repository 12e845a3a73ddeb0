"""Who follows a test from outside of it: a page that is told what changes. Without one this costs a look-up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from gregaria._engine import WebServer
    from locust.env import Environment

_followers: WeakKeyDictionary[Environment, Callable[[], None]] = WeakKeyDictionary()
_pages: list[WebServer] = []


def follow(environment: Environment, told: Callable[[], None]) -> None:
    """Have `told` called whenever something has changed that is not counted."""
    _followers[environment] = told


def leave(environment: Environment) -> None:
    """Have nothing called any more."""
    _followers.pop(environment, None)


def tell(environment: Environment) -> None:
    """Something has changed."""
    told = _followers.get(environment)
    if told is not None:
        told()


def follow_log(page: WebServer) -> None:
    """Tell this page the lines of the log from now on."""
    _pages.append(page)


def leave_log(page: WebServer) -> None:
    """Tell it no more."""
    if page in _pages:
        _pages.remove(page)


def log_line(line: str) -> None:
    """There is a new line in the log."""
    for page in _pages:
        page.log([line])
