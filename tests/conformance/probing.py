"""What probes of all kinds share: how they get what they ask for, and how what they saw becomes comparable."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

Code = Callable[..., None]


def call(code: Code, offered: Mapping[str, Any]) -> None:
    """Call a probe with what its parameters name."""
    code(**{name: offered[name] for name in inspect.signature(code).parameters})


def id_of(code: Code, *value: Any) -> str:
    """`area: name`, with the value of which it is one of several."""
    area = code.__module__.rpartition(".")[2]
    name = code.__name__.replace("_", " ")
    return f"{area}: {', '.join([name, *(str(getattr(each, '__name__', each)) for each in value)])}"


def areas(package: ModuleType) -> list[str]:
    """The names of the modules that hold probes, in their order."""
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def module(package: ModuleType, area: str) -> ModuleType:
    """One of them, imported."""
    return importlib.import_module(f"{package.__name__}.{area}")


def codes(package: ModuleType, area: str, *given: str) -> dict[str, Code]:
    """Its cases by name, in the order of its file: functions that want one thing, one of those that are `given`."""
    of = module(package, area)
    return {
        id_of(code): code
        for name, code in vars(of).items()
        if inspect.isfunction(code)
        and not name.startswith("_")
        and code.__module__ == of.__name__
        and list(inspect.signature(code).parameters) in [[each] for each in given]
    }


def plain(word: Any) -> Any:
    """What JSON can say, as it is; all else as it shows itself."""
    return word if isinstance(word, str | int | float | bool | list | tuple | dict | None) else repr(word)


def kind(error: BaseException | None) -> Any:
    """An exception, with the classes by which an `except` could know it."""
    if error is None:
        return None
    return [[each.__name__ for each in type(error).__mro__[:-2]], str(error)]


def statistics(environment: Any) -> dict[str, Any]:
    """The rows of an environment, and its errors."""
    stats = environment.stats
    rows = [
        [entry.method, entry.name, entry.num_requests, entry.num_failures, entry.total_content_length]
        for entry in stats.entries.values()
    ]
    errors = [
        [error.method, error.name, error.to_dict()["error"], error.occurrences] for error in stats.errors.values()
    ]
    return {"rows": sorted(rows), "errors": sorted(errors)}
