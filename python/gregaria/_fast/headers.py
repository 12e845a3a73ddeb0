"""Headers as geventhttpclient shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any

_NOTHING = object()


class Headers(dict[str, Any]):
    """Header lines by name, whatever its case. A name that is on several lines has a list of values.

    `len` and `items` go by lines, iteration by names. What is stored is read through these methods alone: the lines of
    each name, as (name, value).
    """

    def __init__(self, headers: Any = None, **more: str) -> None:
        super().__init__()
        self.extend(headers, **more)

    # All that changes comes through these two.

    def _put(self, name: str, lines: list[tuple[str, Any]]) -> None:
        super().__setitem__(name.lower(), lines)

    def _drop(self, name: str) -> None:
        super().__delitem__(name.lower())

    def _lines(self, name: str) -> list[tuple[str, Any]]:
        lines: list[tuple[str, Any]] = super().get(name.lower(), [])
        return lines

    def __setitem__(self, name: str, value: Any) -> None:
        self._put(name, _lines_of(name, value))

    def __getitem__(self, name: str) -> Any:
        lines = self._lines(name)
        if not lines and name not in self:
            raise KeyError(name.lower())
        return lines[0][1] if len(lines) == 1 else [value for _, value in lines]

    def __delitem__(self, name: str) -> None:
        self._drop(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def __iter__(self) -> Iterator[str]:
        # Its own method also keeps `dict(headers)` from copying what is stored.
        return super().__iter__()

    def __len__(self) -> int:
        return sum(len(self._lines(name)) for name in self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return False
        theirs = other if isinstance(other, Headers) else Headers(other)
        return {name: self[name] for name in self} == {name: theirs[name] for name in theirs}

    __hash__ = None

    def __or__(self, other: Any) -> Headers:  # type: ignore[override]
        merged = self.copy()
        merged.update(other)
        return merged

    def __ior__(self, other: Any) -> Headers:  # type: ignore[override]
        self.update(other)
        return self

    def __str__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self.items())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.compatible_dict()})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Headers, (list(self.items()),)

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        return KeysView(self)

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        return ValuesView(self)

    def items(self) -> Iterator[tuple[str, Any]]:  # type: ignore[override]
        """One pair for each line."""
        for name in list(self):
            yield from self._lines(name)

    def iterlower(self) -> Iterator[tuple[str, Any]]:
        """One pair for each line, names in lower case."""
        for name in list(self):
            for _, value in self._lines(name):
                yield name, value

    def itermerged(self) -> Iterator[tuple[str, str]]:
        """One pair for each name, the values of its lines joined."""
        for name in list(self):
            lines = self._lines(name)
            if lines:
                yield lines[0][0], lines[0][1] if len(lines) == 1 else ", ".join(value for _, value in lines)

    def compatible_dict(self) -> dict[str, str]:
        """A plain dict, the values of repeated lines joined."""
        return dict(self.itermerged())

    def getlist(self, name: str) -> list[Any]:
        """All values of a header, one for each line it came on."""
        return [value for _, value in self._lines(name)]

    getheaders = getallmatchingheaders = getlist

    def get_all(self, name: str, failobj: Any = None) -> Any:
        return self.getlist(name) or failobj

    def add(self, name: str, value: Any) -> None:
        """Add a line; those of that name stay."""
        self._put(name, [*self._lines(name), *_lines_of(name, value)])

    def extend(self, headers: Any = None, **more: str) -> None:
        """Add lines; those of the same names stay."""
        for name, value in [*_pairs(headers), *more.items()]:
            self.add(name, value)

    def update(self, headers: Any = None, **more: str) -> None:  # type: ignore[override]
        """Put lines in the place of those of the same names."""
        if isinstance(headers, Headers):
            for name in list(headers):
                self._put(name, list(headers._lines(name)))
            headers = None
        for name, value in [*_pairs(headers), *more.items()]:
            self[name] = value

    def pop(self, name: str, default: Any = _NOTHING) -> Any:
        if name not in self and default is not _NOTHING:
            return default
        value = self[name]
        del self[name]
        return value

    def popitem(self) -> tuple[str, Any]:
        name = next(reversed(list(self)))
        return name, self.pop(name)

    def clear(self) -> None:
        for name in list(self):
            del self[name]

    def discard(self, name: str) -> None:
        if name in self:
            del self[name]

    def setdefault(self, name: str, default: Any = "") -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def copy(self) -> Headers:
        copied = Headers()
        copied.update(self)
        return copied


def _lines_of(name: str, value: Any) -> list[tuple[str, Any]]:
    return [(name, item) for item in value] if isinstance(value, (list, tuple)) else [(name, value)]


def _pairs(headers: Any) -> Iterable[tuple[str, Any]]:
    if headers is None:
        return ()
    if isinstance(headers, Headers):
        return list(headers.items())
    return [(name, headers[name]) for name in headers] if hasattr(headers, "keys") else list(headers)


class WatchedHeaders(Headers):
    """Tells when it changes."""

    def __init__(self, headers: Any, changed: Any) -> None:
        self._changed: Any = None
        super().__init__(headers)
        self._changed = changed

    def _put(self, name: str, lines: list[tuple[str, Any]]) -> None:
        super()._put(name, lines)
        if self._changed is not None:
            self._changed()

    def _drop(self, name: str) -> None:
        super()._drop(name)
        self._changed()
