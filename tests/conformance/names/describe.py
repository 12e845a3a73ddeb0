"""Prints, as JSON, what can be imported from the packages and what shape it has. Runs on Locust and here.

Not what things do: what they are called, of what kind they are, which parameters and defaults they take. Annotations
are not compared: two libraries tell a parameter's type in different words.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
import sys
import textwrap
import types
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

PACKAGES = ("locust", "pytest_locust")
PLAIN = (bool, int, float, str, bytes, type(None))
SPECIAL = ("__call__", "__enter__", "__exit__", "__iter__", "__getitem__", "__len__", "__str__")


def main() -> None:
    warnings.simplefilter("ignore")
    described: dict[str, Any] = {}
    for name in sorted(_module_names()):
        try:
            module = importlib.import_module(name)
        except ImportError:
            # It wants a package that is not installed.
            described[name] = None
        else:
            described[name] = _module(module)
    json.dump(described, sys.stdout)


def _module_names() -> Iterator[str]:
    for package in PACKAGES:
        try:
            found = importlib.import_module(package)
        except ImportError:
            continue
        yield package
        names = (module.name for module in pkgutil.walk_packages(found.__path__, f"{package}."))
        # Importing that one runs the command.
        yield from (name for name in names if name != "locust.__main__")


def _module(module: types.ModuleType) -> dict[str, Any]:
    names = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    described = {name: _described(value, module.__name__) for name, value in sorted(names.items())}
    return {"names": sorted(names), "own": {name: what for name, what in described.items() if what is not None}}


def _described(value: Any, module: str) -> dict[str, Any] | None:
    """What a name of a module stands for; `None` when it is not the module's own but what it uses of Python's."""
    home = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None) or ""
    borrowed = home.startswith("gregaria") and not inspect.ismodule(value)
    if borrowed:
        # Where we keep it is nobody's business.
        home = module
    if inspect.ismodule(value):
        return {"kind": "module", "home": home} if _in_packages(home) else None
    if isinstance(value, PLAIN) or type(value) in (list, tuple, dict, set, re.Pattern):
        return {"kind": "value", "value": _value(value)}
    if isinstance(value, type) and not isinstance(value, types.GenericAlias):
        if home == module:
            return {"kind": "class", "home": home, "borrowed": borrowed, **_class(value)}
        return {"kind": "class", "home": home} if _in_packages(home) else None
    if inspect.isroutine(value):
        if not _in_packages(home):
            return None
        return {"kind": "function", "home": home, "borrowed": borrowed, "signature": _signature(value)}
    known = type(value).__module__.partition(".")[0]
    return {"kind": "value", "value": type(value).__name__} if known in ("logging", *PACKAGES) else None


def _in_packages(module: str) -> bool:
    return module.partition(".")[0] in PACKAGES


def _class(described: type) -> dict[str, Any]:
    return {
        "name": described.__name__,
        "bases": [base.__name__ for base in described.__mro__[1:] if base is not object],
        "metaclass": type(described).__name__,
        # Python calls a metaclass, by position.
        "parameters": [] if issubclass(described, type) else _signature(described),
        "names": sorted(name for name in dir(described) if not name.startswith("_") or name in SPECIAL),
        "attributes": sorted(_attributes(described)),
        "annotated": sorted(name for base in described.__mro__ for name in _annotated(base)),
        "members": {name: _member(described, name) for name in _member_names(described)},
    }


def _annotated(described: type) -> set[str]:
    return {name for name in inspect.get_annotations(described) if not name.startswith("_")}


def _attributes(described: type) -> set[str]:
    """What the methods assign to `self`: attributes that instances have."""
    return {name for base in described.__mro__ for name in _assigned(base) if not name.startswith("_")}


@cache
def _assigned(described: type) -> set[str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(described)))
    except (OSError, TypeError):
        return set()
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
    return {node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == "self"}


def _member_names(described: type) -> list[str]:
    """What the packages' own classes define."""
    own = {name for base in described.__mro__ if _is_own(base) for name in vars(base)}
    return sorted(name for name in own if not name.startswith("_") or name in SPECIAL)


def _is_own(base: type) -> bool:
    return base.__module__.partition(".")[0] in (*PACKAGES, "gregaria")


def _member(described: type, name: str) -> dict[str, Any]:
    static = inspect.getattr_static(described, name)
    if isinstance(static, property) or inspect.isdatadescriptor(static) or not hasattr(described, name):
        return {"kind": "property"}
    if isinstance(static, classmethod | staticmethod):
        return {"kind": type(static).__name__, "signature": _signature(getattr(described, name))}
    if inspect.isroutine(static):
        return {"kind": "method", "signature": _signature(static) and _signature(static)[1:]}
    if isinstance(static, type):
        return {"kind": "class", "name": static.__name__}
    return {"kind": "value", "value": _value(static)}


def _signature(function: Any) -> list[str] | None:
    """The parameters; `None` where the extension does not tell them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return None
    return [_parameter(parameter) for parameter in parameters]


def _parameter(parameter: inspect.Parameter) -> str:
    text = str(parameter.replace(annotation=inspect.Parameter.empty, default=inspect.Parameter.empty))
    if parameter.default is not inspect.Parameter.empty:
        text += f"={_value(parameter.default)}"
    if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.KEYWORD_ONLY):
        text += f" ({parameter.kind.description})"
    return text


def _value(value: Any) -> str:
    """A value as far as it is the same in any process: plain ones as they are, of others the class."""
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, list | tuple | set):
        return f"{type(value).__name__}({', '.join(_value(item) for item in value)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_value(key)}: {_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, re.Pattern):
        return f"{value.pattern!r}"
    if isinstance(value, type) or inspect.isroutine(value):
        return value.__name__
    return type(value).__name__


if __name__ == "__main__":
    main()
