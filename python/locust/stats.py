"""What was requested, how long it took, what failed.

The engine counts; the classes here are how Locust lets you read it. Nothing is copied: a property is computed from
the engine's table when it is read.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, TypeVar
from weakref import WeakSet

import gevent
from gevent.event import Event

from gregaria import _engine
from gregaria._complaints import tell
from gregaria.timings import Phases

from .exception import CatchResponseError
from .util.date import format_utc_timestamp as format_utc_timestamp
from .util.rounding import proper_round

if TYPE_CHECKING:
    from _csv import Writer

    from .env import Environment
    from .event import Events
    from .runners import Runner

console_logger = logging.getLogger("locust.stats_logger")
logger = logging.getLogger(__name__)

# A locustfile may change any of these; they are looked up when they are needed.
STATS_TYPE_WIDTH = 8
STATS_AUTORESIZE = True
CONSOLE_STATS_INTERVAL_SEC = 2
HISTORY_STATS_INTERVAL_SEC = 5
CSV_STATS_INTERVAL_SEC = 1
CSV_STATS_FLUSH_INTERVAL_SEC = 5
CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW = 10
PERCENTILES_TO_REPORT = [0.50, 0.66, 0.75, 0.80, 0.90, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0]
PERCENTILES_TO_STATISTICS = [0.95, 0.99]
PERCENTILES_TO_CHART = [0.5, 0.95]

_Key = tuple[str, str]
S = TypeVar("S")


def _terminal_name_width() -> int:
    try:
        columns = os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1).columns
    except (OSError, ValueError):
        return 80
    return max(min(columns - 80, 80), 0)


STATS_NAME_WIDTH = _terminal_name_width()
_followed_name_width = STATS_NAME_WIDTH


def resize_handler(signum: int, frame: Any) -> None:
    """Follow the terminal's width. Tables do so by themselves whenever they are printed."""
    global STATS_NAME_WIDTH, _followed_name_width
    if STATS_AUTORESIZE:
        STATS_NAME_WIDTH = _followed_name_width = _terminal_name_width()


def _widths() -> tuple[int, int]:
    # Asked for at each table rather than on SIGWINCH: importing Locust then takes nobody's signal away.
    if _followed_name_width == STATS_NAME_WIDTH:
        resize_handler(0, None)
    return STATS_NAME_WIDTH, STATS_TYPE_WIDTH


class CSVWriter(Protocol):
    """Whatever takes the rows of a file, as `csv.writer` does."""

    def writerow(self, columns: Iterable[str | int | float]) -> None:
        """Take one row."""


class StatsBaseDict(TypedDict):
    """What each of the two has that leave the process."""

    name: str
    method: str


class StatsEntryDict(StatsBaseDict):
    """An entry as it leaves the process. Times are in milliseconds or seconds of the epoch, lengths in bytes."""

    last_request_timestamp: float | None
    start_time: float
    num_requests: int
    num_none_requests: int
    num_failures: int
    total_response_time: float
    max_response_time: float
    min_response_time: float | None
    total_content_length: int
    response_times: dict[int, int]
    num_reqs_per_sec: dict[int, int]
    num_fail_per_sec: dict[int, int]


class StatsErrorDict(StatsBaseDict):
    """A kind of failure as it leaves the process. Times are in seconds of the epoch."""

    error: str
    occurrences: int
    first_seen: float | None
    last_seen: float | None


class StatsHolder(Protocol):
    """Whatever has a name and a method."""

    name: str
    method: str


class RequestStatsAdditionError(Exception):
    """Two entries that cannot be added."""


def bucket_response_time(response_time: float) -> int:
    """Round a response time to Locust's bucket: two significant digits, half to even.

    The engine records three significant digits and rounds with this function only where Locust's buckets are asked
    for. A locustfile that puts its own function here changes `StatsEntry.response_times`, `serialize()` and
    what is computed from them (`get_response_time_percentile()`, `median_response_time`); the console tables and
    the CSV files go on showing the engine's own percentiles.
    """
    if response_time < 100:
        return round(response_time)
    if response_time < 1000:
        return round(response_time, -1) if isinstance(response_time, int) else round(response_time / 10) * 10
    if response_time < 10000:
        return round(response_time / 100) * 100
    return round(response_time / 1000) * 1000


_locusts_bucket = bucket_response_time


def calculate_response_time_percentile(response_times: dict[int, int], num_requests: int, percent: float) -> int:
    """Return the percentile (`percent` is 0…1) of a dict from response time to its count."""
    processed = 0
    rank = int(num_requests * percent)
    for response_time in sorted(response_times, reverse=True):
        processed += response_times[response_time]
        if num_requests - processed <= rank:
            return response_time
    return 0


def diff_response_time_dicts(latest: dict[int, int], old: dict[int, int]) -> dict[int, int]:
    """Return what was counted in `latest` since `old`, without zeros."""
    differences = {time: count - old.get(time, 0) for time, count in latest.items()}
    return {time: count for time, count in differences.items() if count}


def avg(values: list[float] | list[int]) -> float:
    """Return the mean of the values; 0.0 of none."""
    return sum(values, 0.0) / max(len(values), 1)


def get_readable_percentiles(percentile_list: Iterable[float]) -> list[str]:
    """Return percentiles as headings: 0.999 → `99.9%`."""
    return [_engine.percentile_label(percentile) for percentile in percentile_list]


class StatsEntry:
    """One line of the statistics: a name and a method, or the total."""

    def __init__(
        self, stats: RequestStats | None, name: str, method: str, use_response_times_cache: bool = False
    ) -> None:
        self._attach(stats, name, method, use_response_times_cache)
        self._row = _engine.StatsRow(self._table, name, method, use_response_times_cache)

    def _attach(self, stats: RequestStats | None, name: str, method: str, use_response_times_cache: bool) -> None:
        self.stats = stats
        self.name = name
        self.method = method
        self.use_response_times_cache = use_response_times_cache
        self._table = stats.table if stats is not None else _engine.StatsTable(False)

    @classmethod
    def _of(cls, stats: RequestStats, name: str, method: str, row: _engine.StatsRow) -> StatsEntry:
        entry = cls.__new__(cls)
        entry._attach(stats, name, method, stats.use_response_times_cache)
        entry._row = row
        return entry

    def __copy__(self) -> StatsEntry:
        return self._with(self.stats, self._row.alone())

    def __deepcopy__(self, memo: dict[int, Any]) -> StatsEntry:
        stats = copy.deepcopy(self.stats, memo)
        table = stats.table if stats is not None else self._table.copy()
        return self._with(stats, self._row.copied(table))

    def _with(self, stats: RequestStats | None, row: _engine.StatsRow) -> StatsEntry:
        entry = type(self).__new__(type(self))
        entry._attach(stats, self.name, self.method, self.use_response_times_cache)
        entry._row = row
        return entry

    def log(self, response_time: float | None, content_length: int) -> None:
        """Count one request; `None` as its time counts as a request only."""
        self._row.log(response_time, content_length, time.time())

    def log_error(self, error: Exception | str | None) -> None:
        """Count one failure. The request itself is counted by `log`."""
        self._row.log_failure(time.time())

    def reset(self) -> None:
        """Forget all that was counted, and begin now."""
        self._row.reset(time.time())

    @property
    def num_requests(self) -> int:
        """How many requests there were, failed ones among them."""
        return self._row.num_requests

    @property
    def num_none_requests(self) -> int:
        """How many of them had no response time."""
        return self._row.num_none_requests

    @property
    def num_failures(self) -> int:
        """How many of them failed."""
        return self._row.num_failures

    @property
    def total_response_time(self) -> float:
        """The sum of the response times, in milliseconds."""
        return self._row.total_response_time

    @property
    def min_response_time(self) -> float | None:
        """The shortest response time, in milliseconds; `None` before there is one."""
        return self._row.min_response_time

    @property
    def max_response_time(self) -> float:
        """The longest response time, in milliseconds; 0 before there is one."""
        return self._row.max_response_time

    @property
    def total_content_length(self) -> int:
        """The sum of the lengths of the responses, in bytes."""
        return self._row.total_content_length

    @property
    def start_time(self) -> float:
        """When counting began, in seconds of the epoch."""
        return self._row.start_time

    @start_time.setter
    def start_time(self, start_time: float) -> None:
        self._row.start_time = start_time

    @property
    def last_request_timestamp(self) -> float | None:
        """When the latest request was counted, in seconds of the epoch; `None` before there is one."""
        return self._row.last_request_timestamp

    @property
    def num_reqs_per_sec(self) -> dict[int, int]:
        """How many requests there were in each second of the epoch."""
        return self._row.num_reqs_per_sec

    @property
    def num_fail_per_sec(self) -> dict[int, int]:
        """How many failures there were in each second of the epoch."""
        return self._row.num_fail_per_sec

    @property
    def response_times(self) -> dict[int, int]:
        """Locust's rounded response times and their counts, or those of your own `bucket_response_time`."""
        if bucket_response_time is _locusts_bucket:
            return self._row.response_times
        buckets: dict[int, int] = {}
        for response_time, count in self._row.values:
            bucket = bucket_response_time(response_time)
            buckets[bucket] = buckets.get(bucket, 0) + count
        return buckets

    @property
    def fail_ratio(self) -> float:
        """The share of requests that failed, from 0 to 1."""
        return self._row.fail_ratio

    @property
    def avg_response_time(self) -> float:
        """The mean response time, in milliseconds; 0 before there is one."""
        return self._row.avg_response_time

    @property
    def median_response_time(self) -> float:
        """The median response time, in milliseconds; 0 before there is one."""
        if bucket_response_time is _locusts_bucket or self.min_response_time is None:
            return self._row.median_response_time
        return max(min(self.get_response_time_percentile(0.5), self.max_response_time), self.min_response_time)

    @property
    def current_rps(self) -> float:
        """Requests per second, over about the last ten seconds."""
        return self._row.current_rps

    @property
    def current_fail_per_sec(self) -> float:
        """Failures per second, over about the last ten seconds."""
        return self._row.current_fail_per_sec

    @property
    def total_rps(self) -> float:
        """Requests per second, from the beginning of the run to the latest request."""
        return self._row.total_rps

    @property
    def total_fail_per_sec(self) -> float:
        """Failures per second, from the beginning of the run to the latest request."""
        return self._row.total_fail_per_sec

    @property
    def avg_content_length(self) -> float:
        """The mean length of the responses, in bytes."""
        return self._row.avg_content_length

    @property
    def phases(self) -> Phases:
        """Where the response times of this entry went, and on what connections its requests were sent.

        Requests that somebody fires by hand are not in it. Nor does it leave the process: `serialize` gives what
        Locust's does.
        """
        return Phases.of(self._row.phases)

    def get_response_time_percentile(self, percent: float) -> int:
        """Return the response time below which the share `percent` (0…1) of all requests lies, in milliseconds."""
        if bucket_response_time is _locusts_bucket:
            return self._row.percentile(percent)
        timed = self.num_requests - self.num_none_requests
        return calculate_response_time_percentile(self.response_times, timed, percent)

    def get_current_response_time_percentile(self, percent: float) -> int | None:
        """Return the same over about the last ten seconds; `None` if too little is known of them."""
        return self._row.current_percentile(percent, CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW, time.time())

    def extend(self, other: StatsEntry) -> None:
        """Add another entry's figures to this one's."""
        self._row.extend(other._row)

    def serialize(self) -> StatsEntryDict:
        """Return all figures, as they leave the process."""
        return {
            "name": self.name,
            "method": self.method,
            "last_request_timestamp": self.last_request_timestamp,
            "start_time": self.start_time,
            "num_requests": self.num_requests,
            "num_none_requests": self.num_none_requests,
            "num_failures": self.num_failures,
            "total_response_time": self.total_response_time,
            "max_response_time": self.max_response_time,
            "min_response_time": self.min_response_time,
            "total_content_length": self.total_content_length,
            "response_times": self.response_times,
            "num_reqs_per_sec": self.num_reqs_per_sec,
            "num_fail_per_sec": self.num_fail_per_sec,
        }

    @classmethod
    def unserialize(cls, data: StatsEntryDict, stats: RequestStats | None = None) -> StatsEntry:
        """Return an entry from what `serialize` gave, here or on another node. Unknown keys are ignored."""
        entry = cls.__new__(cls)
        entry._attach(stats, data["name"], data["method"], False)
        entry._row = _engine.StatsRow.from_dict(entry._table, dict(data))
        return entry

    def get_stripped_report(self) -> StatsEntryDict:
        """Return `serialize()`, and begin anew."""
        report = self.serialize()
        self.reset()
        return report

    def to_string(self, current: bool = True) -> str:
        """Return the line of the console table, with the current rates or those of the whole run."""
        return _engine.request_line(self._row, current, *_widths())

    def __str__(self) -> str:
        return self.to_string(current=True)

    def percentile(self) -> str:
        """Return the line of the console's percentile table."""
        if not self.num_requests:
            raise ValueError("Can't calculate percentile on url with no successful requests")
        return _engine.percentile_line(self._row, PERCENTILES_TO_REPORT, *_widths())

    def to_dict(self, escape_string_values: bool = False) -> dict[str, Any]:
        """Return the figures that the web page shows. It escapes them itself: `escape_string_values` does nothing."""
        percentiles = {
            f"response_time_percentile_{percentile}": self.get_response_time_percentile(percentile)
            for percentile in PERCENTILES_TO_STATISTICS
        }
        return {
            "method": self.method or "",
            "name": self.name,
            "num_requests": self.num_requests,
            "num_failures": self.num_failures,
            "min_response_time": 0 if self.min_response_time is None else proper_round(self.min_response_time),
            "max_response_time": proper_round(self.max_response_time),
            "current_rps": self.current_rps,
            "current_fail_per_sec": self.current_fail_per_sec,
            "avg_response_time": self.avg_response_time,
            "median_response_time": self.median_response_time,
            "total_rps": self.total_rps,
            "total_fail_per_sec": self.total_fail_per_sec,
            **percentiles,
            "avg_content_length": self.avg_content_length,
        }


class StatsError:
    """All failures with the same method, name and text."""

    def __init__(
        self,
        method: str,
        name: str,
        error: Exception | str | None,
        occurrences: int = 0,
        first_seen: float | None = None,
        last_seen: float | None = None,
    ) -> None:
        self.method = method
        self.name = name
        self.error = error
        self.occurrences = occurrences
        self.first_seen = first_seen
        self.last_seen = last_seen

    @classmethod
    def parse_error(cls, error: Exception | str | None) -> str:
        """Return the text that groups an error: itself if it is a string, else its `repr`, without an address."""
        return _engine.error_to_text(error)

    @classmethod
    def create_key(cls, method: str, name: str, error: Exception | str | None) -> str:
        """Return what `RequestStats.errors` has such a failure under."""
        return _engine.error_to_key(method, name, error)

    def occurred(self) -> None:
        """Count one more, now."""
        self.occurrences += 1
        self.last_seen = time.time()
        if self.first_seen is None:
            self.first_seen = self.last_seen

    def to_name(self) -> str:
        """Return the line of the error report."""
        error = self.error
        if isinstance(error, CatchResponseError):
            shown = str(error.args[0]) if error.args else ""
        elif isinstance(error, str) and error.startswith("CatchResponseError("):
            shown = error[len("CatchResponseError(") : -1]
        else:
            shown = error if isinstance(error, str) else repr(error)
        return f"{self.method} {self.name}: {shown}"

    def serialize(self) -> StatsErrorDict:
        """Return what is known of it, as it leaves the process."""
        return {
            "name": self.name,
            "method": self.method,
            "error": self.parse_error(self.error),
            "occurrences": self.occurrences,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
        }

    def to_dict(self) -> StatsErrorDict:
        """Return what the web page shows of it."""
        return self.serialize()

    @classmethod
    def unserialize(cls, data: StatsErrorDict) -> StatsError:
        """Return a failure from what `serialize` gave, here or on another node."""
        return cls(
            data["method"],
            data["name"],
            data["error"],
            data["occurrences"],
            data.get("first_seen"),
            data.get("last_seen"),
        )


class EntriesDict(MutableMapping[_Key, StatsEntry]):
    """The entries by `(name, method)`. One that is missing is made when it is asked for.

    What is deleted here is no longer listed; it stays in the total.
    """

    def __init__(self, request_stats: RequestStats) -> None:
        self.request_stats = request_stats
        self._entries: dict[_Key, StatsEntry] = {}

    def __getitem__(self, key: _Key) -> StatsEntry:
        name, method = key
        row = self.request_stats.table.row(name, method)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = StatsEntry._of(self.request_stats, name, method, row)
        return entry

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and len(key) == 2 and self.request_stats.table.contains(*key)

    def __setitem__(self, key: _Key, entry: StatsEntry) -> None:
        if key in self and self[key] is entry:
            return
        figures = entry._row.alone()
        self.request_stats.table.remove(*key)
        # From now on it counts where the engine does.
        entry._row = self.request_stats.table.row(*key)
        entry._row.extend(figures)
        self._entries[key] = entry

    def __delitem__(self, key: _Key) -> None:
        if key not in self:
            raise KeyError(key)
        entry = self[key]
        entry._row = entry._row.alone()
        self.request_stats.table.remove(*key)
        del self._entries[key]

    def copy(self) -> dict[_Key, StatsEntry]:
        """Return a plain dict of the entries."""
        return dict(self)

    def pop(self, key: _Key, *default: Any) -> Any:
        """Take an entry out and return it. Raises KeyError without a default when there is none."""
        if key not in self and default:
            return default[0]
        entry = self[key]
        del self[key]
        return entry

    def setdefault(self, key: _Key, default: Any = None) -> StatsEntry:
        """Return the entry, which is made when there is none."""
        return self[key]

    def get(self, key: _Key, default: Any = None) -> Any:
        """Return the entry, or the default when there is none."""
        return self[key] if key in self else default  # noqa: SIM401

    def __iter__(self) -> Iterator[_Key]:
        return iter(self.request_stats.table.keys())

    def __len__(self) -> int:
        return len(self.request_stats.table.keys())

    def __repr__(self) -> str:
        return f"EntriesDict({list(self)})"


class _ErrorsDict(dict[str, StatsError]):
    """The failures by key, as they are now. What is deleted here is forgotten by the engine, too."""

    def __init__(self, table: _engine.StatsTable) -> None:
        super().__init__((key, StatsError(*record)) for key, *record in table.errors())
        self._table = table

    def clear(self) -> None:
        self._table.clear_errors()
        super().clear()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._table.remove_error(key)

    def pop(self, key: str, *default: Any) -> Any:
        self._table.remove_error(key)
        return super().pop(key, *default)

    def popitem(self) -> tuple[str, StatsError]:
        key, error = super().popitem()
        self._table.remove_error(key)
        return key, error


followers: WeakSet[Runner] = WeakSet()
"""The runners, which are told when somebody puts a counting of their own in the place of the engine's."""

_COUNTING = ("log_request", "log_error")


def _tell_followers() -> None:
    for runner in list(followers):
        runner._follow_statistics()


class _WatchedClass(type):
    def __setattr__(cls, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name in _COUNTING:
            _tell_followers()


class RequestStats(metaclass=_WatchedClass):
    """Every entry, their total, and what failed."""

    def __init__(self, use_response_times_cache: bool = True) -> None:
        self.use_response_times_cache = use_response_times_cache
        #: What the engine counts in. Requests of the engine's own clients are recorded there without Python.
        self.table = _engine.StatsTable(use_response_times_cache)
        self.entries = EntriesDict(self)
        self.total = StatsEntry._of(self, "Aggregated", "", self.table.total())

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name in _COUNTING:
            _tell_followers()

    def __deepcopy__(self, memo: dict[int, Any]) -> RequestStats:
        stats = type(self).__new__(type(self))
        memo[id(self)] = stats
        stats.use_response_times_cache = self.use_response_times_cache
        stats.table = self.table.copy()
        stats.entries = EntriesDict(stats)
        stats.total = StatsEntry._of(stats, "Aggregated", "", stats.table.total())
        return stats

    def listener(self) -> Callable[..., None]:
        """Return what counts the requests that `events.request` tells of.

        It is the engine's, unless a subclass or a patch has a `log_request` or a `log_error` of its own.
        """
        overridden = any(name in vars(self) or getattr(type(self), name) is not _counting[name] for name in _COUNTING)
        return self._count if overridden else _engine.StatsListener(self.table)

    def _count(
        self,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int,
        exception: Exception | str | None = None,
        **_: object,
    ) -> None:
        self.log_request(request_type, name, response_time, response_length)
        if exception:
            self.log_error(request_type, name, exception)

    @property
    def errors(self) -> dict[str, StatsError]:
        """The failures, by `StatsError.create_key`."""
        return _ErrorsDict(self.table)

    @errors.setter
    def errors(self, errors: dict[str, StatsError]) -> None:
        records = list(errors.values())
        self.table.clear_errors()
        for error in records:
            self._merge_error(error)

    @property
    def history(self) -> list[dict[str, Any]]:
        """The points of the charts, oldest first."""
        return self.table.history()

    @history.setter
    def history(self, history: list[dict[str, Any]]) -> None:
        if history:
            raise ValueError("`history` can be emptied (`stats.history = []`), not replaced: the engine keeps it")
        self.table.clear_history()

    @property
    def num_requests(self) -> int:
        """How many requests there were in all."""
        return self.total.num_requests

    @property
    def num_none_requests(self) -> int:
        """How many of them had no response time."""
        return self.total.num_none_requests

    @property
    def num_failures(self) -> int:
        """How many of them failed."""
        return self.total.num_failures

    @property
    def last_request_timestamp(self) -> float | None:
        """When the latest request was counted, in seconds of the epoch; `None` before there is one."""
        return self.total.last_request_timestamp

    @property
    def start_time(self) -> float:
        """When counting began, in seconds of the epoch."""
        return self.total.start_time

    def log_request(self, method: str, name: str, response_time: float | None, content_length: int) -> None:
        """Count one request: its response time in milliseconds or `None`, its length in bytes."""
        self.table.log_request(method, name, response_time, content_length, time.time())

    def log_error(self, method: str, name: str, error: Exception | str | None) -> None:
        """Count one failure of such a request."""
        self.table.log_error(method, name, error, time.time())

    def get(self, name: str, method: str) -> StatsEntry:
        """Return the entry, made if there is none."""
        return self.entries[name, method]

    def reset_all(self) -> None:
        """Zero every entry but keep it listed; forget errors and history."""
        self.table.reset_all()

    def clear_all(self) -> None:
        """Forget everything."""
        self.table.clear_all()
        self.entries = EntriesDict(self)

    def serialize_stats(self) -> list[StatsEntryDict]:
        """Return every entry that has requests or failures, and reset it."""
        entries = [self.entries[key] for key in self.entries]
        return [entry.get_stripped_report() for entry in entries if entry.num_requests or entry.num_failures]

    def serialize_errors(self) -> dict[str, StatsErrorDict]:
        """Return all failures, as they leave the process."""
        return {key: error.serialize() for key, error in self.errors.items()}

    def _merge_error(self, error: StatsError) -> None:
        text = error.parse_error(error.error)
        self.table.merge_error(error.method, error.name, text, error.occurrences, error.first_seen, error.last_seen)


_counting = {name: vars(RequestStats)[name] for name in _COUNTING}


def setup_distributed_stats_event_listeners(events: Events, stats: RequestStats) -> None:
    """Make workers report `stats` to their master, and a master add what workers report."""

    def on_report_to_master(client_id: str, data: dict[str, Any]) -> None:
        data["stats"] = stats.serialize_stats()
        data["stats_total"] = stats.total.get_stripped_report()
        data["errors"] = stats.serialize_errors()
        stats.errors = {}

    def on_worker_report(client_id: str, data: dict[str, Any]) -> None:
        for record in data["stats"]:
            entry = StatsEntry.unserialize(record, stats)
            stats.get(entry.name, entry.method).extend(entry)
        for error in data["errors"].values():
            stats._merge_error(StatsError.unserialize(error))
        stats.total.extend(StatsEntry.unserialize(data["stats_total"], stats))

    events.report_to_master.add_listener(on_report_to_master)
    events.worker_report.add_listener(on_worker_report)


def sort_stats(stats: Mapping[Any, S]) -> list[S]:
    """Return the values in order of their keys."""
    return [stats[key] for key in sorted(stats)]


def get_stats_summary(stats: RequestStats, current: bool = True) -> list[str]:
    """Return the lines of the table of requests, with the current rates or those of the whole run."""
    return _engine.request_lines(stats.table, current, *_widths())[:-1]


def get_percentile_stats_summary(stats: RequestStats) -> list[str]:
    """Return the lines of the table of percentiles."""
    return _engine.percentile_lines(stats.table, PERCENTILES_TO_REPORT, *_widths())[:-1]


def get_error_report_summary(stats: RequestStats) -> list[str]:
    """Return the lines of the error report; none without failures."""
    return _engine.error_lines(stats.table, _widths()[0])


def print_stats(stats: RequestStats, current: bool = True) -> None:
    """Print the request table: with the current rates during a run, with the total ones at its end."""
    _print([*get_stats_summary(stats, current), ""])


def print_percentile_stats(stats: RequestStats) -> None:
    """Write the table of percentiles to the log."""
    _print([*get_percentile_stats_summary(stats), ""])


def print_phases(stats: RequestStats) -> None:
    """Print where the response times went, if the engine sent any of the requests."""
    _print(_engine.phase_lines(stats.table, *_widths()))


def print_error_report(stats: RequestStats) -> None:
    """Print what failed, if anything did."""
    if stats.errors:
        _print(get_error_report_summary(stats))


def _print(lines: list[str]) -> None:
    for line in lines:
        console_logger.info(line)


def _json(stats: RequestStats) -> str:
    return json.dumps(stats.serialize_stats(), indent=4)


def print_stats_json(stats: RequestStats) -> None:
    """Print every entry as JSON on stdout, and reset it."""
    print(_json(stats))


def save_stats_json(stats: RequestStats, filename: str) -> None:
    """Write every entry as JSON to `{filename}.json`, and reset it. Its folder has to be there."""
    with open(f"{filename}.json", "w") as file:
        file.write(_json(stats))


def stats_printer(stats: RequestStats) -> Callable[[], None]:
    """Return a function that prints the request table now and then, for ever."""

    def stats_printer_func() -> None:
        while True:
            print_stats(stats)
            gevent.sleep(CONSOLE_STATS_INTERVAL_SEC)

    return stats_printer_func


def update_stats_history(runner: Runner, timestamp: str | None = None) -> None:
    """Append a point to the history."""
    stats = runner.stats
    stats.table.append_history(
        PERCENTILES_TO_CHART, runner.user_count, CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW, timestamp
    )


def stats_history(runner: Runner) -> None:
    """Append a point to the history every few seconds while a test runs."""
    while runner.stats.use_response_times_cache:
        if runner.state not in ("ready", "stopped"):
            update_stats_history(runner)
        gevent.sleep(HISTORY_STATS_INTERVAL_SEC)


class StatsCSV:
    """The rows of the CSV files, for a `csv.writer` of yours."""

    def __init__(self, environment: Environment, percentiles_to_report: list[float]) -> None:
        self.environment = environment
        self.percentiles_to_report = percentiles_to_report
        self.percentiles_na = ["N/A"] * len(percentiles_to_report)
        self.requests_csv_columns = _engine.csv_requests(self._table, percentiles_to_report)[0]
        self.failures_columns = _engine.csv_failures(self._table)[0]
        self.exceptions_columns = _engine.csv_exceptions(self._table)[0]

    @property
    def _table(self) -> _engine.StatsTable:
        return self.environment.stats.table

    def requests_csv(self, csv_writer: Writer) -> None:
        """Write the header and every entry."""
        header, rows = _engine.csv_requests(self._table, self.percentiles_to_report)
        csv_writer.writerows([header, *rows])

    def failures_csv(self, csv_writer: Writer) -> None:
        """Write the header and a row for each kind of failure."""
        header, rows = _engine.csv_failures(self._table)
        csv_writer.writerows([header, *rows])

    def exceptions_csv(self, csv_writer: Writer) -> None:
        """Write the header and a row for each exception that tasks raised."""
        header, rows = _engine.csv_exceptions(self._table)
        csv_writer.writerows([header, *rows])

    def close_files(self) -> None:
        """Nothing here: `StatsCSVFileWriter` has files."""


class StatsCSVFileWriter(StatsCSV):
    """The CSV files of a run, written by a thread of the engine from now on until `close_files()`.

    The engine flushes after every pass, so the methods with `flush` in their name have nothing left to do.
    """

    def __init__(
        self,
        environment: Environment,
        percentiles_to_report: list[float],
        base_filepath: str,
        full_history: bool = False,
    ) -> None:
        super().__init__(environment, percentiles_to_report)
        self.base_filepath = base_filepath
        self.full_history = full_history
        self.stats_history_csv_columns = _engine.csv_history_header(percentiles_to_report)
        self._closed = Event()
        self._files = _engine.csv_files(
            self._table,
            base_filepath,
            percentiles_to_report,
            full_history,
            CSV_STATS_INTERVAL_SEC,
            CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW,
        )

    def __call__(self) -> None:
        """Do what `stats_writer` does."""
        self.stats_writer()

    def stats_writer(self) -> None:
        """Return when the files are closed: they are written elsewhere. Log what went wrong there."""
        while not self._closed.wait(1):
            tell(self._files)

    def stats_history_file_name(self) -> str:
        """Return the path of the file with the history."""
        return f"{self.base_filepath}_stats_history.csv"

    def requests_flush(self) -> None:
        """For Locust's sake: the engine flushes what it writes."""

    def stats_history_flush(self) -> None:
        """For Locust's sake: the engine flushes what it writes."""

    def failures_flush(self) -> None:
        """For Locust's sake: the engine flushes what it writes."""

    def exceptions_flush(self) -> None:
        """For Locust's sake: the engine flushes what it writes."""

    def close_files(self) -> None:
        """Write a last time, so that the files agree with the summary, and close them."""
        self._files.close()
        tell(self._files)
        self._closed.set()


def _is_valid_percentile(percentile: Any) -> bool:
    try:
        return 0 < float(percentile) < 1
    except (TypeError, ValueError):
        return False


def validate_stats_configuration() -> None:
    """Leave the process with exit code 1 if a locustfile set percentiles that are none."""
    if len(PERCENTILES_TO_CHART) > 6:
        _refuse("stats.PERCENTILES_TO_CHART parameter should be a maximum of 6 parameters \n")
    for constant in ("PERCENTILES_TO_CHART", "PERCENTILES_TO_STATISTICS"):
        if not all(_is_valid_percentile(percentile) for percentile in globals()[constant]):
            _refuse(f"stats.{constant} parameter need to be float and value between. 0 < percentile < 1 Eg 0.95\n")


def _refuse(message: str) -> None:
    sys.stderr.write(message)
    sys.exit(1)
