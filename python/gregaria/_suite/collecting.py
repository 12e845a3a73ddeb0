"""Finds test functions as pytest does, and makes user classes of them."""

from __future__ import annotations

import atexit
import inspect
import logging
import os
import shlex
from collections.abc import Iterable, Sequence
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.config import Config
from _pytest.skipping import evaluate_skip_marks, evaluate_xfail_marks

from locust.user.users import PytestUser

if TYPE_CHECKING:
    from types import ModuleType

logger = logging.getLogger(__name__)

_ATTRIBUTES = {"weight", "fixed_count", "wait_time", "host"}
"""What the mark `locust` may set."""


def user_classes(paths: Sequence[str]) -> dict[str, type[PytestUser]]:
    """A user class for each test function in the files; functions of the same name share one.

    Raises ValueError if pytest cannot collect a file, or a function asks for a fixture that is not there.
    """
    found: dict[str, type[PytestUser]] = {}
    for item in _collected(paths):
        if not isinstance(item, pytest.Function) or _is_left_out(item):
            continue
        _check(item)
        name = item.originalname
        if name not in found:
            found[name] = type(name, (PytestUser,), {"functions": [], "__module__": item.module.__name__})
        found[name].functions.append(item)
        for key, value in _settings(item).items():
            setattr(found[name], key, value)
    return found


def keep_tagged(user_class: type[PytestUser], tags: Iterable[str] | None, exclude_tags: Iterable[str] | None) -> None:
    """Leave the tests out that `--tags` and `--exclude-tags` do. A test's marks are its tags."""

    def is_kept(item: pytest.Function) -> bool:
        own = {mark.name for mark in item.iter_markers()}
        return (tags is None or not own.isdisjoint(tags)) and own.isdisjoint(exclude_tags or ())

    user_class.functions = [item for item in user_class.functions if is_kept(item)]


class _Failures:
    """A plugin that keeps what could not be collected."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.texts.append(report.longreprtext)


def _collected(paths: Iterable[str]) -> list[pytest.Item]:
    # Options of `pytest.ini` and the like (coverage, several processes) are meant for test runs. What the environment
    # says is meant for this one.
    own = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    quiet = ["--verbosity=-1", "--capture=no", "--override-ini=tmp_path_retention_policy=failed"]
    config = Config.fromdictargs({}, [*_plugin(), *own, *quiet, *paths])
    config._do_configure()
    failures = _Failures()
    config.pluginmanager.register(failures)
    session = pytest.Session.from_config(config)
    config.hook.pytest_sessionstart(session=session)
    atexit.register(_finish, session, os.getpid())
    items = list(session.perform_collect())
    if failures.texts:
        raise ValueError("pytest could not collect the tests:\n" + "\n".join(failures.texts))
    return items


def _plugin() -> list[str]:
    """What loads `session` and `fastsession` where pytest does not by itself."""
    loads = not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD") and entry_points(group="pytest11", name="locust")
    return [] if loads else ["-p", "pytest_locust.plugin"]


def _finish(session: pytest.Session, process: int) -> None:
    """End what `pytest_sessionstart` began, with the hooks of plugins and `conftest.py` files."""
    if os.getpid() != process:
        return
    plugins = session.config.pluginmanager
    # pytest's own would print a summary of no tests, and remember for `--last-failed` that none failed.
    silent = [plugin for plugin in plugins.get_plugins() if _name(plugin).startswith("_pytest.")]
    finish = plugins.subset_hook_caller("pytest_sessionfinish", remove_plugins=silent)
    finish(session=session, exitstatus=pytest.ExitCode.OK)
    session.config._ensure_unconfigure()


def _name(plugin: Any) -> str:
    module: ModuleType | type = plugin if inspect.ismodule(plugin) else type(plugin)
    return module.__name__ if inspect.ismodule(module) else module.__module__


def _is_left_out(item: pytest.Function) -> bool:
    skipped = evaluate_skip_marks(item)
    expected = evaluate_xfail_marks(item)
    if skipped is not None:
        logger.warning("%s is not run: %s", item.nodeid, skipped.reason)
    elif expected is not None and not expected.run:
        logger.warning("%s is not run: %s", item.nodeid, expected.reason)
    else:
        return False
    return True


def _check(item: pytest.Function) -> None:
    for name in item._fixtureinfo.argnames:
        if name != "request" and not item._fixtureinfo.name2fixturedefs.get(name):
            raise ValueError(f"Could not find fixture for parameter {name!r} in {item.name}")


def _settings(item: pytest.Function) -> dict[str, Any]:
    mark = item.get_closest_marker("locust")
    settings = dict(mark.kwargs) if mark is not None else {}
    unknown = sorted(settings.keys() - _ATTRIBUTES) + [repr(value) for value in (mark.args if mark else ())]
    if unknown:
        raise ValueError(
            f"The mark `locust` of {item.nodeid} takes {', '.join(sorted(_ATTRIBUTES))} by name, "
            f"and got {', '.join(unknown)}"
        )
    return settings
