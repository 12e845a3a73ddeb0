"""What a feeder hands out: a file, which the engine reads, or an iterable, which Python goes through."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, Literal, cast

from . import _engine

_KINDS: dict[str, Literal["csv", "lines", "list"]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "lines",
    ".ndjson": "lines",
    ".json": "list",
}

Numbered = Iterator[tuple[int, int, Any]]
"""Rows, each with its number and in the how many-th pass it is."""


def kind_of(path: str) -> Literal["csv", "lines", "list"]:
    """What a file with this name has in it. Raises `ValueError` where that cannot be told."""
    kind = _KINDS.get(_ending(path))
    if kind is None:
        raise ValueError(
            f"a feeder cannot tell what is in {path!r}: it reads {', '.join(_KINDS)}, each also packed (.gz); "
            "anything else it takes as an iterable"
        )
    return kind


def _ending(path: str) -> str:
    return os.path.splitext(path.lower().removesuffix(".gz"))[1]


class Rows:
    """The data of one feeder, to be gone through from the beginning by each test."""

    def __init__(
        self,
        data: str | os.PathLike[str] | Iterable[Any] | Callable[[], Iterable[Any]],
        folder: str | None,
        shuffle: bool,
        recycles: bool,
        columns: list[str] | None,
        delimiter: str | None,
        encoding: str,
    ) -> None:
        self.path = os.fspath(data) if isinstance(data, str | os.PathLike) else None
        self.data = data
        self.folder = folder
        self.shuffle = shuffle
        self.recycles = recycles
        self.columns = columns
        self.delimiter = delimiter
        self.encoding = encoding

    @property
    def is_read_by_engine(self) -> bool:
        """Whether `ledger` can be asked."""
        is_utf_8 = self.encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")
        return self.path is not None and kind_of(self.path) != "list" and is_utf_8

    def ledger(self, name: str, seed: int | None) -> _engine.Ledger:
        """Open the file. Raises `OSError` where it cannot be read."""
        assert self.path is not None, "an iterable is no file"
        path, lots = self._found(), self._lots(name, seed)
        if kind_of(self.path) == "lines":
            return _engine.Ledger.json_lines(path, lots, self.recycles)
        return _engine.Ledger.csv(path, ord(self._delimiter()), self.columns, lots, self.recycles)

    def numbered(self, name: str, seed: int | None) -> Numbered:
        """Go through the iterable, or through a file that Python reads. Raises `OSError` where that cannot be read."""
        lots = self._lots(name, seed)
        rows = self._iterable()
        if lots is not None or (self.recycles and iter(rows) is rows):
            rows = list(rows)
        number_of_pass = 0
        while True:
            number_of_pass += 1
            count = 0
            for number, row in self._in_order(rows, lots, number_of_pass):
                count += 1
                yield number, number_of_pass, row
            if not self.recycles or not count:
                return

    def is_there_at_once(self) -> bool:
        """Whether several rows may be taken ahead of time: from what makes them one by one, none is asked too early."""
        return isinstance(self.data, list | tuple | range)

    def check(self) -> str | None:
        """What is wrong with the file, as far as that is seen before it is read."""
        try:
            if self.path is not None:
                with open(self._found(), "rb"):
                    pass
        except OSError as error:
            return str(error)
        return None

    def _in_order(self, rows: Iterable[Any], lots: int | None, number_of_pass: int) -> Iterator[tuple[int, Any]]:
        if lots is None:
            return enumerate(rows, 1)
        listed = rows if isinstance(rows, list) else list(rows)
        order = _engine.shuffled_order(len(listed), lots, number_of_pass)
        return ((place + 1, listed[place]) for place in reversed(order))

    def _iterable(self) -> Iterable[Any]:
        if self.path is None:
            rows: Iterable[Any] = self.data() if callable(self.data) else self.data  # type: ignore[assignment]
            return rows
        if kind_of(self.path) == "list":
            return self._listed()
        return list(self._decoded()) if self.shuffle or self.recycles else self._decoded()

    def _listed(self) -> list[Any]:
        with self._open() as file:
            rows = json.load(file)
        if not isinstance(rows, list):
            raise OSError(f"{self.path} has no list in it; a JSON text a line is for a file that ends in .jsonl")
        return rows

    def _decoded(self) -> Iterator[Any]:
        assert self.path is not None, "an iterable is no file"
        with self._open() as file:
            yield from self._of_lines(file) if kind_of(self.path) == "lines" else self._of_csv(file)

    def _of_lines(self, file: IO[str]) -> Iterator[Any]:
        for number, line in enumerate(filter(str.strip, file), 1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise OSError(f"row {number} is no JSON: {error}") from error
            yield row

    def _of_csv(self, file: IO[str]) -> Iterator[dict[str, str]]:
        """As the engine does it, which can read UTF-8 only."""
        records = csv.reader(file, delimiter=self._delimiter())
        columns = self.columns or [name.strip() for name in next(filter(None, records), [])]
        self._check_columns(columns)
        line = records.line_num + 1
        for fields in records:
            if fields and len(fields) != len(columns):
                raise OSError(f"{self.path}, line {line}: {len(fields)} fields, where there are {len(columns)} columns")
            if fields:
                yield dict(zip(columns, fields, strict=True))
            line = records.line_num + 1

    def _check_columns(self, columns: list[str]) -> None:
        if columns in ([], [""]):
            raise OSError(f"{self.path}: the first line names no columns")
        for name in columns:
            if columns.count(name) > 1:
                raise OSError(f'{self.path}: two columns have the name "{name}"')

    @contextmanager
    def _open(self) -> Iterator[IO[str]]:
        """The file, unpacked and decoded. Raises `OSError` for whatever turns out to be wrong with it."""
        path = self._found()
        is_packed = path.lower().endswith(".gz")
        try:
            with (gzip.open if is_packed else open)(path, "rt", encoding=self.encoding, newline="") as file:
                yield cast("IO[str]", file)
        except (ValueError, EOFError, csv.Error, zlib.error, gzip.BadGzipFile) as error:
            raise OSError(f"cannot read {self.path}: {error}") from error

    def _found(self) -> str:
        """Where the file is: raises `OSError` where it is nowhere."""
        assert self.path is not None, "an iterable is no file"
        places = [self.path] if self.folder is None else [self.path, os.path.join(self.folder, self.path)]
        for place in places:
            if os.path.exists(place):
                return place
        raise OSError(f"there is no file {self.path}: it was looked for in {' and in '.join(self._folders())}")

    def _folders(self) -> list[str]:
        assert self.path is not None, "an iterable is no file"
        folders = [os.getcwd()] if self.folder is None else [os.getcwd(), self.folder]
        return list(dict.fromkeys(os.path.dirname(os.path.join(folder, self.path)) for folder in folders))

    def _delimiter(self) -> str:
        return self.delimiter or ("\t" if self.path is not None and _ending(self.path) == ".tsv" else ",")

    def _lots(self, name: str, seed: int | None) -> int | None:
        if not self.shuffle:
            return None
        if seed is None:
            return secrets.randbits(64)
        return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8], "big")
