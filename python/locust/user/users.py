"""Users: what a locustfile subclasses."""

from __future__ import annotations

import logging
import re
import time
import traceback
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, final

from gevent import Greenlet, GreenletExit
from gevent.pool import Group

from gregaria import _engine, _rest

from ..clients import HttpSession, RestResponseContextManager
from ..exception import CatchResponseError as CatchResponseError
from ..exception import StopTest, StopUser
from ..util import deprecation
from .task import (
    LOCUST_STATE_RUNNING,
    LOCUST_STATE_STOPPING,
    LOCUST_STATE_WAITING,
    DefaultTaskSet,
    TaskSet,
    get_tasks_from_base_classes,
)
from .wait_time import constant

if TYPE_CHECKING:
    import pytest
    from urllib3 import PoolManager

    from ..env import Environment

__all__ = ["HttpUser", "PytestUser", "TaskSet", "User", "UserMeta"]

logger = logging.getLogger(__name__)


class UserMeta(type):
    """Collects the tasks of a user class. The class is concrete unless its own body says `abstract = True`."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> UserMeta:
        deprecation.check_for_deprecated_task_set_attribute(body)
        collected = {
            "tasks": get_tasks_from_base_classes(bases, body),
            "abstract": body.get("abstract") or False,
        }
        return super().__new__(mcs, name, bases, {**body, **collected})


class User(metaclass=UserMeta):
    """One simulated user. The runner creates as many instances as the test asks for; each runs in its own greenlet.

    Subclass it for a protocol of your own, `HttpUser` or `FastHttpUser` for HTTP, and declare what the user does with
    `@task` methods.
    """

    host: str | None = None
    """What the user talks to: for HTTP, the part of every URL before the path. `--host` replaces it."""

    min_wait: float | None = None
    max_wait: float | None = None
    wait_function: Callable[[], float] | None = None

    wait_time: Callable[..., float] = constant(0)
    """How long to wait after each task: a factory from `locust.wait_time`, or a method that returns seconds."""

    tasks: Any = []
    """Callables and task set classes, or tuples of these with a weight, or a dict `{task: weight}`."""

    weight: float = 1
    """This class's share of the users, relative to the other classes."""

    fixed_count: int = 0
    """Exactly this many users of this class, started before those that are shared out by weight."""

    _leaving = False
    """Whether this user is on its way out, through the `on_stop` of its task sets and its own."""

    abstract: ClassVar[bool] = True
    """Whether this class is only to be subclassed. Not inherited."""

    def __init__(self, environment: Environment) -> None:
        super().__init__()
        self.environment = environment
        self._state: str | None = None
        self._greenlet: Greenlet[..., Any] | None = None
        self._taskset_instance: DefaultTaskSet | None = None
        self._cp_last_run = perf_counter()
        self._cp_last_wait_time: float = 0

    def on_start(self) -> Awaitable[None] | None:
        """Called once, before the user's first task."""
        return None

    def on_stop(self) -> Awaitable[None] | None:
        """Called once, when the user is stopped."""
        return None

    @final
    def run(self) -> None:
        """Be this user, in the greenlet of the caller, until it is stopped."""
        self._state = LOCUST_STATE_RUNNING
        if self._leaving:
            self._leaving = False  # Run once more.
        self._taskset_instance = DefaultTaskSet(self)
        try:
            self._start()
            self._taskset_instance.run()
        except (StopUser, StopTest, GreenletExit):
            self._leaving = True
            _engine.settle(self.on_stop())

    def _start(self) -> None:
        try:
            _engine.settle(self.on_start())
        except Exception as error:
            logger.error("%s\n%s", error, traceback.format_exc())
            if not isinstance(error, (StopUser, StopTest)):
                self.environment.events.user_error.fire(user_instance=self, exception=error, tb=error.__traceback__)
            raise

    def wait(self) -> None:
        """Wait for `wait_time()` in the middle of a task. The user can be stopped there."""
        assert self._taskset_instance is not None, "a user that waits is running"
        self._taskset_instance.wait()

    def start(self, group: Group) -> Greenlet[..., Any]:
        """Run this user in a greenlet of its own."""
        # The greenlet's first argument is how a runner finds the user of a greenlet.
        self._greenlet = group.spawn(_run, self)
        self._group = group
        return self._greenlet

    def stop(self, force: bool = False) -> bool:
        """Stop this user: at once if it waits or with `force`, otherwise when its task has finished.

        Whether it has stopped on return.
        """
        if force or self._state in (LOCUST_STATE_WAITING, None):
            assert self._greenlet is not None, "a user that is stopped was started"
            # A coroutine is stopped where it awaits something next: it cannot wait here for its own end.
            self._group.killone(self._greenlet, block=not _engine.in_coroutine())
            return True
        if self._state == LOCUST_STATE_RUNNING:
            self._state = LOCUST_STATE_STOPPING
            return False
        raise Exception(f"Tried to stop User in an unexpected state: {self._state}. This should never happen.")

    @property
    def group(self) -> Group:
        """The group that this user was started in. Before that there is none: AttributeError."""
        return self._group

    @property
    def greenlet(self) -> Greenlet[..., Any] | None:
        """The greenlet that runs this user."""
        return self._greenlet

    def context(self) -> dict[str, Any]:
        """Override it to add to the `context` of every request event of this user."""
        return {}

    @classmethod
    def json(cls) -> dict[str, Any]:
        """What the web page may show and change of this class."""
        return {
            "host": cls.host,
            "weight": cls.weight,
            "fixed_count": cls.fixed_count,
            "tasks": [task.__name__ for task in cls.tasks],
        }

    @classmethod
    def fullname(cls) -> str:
        """The module and qualified name of this class."""
        return ".".join(part for part in (cls.__module__, *cls.__qualname__.split(".")) if part != "<locals>")


def _run(user: User) -> None:
    try:
        user.run()
    finally:
        # The group would hear of it by a callback. Until then others, who run first, would count one user too many:
        # a plugin that quits when the last but one has ended would miss it.
        if user._group is not None and user._greenlet is not None:
            user._group.discard(user._greenlet)


RestResponseT = TypeVar("RestResponseT")


class RestMixin(Generic[RestResponseT]):
    """`rest` and `rest_`, for users with an HTTP client. Subclasses may wrap both."""

    _callstack_regex = re.compile(r'  File "(\/.[^"]*)", line (\d*),(.*)')
    """Finds the frames that a failure tells of: those of files with an absolute path."""

    client: Any

    @contextmanager
    def rest(
        self, method: str, url: str, headers: dict[str, Any] | None = None, **kwargs: Any
    ) -> Generator[RestResponseT, None, None]:
        """Ask for JSON, and look at it in a `with` block: `response.js` is what came, or None.

        The request counts when the block ends. It has failed if the response is no JSON, and if the block raises: that
        ends the block, not the task::

            with self.rest("GET", "/items/1") as response:
                assert response.js["price"] > 0, "it costs nothing,"
        """
        headers = _rest.headers(headers)
        with self.client.request(method, url, catch_response=True, headers=headers, **kwargs) as response:
            response.js = None
            response.js = _rest.read(response)
            try:
                yield response
            except AssertionError as error:
                response.failure(_rest.assertion_words(error, response.text))
            except Exception as error:
                response.failure(_rest.exception_words(error, response.text, self._callstack_regex))

    @contextmanager
    def rest_(
        self, method: str, url: str, name: str | None = None, **kwargs: Any
    ) -> Generator[RestResponseT, None, None]:
        """As `rest`, with the time as a parameter `_`: for servers that cache what they should not."""
        separator = "&" if "?" in url else "?"
        name = f"{url}{separator}_=..." if name is None else name
        with self.rest(method, f"{url}{separator}_={int(time.time() * 1000)}", name=name, **kwargs) as response:
            yield response


class HttpUser(User, RestMixin[RestResponseContextManager]):
    """A user with `self.client`: a `requests.Session` whose requests are measured."""

    abstract = True

    pool_manager: PoolManager | None = None
    """A connection pool for all users of the class, instead of one each."""

    http2: bool = False
    """Speak HTTP/2 where the server does: over TLS it is asked, without TLS it is taken to. Not in Locust."""

    client: HttpSession

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.host is None:
            raise StopTest(
                "You must specify the base host. Either in the host attribute in the User class, "
                "or on the command line using the --host option."
            )
        self.client = HttpSession(
            base_url=self.host,
            request_event=self.environment.events.request,
            user=self,
            pool_manager=self.pool_manager,
        )
        # What is tested should not depend on the proxy settings and `.netrc` of the machine that tests.
        self.client.trust_env = False


class PytestUser(User):
    """A user whose tasks are test functions of pytest: what a file of these becomes when it is run as a locustfile.

    Its functions run in turn, each with its fixtures, until the user is stopped. What an assertion raises is dealt
    with as what a task raises.
    """

    abstract = True

    functions: ClassVar[list[pytest.Function]] = []
    """The tests, as pytest collected them."""

    def run(self) -> None:  # type: ignore[misc]
        """Run the user's tests, in turn, until it is stopped."""
        from gregaria._suite import running

        running.run(self)
