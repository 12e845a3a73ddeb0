"""Import locustfiles, and find what they define."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeGuard

from ..shape import LoadTestShape
from ..user.users import PytestUser, User

if TYPE_CHECKING:
    from types import ModuleType


def is_user_class(item: object) -> TypeGuard[type[User]]:
    """Whether `item` is a user class that can be run."""
    return inspect.isclass(item) and issubclass(item, User) and not item.abstract


def is_shape_class(item: object) -> TypeGuard[type[LoadTestShape]]:
    """Whether `item` is a shape that can be followed."""
    return inspect.isclass(item) and issubclass(item, LoadTestShape) and not item.abstract


def load_locustfile(path: str) -> tuple[dict[str, type[User]], list[LoadTestShape]]:
    """Run the file at `path` as a module: its user classes by attribute name, and an instance of each of its shapes."""
    members = vars(_import(path))
    user_classes = {name: item for name, item in members.items() if is_user_class(item)}
    return user_classes, [item() for item in members.values() if is_shape_class(item)]


def load_locustfile_pytest(path: str) -> dict[str, type[PytestUser]]:
    """Collect the test functions of the file at `path`: a user class for each, by name.

    Raises ValueError if pytest cannot collect the file, or a function asks for a fixture that is not there.
    """
    from gregaria._suite import collecting

    return collecting.user_classes([path])


def _module_name(path: str) -> str:
    name = os.path.splitext(os.path.basename(path))[0]
    # A file called `locust.py` must not hide the package that it imports.
    return "locustfile" if name == "locust" else name


def _import(path: str) -> ModuleType:
    name = _module_name(path)
    loader = importlib.machinery.SourceFileLoader(name, os.path.abspath(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None, "a spec that is given its loader is made"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, os.getcwd())
    with _first_on_path(os.path.dirname(os.path.abspath(path))):
        try:
            loader.exec_module(module)
        except BaseException:
            # Nobody should find half a module there: pytest may import it next.
            sys.modules.pop(name, None)
            raise
    return module


@contextmanager
def _first_on_path(folder: str) -> Iterator[None]:
    """Put `folder` in front, and then back where it was."""
    before: Any = sys.path.index(folder) if folder in sys.path else None
    if before is not None:
        del sys.path[before]
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
        if before is not None:
            sys.path.insert(before, folder)
