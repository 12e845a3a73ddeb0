"""Data for users, each row handed out once: over all users, and in a fleet over all workers.

```python
from gregaria import Feeder
from locust import HttpUser, task

accounts = Feeder("accounts.csv")


class Customer(HttpUser):
    def on_start(self):
        account = next(accounts)
        self.client.post("/login", json={"user": account["user"], "password": account["password"]})
```
"""

from __future__ import annotations

import asyncio
import codecs
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, TypeVar, overload

from locust.exception import StopUser

from . import _engine, _feeders
from ._rows import Rows, kind_of

__all__ = ["Feeder", "FeederEmpty", "FeederError"]

Row = TypeVar("Row")
_MODES = ("stop", "recycle", "error")


class FeederEmpty(Exception):
    """All rows have been handed out, and the feeder says `when_empty="error"`."""


class FeederError(Exception):
    """A feeder has no rows to hand out, because its data cannot be read or nobody hands them out."""


class Feeder(_engine.FeederBase, Generic[Row]):
    """Hands out rows: `row = next(feeder)`.

    In one process the rows are read here. In a fleet the master reads them, and its workers get them in blocks, ahead
    of time: only the master needs the file. No row is handed out twice, whatever happens to workers, and every one that
    a lost worker may or may not have used is named at the end.

    `data`: the path of a file, or any iterable, or a function that returns one. A `.csv` or `.tsv` gives a dict of
    texts for each line, by the names in the first line or those of `columns`; a `.jsonl` or `.ndjson` what the JSON
    text of each line says; a `.json` the members of its list. Each may be packed with gzip (`.csv.gz`). A path is
    looked for where Locust was started, and then beside the file that makes the feeder.

    `shuffle`: in an order by lot, which `--seed` repeats; the data are then held in memory.

    `when_empty`: what happens to a user who asks for a row when there is none left. With `"stop"` the run ends as soon
    as the tasks under way have ended; with `"recycle"` the data are gone through again; with `"error"` `FeederEmpty`
    is raised.

    `name`: how logs call it, and workers and master between them. By default the path, or `feeder`.

    `columns`, `delimiter` (`,`, in a `.tsv` a tab): of CSV. `encoding`: of any file.

    Raises `ValueError` for what is none of these, `next()` raises `FeederError` for data that cannot be read.
    """

    @overload
    def __init__(
        self: Feeder[dict[str, Any]],
        data: str | os.PathLike[str],
        *,
        shuffle: bool = False,
        when_empty: Literal["stop", "recycle", "error"] = "stop",
        name: str | None = None,
        columns: Sequence[str] | None = None,
        delimiter: str | None = None,
        encoding: str = "utf-8",
    ) -> None: ...

    @overload
    def __init__(
        self,
        data: Iterable[Row] | Callable[[], Iterable[Row]],
        *,
        shuffle: bool = False,
        when_empty: Literal["stop", "recycle", "error"] = "stop",
        name: str | None = None,
    ) -> None: ...

    def __init__(
        self,
        data: str | os.PathLike[str] | Iterable[Any] | Callable[[], Iterable[Any]],
        *,
        shuffle: bool = False,
        when_empty: Literal["stop", "recycle", "error"] = "stop",
        name: str | None = None,
        columns: Sequence[str] | None = None,
        delimiter: str | None = None,
        encoding: str = "utf-8",
    ) -> None:
        if when_empty not in _MODES:
            raise ValueError(f'`when_empty` of a feeder is "stop", "recycle" or "error", not {when_empty!r}')
        is_path = isinstance(data, str | os.PathLike)
        if is_path:
            kind_of(os.fspath(data))  # type: ignore[arg-type]
        elif not callable(data) and not isinstance(data, Iterable):
            raise ValueError(f"a feeder takes a path, an iterable, or a function that returns one, not {data!r}")
        _check_reading(os.fspath(data) if is_path else None, columns, delimiter, encoding)  # type: ignore[arg-type]
        self.when_empty = when_empty
        self.rows = Rows(
            data,
            _folder_of_caller(),
            shuffle,
            when_empty == "recycle",
            list(columns) if columns else None,
            delimiter,
            encoding,
        )
        self.name = _feeders.register(self, name, str(os.fspath(data)) if is_path else "feeder")  # type: ignore[arg-type]
        self._giver: _feeders.Giver | None = None

    if TYPE_CHECKING:

        def __iter__(self) -> Feeder[Row]: ...
        def __next__(self) -> Row: ...

    def __aiter__(self) -> Feeder[Row]:
        return self

    async def __anext__(self) -> Row:
        """`await anext(feeder)` in coroutines: other users run while this one waits."""
        if self._at_hand():
            return next(self)
        end = object()
        row = await asyncio.to_thread(next, self, end)
        if row is end:
            raise StopAsyncIteration
        return row  # type: ignore[return-value]

    def __repr__(self) -> str:
        return f"<Feeder {self.name!r}>"

    def _wait(self) -> bool:
        """There is no row at hand: wait for some. False where there will be none, and nobody minds."""
        if self._giver is None:
            giver = _feeders.Here(self, None)
            self._giver = self._giver or giver  # A destructor may have taken a row meanwhile.
        try:
            if self._giver.more():
                return True
        except OSError as error:
            self._give_up(str(error))
        if self._broken is not None:
            self._give_up(self._broken)
        if self.when_empty == "error":
            raise FeederEmpty(f"Feeder `{self.name}` is empty: all its rows were handed out")
        if not _feeders.ran_out(self, f"Feeder `{self.name}`: all rows were handed out"):
            return False
        raise StopUser

    def _refill(self) -> None:
        """There will soon be no row at hand."""
        if self._giver is not None:
            self._giver.ask()

    def _give_up(self, reason: str) -> NoReturn:
        if _feeders.failed(self, reason):
            raise StopUser
        raise FeederError(f"Feeder `{self.name}`: {reason}")

    def _unreadable(self, number: int, error: Exception) -> NoReturn:
        """A row that is not what it should be."""
        self._give_up(f"row {number} is no JSON: {error}")


def _check_reading(path: str | None, columns: object, delimiter: str | None, encoding: str) -> None:
    """Raise `ValueError` for what says how to read a file and cannot be heeded."""
    what = "an iterable" if path is None else repr(path)
    for name, value in (("columns", columns), ("delimiter", delimiter)):
        if value is not None and (path is None or kind_of(path) != "csv"):
            raise ValueError(f"`{name}` of a feeder is for CSV, not for {what}")
    if path is None and encoding != "utf-8":
        raise ValueError(f"`encoding` of a feeder is for files, not for {what}")
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii()):
        raise ValueError(f"`delimiter` of a feeder is one ASCII character, not {delimiter!r}")
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise ValueError(f"`encoding` of a feeder is one that Python knows, not {encoding!r}") from None


def _folder_of_caller() -> str | None:
    file = sys._getframe(2).f_globals.get("__file__")
    return os.path.dirname(os.path.abspath(file)) if isinstance(file, str) else None
