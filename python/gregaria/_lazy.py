"""Attributes that are made when a locustfile first asks for them.

They are descriptors, one for each name, and not a `__getattr__`: in a class that has one the interpreter looks up every
attribute the slow way, each method of each request among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

C = TypeVar("C", bound=type)
Make = Callable[[Any, str], Any]


class Lazy:
    """Asks `make(instance, name)`, which keeps what it makes on the instance: there it comes first the next time."""

    __slots__ = ("_make", "_name")

    def __init__(self, make: Make, name: str) -> None:
        self._make = make
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None:
            raise AttributeError(f"type object '{owner.__name__}' has no attribute '{self._name}'")
        return self._make(instance, self._name)


def attributes(make: Make, names: Iterable[str]) -> Callable[[C], C]:
    """Give a class these attributes, but for those that it has already."""

    def add(cls: C) -> C:
        for name in names:
            if not hasattr(cls, name):
                setattr(cls, name, Lazy(make, name))
        return cls

    return add
