"""Fixtures for tests that run many times at once.

A fixture lives as long as its test runs, or, if its scope is wider than a function, until the load test ends, and then
all users share it. A fixture that takes a user, as `def api(user=None)` does, lives as long as that user; so does what
it asks for.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Hashable, Iterable
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import pytest
from _pytest.fixtures import call_fixture_func, resolve_fixture_function
from _pytest.stash import Stash
from _pytest.tmpdir import tmppath_result_key
from gevent.lock import RLock

if TYPE_CHECKING:
    from locust.user.users import User

    Definition: TypeAlias = pytest.FixtureDef[Any]
    Defer: TypeAlias = Callable[[Callable[[], object]], None]
    Definitions: TypeAlias = dict[str, tuple[Definition, ...]]

_SCOPES = ("function", "class", "module", "package", "session")


class Values:
    """The values of fixtures that live equally long, and how they are undone."""

    def __init__(self) -> None:
        self._values: dict[Hashable, Any] = {}
        self._locks: dict[Hashable, RLock] = {}
        self._undo = ExitStack()

    def get(self, key: Hashable, make: Callable[[Defer], Any]) -> Any:
        """The value of `key`, made by `make(defer)` the first time. One that failed is made by whoever asks next."""
        if key in self._values:
            return self._values[key]
        with self._locks.setdefault(key, RLock()):
            # Who waited for the lock finds the value there.
            if key not in self._values:
                self._values[key] = make(self.defer)
            return self._values[key]

    def defer(self, undo: Callable[[], object]) -> None:
        """Call `undo` when the values end."""
        self._undo.callback(undo)

    def close(self) -> None:
        """Undo all, the last made first. What fails does not keep the others from it, and is raised at the end."""
        self._values.clear()
        self._undo.close()


@cache
def user_parameter(definition: Definition) -> str | None:
    """The parameter for the user, if the fixture has one: its first, optional and None unless there is a user."""
    try:
        first = next(iter(inspect.signature(definition.func).parameters.values()), None)
    except (TypeError, ValueError):  # something callable that does not tell
        return None
    return first.name if first is not None and first.default is None else None


def of_users(names: Iterable[str], definitions: Definitions) -> set[Definition]:
    """The fixtures among those named, and those they ask for, that belong to one user."""
    found: set[Definition] = set()

    def belongs(definition: Definition) -> None:
        if definition in found:
            return
        found.add(definition)
        for name in definition.argnames:
            for asked in definitions.get(name, ())[-1:]:
                if asked.scope == "function":
                    belongs(asked)

    for name in names:
        for definition in definitions.get(name, ()):
            if user_parameter(definition):
                belongs(definition)
    return found


class Call:
    """One run of one test by one user: gives the test and its fixtures what they ask for."""

    def __init__(
        self, item: pytest.Function, user: User, users_own: set[Definition], shared: Values, kept: Values
    ) -> None:
        self.item = copy.copy(item)
        # Every run has an instance of the class of its own, as under pytest.
        for remembered in ("_obj", "_instance"):
            vars(self.item).pop(remembered, None)
        self.item.stash = Stash()
        # What a temporary folder was left behind for, somebody would have to look at: it is removed with the fixture.
        self.item.stash[tmppath_result_key] = {"call": True}
        self.user = user
        self._users_own = users_own
        self._shared = shared
        self._kept = kept
        self._own = Values()

    def value(self, name: str, asking: tuple[Definition, ...] = ()) -> Any:
        """The value of the fixture `name`, for the test or for the last of the fixtures that ask, each for the next."""
        if name == "request":
            return Request(self, asking)
        definition = self._definition(name, asking)
        if asking and _SCOPES.index(definition.scope) < _SCOPES.index(asking[-1].scope):
            raise ValueError(
                f"ScopeMismatch: the {asking[-1].scope}-scoped fixture `{asking[-1].argname}` asks for `{name}`, "
                f"which is {definition.scope}-scoped"
            )
        chain = (*asking, definition)
        return self._values_for(definition).get(
            self._key(definition), lambda defer: self._execute(definition, chain, defer)
        )

    def param(self, name: str) -> Any:
        """What the test is parametrized with for `name`; raises AttributeError as `request.param` does."""
        callspec = getattr(self.item, "callspec", None)
        if callspec is None or name not in callspec.params:
            raise AttributeError(f"the fixture `{name}` has no parameter here")
        return callspec.params[name]

    def defer(self, asking: tuple[Definition, ...], finalizer: Callable[[], object]) -> None:
        """Call `finalizer` when the fixture ends that asks, or, without one, the test."""
        (self._values_for(asking[-1]) if asking else self._own).defer(finalizer)

    def close(self) -> None:
        self._own.close()

    def _definition(self, name: str, asking: tuple[Definition, ...]) -> Definition:
        found = self.item._fixtureinfo.name2fixturedefs.get(name)
        if found is None:
            found = self.item.session._fixturemanager.getfixturedefs(name, self.item)
        # A fixture that overrides one of its own name, and asks for it, means the one that it overrides.
        overridden = sum(definition.argname == name for definition in asking)
        if not found or overridden >= len(found):
            raise ValueError(f"fixture '{name}' not found for {self.item.nodeid}")
        return found[-1 - overridden]

    def _values_for(self, definition: Definition) -> Values:
        if definition in self._users_own or user_parameter(definition):
            return self._kept
        return self._own if definition.scope == "function" else self._shared

    def _key(self, definition: Definition) -> Hashable:
        callspec = getattr(self.item, "callspec", None)
        # The parameter's identity: it may be anything, and the item keeps it alive.
        param = id(callspec.params[definition.argname]) if callspec and definition.argname in callspec.params else None
        node = _node(self.item, definition.scope)
        return definition, param, node.nodeid if definition.scope in ("class", "module") else None

    def _execute(self, definition: Definition, chain: tuple[Definition, ...], defer: Defer) -> Any:
        request = Request(self, chain, defer)
        arguments = {name: self.value(name, chain) for name in definition.argnames}
        takes_user = user_parameter(definition)
        if takes_user:
            arguments[takes_user] = self.user
        function: Any = resolve_fixture_function(definition, request)  # type: ignore[arg-type]
        return call_fixture_func(function, request, arguments)  # type: ignore[arg-type]


class Request:
    """What a fixture or a test gets as `request`: what `pytest.FixtureRequest` has, of this user's run of the test."""

    def __init__(self, call: Call, chain: tuple[Definition, ...], defer: Defer | None = None) -> None:
        self._call = call
        self._chain = chain
        self._defer = defer
        self.fixturename = chain[-1].argname if chain else None
        self.scope = chain[-1].scope if chain else "function"
        self.fixturenames = list(call.item.fixturenames)

    @property
    def param(self) -> Any:
        return self._call.param(self._chain[-1].argname if self._chain else "request")

    @property
    def node(self) -> Any:
        return _node(self._call.item, self.scope)

    @property
    def config(self) -> pytest.Config:
        return self._call.item.config

    @property
    def session(self) -> pytest.Session:
        return self._call.item.session

    @property
    def function(self) -> Any:
        return self._call.item.function

    @property
    def cls(self) -> type | None:
        cls: type | None = self._call.item.cls
        return cls

    @property
    def instance(self) -> Any:
        # A class-scoped fixture is shared by all users, and the instance is one user's.
        return self._call.item.instance if self.scope == "function" else None

    @property
    def module(self) -> Any:
        return self._call.item.module

    @property
    def path(self) -> Any:
        return self._call.item.path

    @property
    def keywords(self) -> Any:
        return self.node.keywords

    def addfinalizer(self, finalizer: Callable[[], object]) -> None:
        if self._defer is not None:
            self._defer(finalizer)
        else:
            self._call.defer(self._chain, finalizer)

    def getfixturevalue(self, argname: str) -> Any:
        return self._call.value(argname, self._chain)

    def applymarker(self, marker: str | pytest.MarkDecorator) -> None:
        self.node.add_marker(marker)

    def raiseerror(self, msg: str | None) -> NoReturn:
        raise LookupError(msg)


def _node(item: pytest.Function, scope: str) -> Any:
    match scope:
        case "class":
            return item.getparent(pytest.Class) or item
        case "module":
            return item.getparent(pytest.Module)
        case "package":
            return item.getparent(pytest.Package) or item.session
        case "session":
            return item.session
    return item
