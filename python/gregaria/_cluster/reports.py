"""Reports as listeners see them: with Locust's keys, and without ours, which the engine writes and reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any

KEY = "gregaria"
"""What is ours in a report, and in each of its entries (`src/cluster/report/`)."""

_TIMES = "response_times"

Key = tuple[bool, str, str]
"""Of an entry: whether it is the total, its name and its method."""

Hidden = tuple[Any, dict[Key, tuple[Any, Any]]]
"""What was hidden: of the report, and of each entry, with the response times beside which it stood."""

NOTHING: Hidden = (None, {})


def hide(data: dict[str, Any]) -> Hidden:
    """Take out what only nodes of gregaria tell each other, so that listeners see what they see on Locust."""
    own = data.pop(KEY, None)
    # A copy: listeners may change the one that they see.
    return own, {key: (entry.pop(KEY), copy(entry.get(_TIMES))) for key, entry in _entries(data) if KEY in entry}


def restore(data: dict[str, Any], hidden: Hidden) -> None:
    """Put it back before the report is sent: with entries whose response times a listener has left as they were.

    What it has made of others counts as it stands: ours would be believed before it.
    """
    own, of_entries = hidden
    if own is None:
        return
    data[KEY] = own
    for key, entry in _entries(data):
        known, times = of_entries.get(key, (None, None))
        if known is not None and entry.get(_TIMES) == times:
            entry[KEY] = known


def _entries(data: dict[str, Any]) -> Iterator[tuple[Key, dict[str, Any]]]:
    entries, total = data.get("stats"), data.get("stats_total")
    # Whoever sends a report may send anything.
    for entry in entries if isinstance(entries, Iterable) else ():
        if isinstance(entry, dict):
            yield (False, *_name(entry)), entry
    if isinstance(total, dict):
        yield (True, *_name(total)), total


def _name(entry: dict[str, Any]) -> tuple[str, str]:
    return str(entry.get("name")), str(entry.get("method"))
