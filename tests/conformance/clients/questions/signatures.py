"""The public names of a module of `locust.contrib`, and what can be called with which arguments."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from asking import ask


def questions(name: str) -> None:
    for member, what in described(importlib.import_module(f"locust.contrib.{name}")).items():
        ask(f"signature of {member}", lambda what=what: what)


def described(module: Any) -> dict[str, Any]:
    """What a module defines, and what its classes define."""
    found: dict[str, Any] = {}
    for name, value in vars(module).items():
        if _public(name) and inspect.isclass(value) and value.__module__ == module.__name__:
            found[name] = [base.__name__ for base in value.__mro__ if base.__module__.startswith("locust.")]
            found |= {f"{name}.{member}": _signature(what) for member, what in vars(value).items() if _public(member)}
        elif name.isupper() and _public(name) and name != "TYPE_CHECKING":
            found[name] = value
    return found


def _public(name: str) -> bool:
    return not name.startswith("_") or name in ("__init__", "_generate_event_name", "_fire_event")


def _signature(value: Any) -> Any:
    """Names, kinds and defaults of the parameters; annotations may be more exact here."""
    function = value.__func__ if isinstance(value, staticmethod) else value
    if not inspect.isfunction(function):
        return type(value).__name__
    parameters = inspect.signature(function).parameters.values()
    return [[p.name, p.kind.name, "" if p.default is p.empty else repr(p.default)] for p in parameters]
