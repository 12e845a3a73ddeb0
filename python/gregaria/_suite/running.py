"""A user that runs test functions."""

from __future__ import annotations

import linecache
import logging
import time
import traceback
import unittest
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import pytest
from _pytest.outcomes import OutcomeException
from _pytest.skipping import evaluate_xfail_marks
from gevent import GreenletExit
from requests.exceptions import RequestException

from gregaria import _engine
from gregaria._fast import errors
from locust.exception import (
    CatchResponseError,
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, DefaultTaskSet

from .fixtures import Call, Values, of_users

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.user.users import PytestUser

logger = logging.getLogger("locust.user.users")

_COUNTED = (RequestException, CatchResponseError, ConnectionError, errors.ConnectionError)
"""What `raise_for_status` raises. Two kinds of ConnectionError: a socket's and the fast client's."""

_shared: WeakKeyDictionary[Environment, Values] = WeakKeyDictionary()


def run(user: PytestUser) -> None:
    """Run the tests of the user's class in turn, in the greenlet of the caller, until the user is stopped."""
    user._state = LOCUST_STATE_RUNNING
    user._taskset_instance = DefaultTaskSet(user)
    kept: dict[Any, Values] = {}
    tests = [_Test(item, user, kept.setdefault(item.function, Values())) for item in type(user).functions]
    try:
        while True:
            for test in tests:
                if user._state == LOCUST_STATE_STOPPING or not _engine.may_begin(test):
                    raise StopUser()
                test.run()
                user.wait()
    except (StopUser, StopTest, GreenletExit):
        pass
    finally:
        for values in kept.values():
            _close(values)


def shared(environment: Environment) -> Values:
    """The fixtures that all users of a load test share. They end with the test."""
    if environment not in _shared:
        _shared[environment] = Values()
        environment.events.test_stop.add_listener(_end_shared)
    return _shared[environment]


def _end_shared(environment: Environment, **_: Any) -> None:
    if environment in _shared:
        _close(_shared[environment])


def _close(values: Values) -> None:
    try:
        values.close()
    except Exception:
        logger.exception("Uncaught exception in the teardown of a fixture")


class _Test:
    """One test and one user."""

    def __init__(self, item: pytest.Function, user: PytestUser, kept: Values) -> None:
        self._item = item
        self._user = user
        self._kept = kept
        self._definitions = {name: tuple(found) for name, found in item._fixtureinfo.name2fixturedefs.items()}
        self._users_own = of_users(item.fixturenames, self._definitions)
        self._stays = self._same_each_time()
        self._ready: Callable[[], Any] | None = None
        self._counts = not self._users_own
        self._xfail = evaluate_xfail_marks(item)

    def run(self) -> None:
        """Run the test once. What it raises is reported as what a task raises, unless it ends the user."""
        try:
            if self._ready is not None:
                self._ready()
            else:
                self._run_with_fixtures()
        except (StopUser, StopTest, GreenletExit, RescheduleTask, RescheduleTaskImmediately, InterruptTaskSet) as error:
            if isinstance(error, (StopUser, StopTest, GreenletExit)):
                raise
        except (OutcomeException, Exception) as error:
            if not self._is_expected(error):
                self._report(error)

    def _run_with_fixtures(self) -> None:
        call = Call(self._item, self._user, self._users_own, shared(self._user.environment), self._kept)
        try:
            found = {name: call.value(name) for name in self._item.fixturenames}
            test = partial(_function(call.item), **{name: found[name] for name in self._item._fixtureinfo.argnames})
            if self._stays:
                self._ready = test
            self._measured(test)
        finally:
            call.close()

    def _measured(self, test: Callable[[], Any]) -> None:
        """Run the test and, if it has no session whose requests are counted, count the test itself."""
        if not self._counts:
            test()
            return
        wall, start = time.time(), time.perf_counter()
        failure: BaseException | None = None
        try:
            test()
        except (StopUser, StopTest, GreenletExit, pytest.skip.Exception):
            raise
        except (OutcomeException, Exception) as error:
            failure = error
            raise
        finally:
            if failure is None or not self._is_expected(failure):
                self._count(wall, (time.perf_counter() - start) * 1000, failure)

    def _count(self, wall: float, milliseconds: float, failure: BaseException | None) -> None:
        self._user.environment.events.request.fire(
            request_type="TEST",
            name="::".join(self._item.nodeid.split("::")[1:]),
            response_time=milliseconds,
            response_length=0,
            exception=_told(failure),
            context={},
            start_time=wall,
            url=None,
            response=None,
        )

    def _same_each_time(self) -> bool:
        """Whether every run of the test has the same arguments, so that they need not be put together again."""
        if self._item.cls is not None or not self._users_own:
            return False
        return all(
            name in self._definitions
            and all(found in self._users_own or found.scope != "function" for found in self._definitions[name])
            for name in self._item.fixturenames
        )

    def _is_expected(self, error: BaseException) -> bool:
        if isinstance(error, (pytest.skip.Exception, pytest.xfail.Exception)):
            return True
        # A request that failed is counted already: `raise_for_status` only ends the test. But a URL that cannot be one
        # (which requests calls a ValueError, too) was never sent.
        if isinstance(error, _COUNTED) and not isinstance(error, ValueError):
            logger.debug("%s\n%s", error, "".join(traceback.format_exception(error)))
            return True
        return self._xfail is not None and _is_one_of(error, self._xfail.raises)

    def _report(self, error: BaseException) -> None:
        environment = self._user.environment
        environment.events.user_error.fire(user_instance=self._user, exception=error, tb=error.__traceback__)
        if not environment.catch_exceptions:
            raise error
        logger.error("%s\n%s", error, "".join(traceback.format_exception(error)))


def _is_one_of(error: BaseException, raises: Any) -> bool:
    """Whether `xfail(raises=…)` means this error: anything, classes, or something that looks at it."""
    if raises is None:
        return True
    return bool(raises.matches(error)) if hasattr(raises, "matches") else isinstance(error, raises)


def _function(item: pytest.Function) -> Callable[..., Any]:
    if isinstance(item.instance, unittest.TestCase):
        return partial(_run_case, item.instance)
    function: Callable[..., Any] = item.obj
    return function


class _Raised(unittest.TestResult):
    """Keeps what a case of unittest raised, as it is."""

    error: BaseException | None = None

    def addError(self, test: Any, err: Any) -> None:
        self.error = self.error or err[1]

    addFailure = addError

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self.addError(test, err)


def _run_case(case: unittest.TestCase) -> None:
    result = _Raised()
    case(result)
    if result.error is not None:
        raise result.error


def _told(failure: BaseException | None) -> BaseException | None:
    """The failure; an `assert` without a message tells its line."""
    if not isinstance(failure, AssertionError) or str(failure):
        return failure
    frames = traceback.extract_tb(failure.__traceback__)
    line = linecache.getline(frames[-1].filename, frames[-1].lineno or 0).strip() if frames else ""
    return AssertionError(line).with_traceback(failure.__traceback__)
