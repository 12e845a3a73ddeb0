"""Import locustfiles: what they define, put together; and what is wrong with them, told without frames of ours."""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from locust.user.users import PytestUser
from locust.util.load_locustfile import load_locustfile

if TYPE_CHECKING:
    from locust.shape import LoadTestShape
    from locust.user.task import Task
    from locust.user.users import User


def merged(
    locustfiles: Sequence[str],
) -> tuple[dict[str, type[User]], dict[str, LoadTestShape], dict[str, list[Task]], LoadTestShape | None]:
    """Import the files: their user classes, shapes and tasks by name, and the shape that the test follows."""
    user_classes: dict[str, type[User]] = {}
    shapes: dict[str, LoadTestShape] = {}
    relative: list[Exception] = []
    for path in locustfiles:
        found, found_shapes = _load(path, relative)
        for shape in found_shapes:
            name = type(shape).__name__
            if name in shapes and _source(type(shapes[name])) != _source(type(shape)):
                _fail(f"Duplicate shape classes: {name}")
            shapes.setdefault(name, shape)
        for name, user_class in found.items():
            if name in user_classes and _source(user_classes[name]) != _source(user_class):
                here, there = _source(user_classes[name]), _source(user_class)
                _fail(f"Duplicate user class names: {name} is defined in both {here} and {there}")
            user_classes[name] = user_class
    if not user_classes:
        user_classes = _load_tests(locustfiles)
    if relative and not any(issubclass(user_class, PytestUser) for user_class in user_classes.values()):
        _fail_to_load(relative[0])
    tasks = {name: list(user_class.tasks) for name, user_class in user_classes.items()}
    return user_classes, shapes, tasks, next(iter(shapes.values()), None)


def _load(path: str, relative: list[Exception]) -> tuple[dict[str, type[User]], list[LoadTestShape]]:
    try:
        return load_locustfile(path)
    except Exception as error:
        # As `python locustfile.py` would show it: without the frames that only import the file.
        trace = error.__traceback__
        while trace is not None and not os.path.samefile(_existing(trace.tb_frame.f_code.co_filename, path), path):
            trace = trace.tb_next
        error.__traceback__ = trace
        is_relative = isinstance(error, ImportError) and str(error).startswith("attempted relative import")
        if is_relative and os.path.exists(os.path.join(os.path.dirname(path), "__init__.py")):
            # A test of a package: pytest imports it as what it is, if there is no user class anywhere.
            relative.append(error)
            return {}, []
        _fail_to_load(error)
    except BaseException as error:
        if not _skips_its_file(error):
            raise
        return {}, []


def _skips_its_file(error: BaseException) -> bool:
    """Whether a file of tests called `pytest.skip` or `importorskip`: it takes no part."""
    outcomes = sys.modules.get("_pytest.outcomes")
    return outcomes is not None and isinstance(error, outcomes.Skipped)


def _fail_to_load(error: Exception) -> NoReturn:
    traceback.print_exception(error)
    sys.exit(1)


def _load_tests(paths: Sequence[str]) -> dict[str, type[User]]:
    """The test functions of files without a user class. pytest is imported here, and not for other locustfiles."""
    from gregaria._suite import collecting

    try:
        return dict(collecting.user_classes(paths))
    except ValueError as error:
        _fail("".join(traceback.format_exception_only(error)).rstrip())


def _existing(filename: str, otherwise: str) -> str:
    """`filename`, or a file that is surely another one when there is none, as for `<frozen importlib>`."""
    return filename if os.path.exists(filename) else os.path.dirname(os.path.abspath(otherwise))


def _source(cls: type) -> str:
    return inspect.getsourcefile(cls) or cls.__module__


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"{message}\n")
    sys.exit(1)
