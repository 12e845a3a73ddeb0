"""Reports as listeners see them: with Locust's keys, and without ours, which the engine writes and reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

KEY = "gregaria"
"""What is ours in a report, and in each of its entries (`src/cluster/report/`)."""

Hidden = tuple[Any, dict[tuple[object, object], Any], Any]
"""What was hidden: of the report, of its entries by name and method, and of the total."""

NOTHING: Hidden = (None, {}, None)


def hide(data: dict[str, Any]) -> Hidden:
    """Take out what only nodes of gregaria tell each other, so that listeners see what they see on Locust."""
    own = data.pop(KEY, None)
    of_entries = {_key(entry): entry.pop(KEY) for entry in _entries(data) if KEY in entry}
    total = data.get("stats_total")
    return own, of_entries, total.pop(KEY, None) if isinstance(total, dict) else None


def restore(data: dict[str, Any], hidden: Hidden) -> None:
    """Put it back before the report is sent: with entries that a listener has left where they were."""
    own, of_entries, of_total = hidden
    if own is None:
        return
    data[KEY] = own
    for entry in _entries(data):
        if (known := of_entries.get(_key(entry))) is not None:
            entry[KEY] = known
    total = data.get("stats_total")
    if of_total is not None and isinstance(total, dict):
        total[KEY] = of_total


def _entries(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    entries = data.get("stats")
    # Whoever sends a report may send anything.
    for entry in entries if isinstance(entries, Iterable) else ():
        if isinstance(entry, dict):
            yield entry


def _key(entry: dict[str, Any]) -> tuple[object, object]:
    return str(entry.get("name")), str(entry.get("method"))
