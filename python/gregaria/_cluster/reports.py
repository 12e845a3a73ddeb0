"""Reports as listeners see them: as Locust's are, whatever ours tell each other in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gregaria import _engine

KEY = "gregaria"
"""Where ours tell each other more (`src/cluster/report/`): Locust passes over it."""

_TIMES = "response_times"

Name = tuple[str, str]
"""Of an entry: its name and its method."""


class Hidden(NamedTuple):
    """What listeners do not see: what was under `KEY`, and how the locustfile rounds response times, if it does."""

    own: dict[str, Any] | None
    rounded: Mapping[Name, dict[int, int]]


NOTHING = Hidden(None, {})


def hide(data: dict[str, Any], rounded: Mapping[Name, dict[int, int]] | None = None) -> Hidden:
    """Make the data of a report that was sent, or is to be sent, what listeners see on Locust.

    Args:
        rounded: response times (ms, how often) of entries in place of those that Locust's rounding gives.
    """
    hidden = Hidden(data.pop(KEY, None), rounded or {})
    if hidden.own is not None:
        data["stats"] = [*data["stats"], *(_shown(values, hidden) for values in hidden.own.get("entries", ()))]
        if "total" in hidden.own:
            data["stats_total"] = _shown(hidden.own["total"], hidden)
    elif rounded:
        for entry in (*data["stats"], data["stats_total"]):
            entry[_TIMES] = rounded[entry["name"], entry["method"]]
    return hidden


def restore(data: dict[str, Any], hidden: Hidden) -> None:
    """Make it what is sent: each entry that listeners have left as it was is ours again, with all that was measured.

    What they have added to it goes with it; what they have made of others counts as it stands.
    """
    own = hidden.own
    if own is None:
        return
    measured = {_name(*values[:2]): values for values in own["entries"]}
    changed, entries = [], []
    listed = data.get("stats")
    # A listener may have put anything there.
    for entry in listed if isinstance(listed, list) else ():
        values = measured.get(_name(entry.get("name"), entry.get("method"))) if isinstance(entry, dict) else None
        if values is not None and _is_unchanged(entry, values, hidden):
            entries.append(_with_more(values, entry, hidden))
        else:
            changed.append(entry)
    if entries:
        data["stats"] = changed
    data[KEY] = {**own, "entries": entries}
    total = data.get("stats_total")
    if isinstance(total, dict) and _is_unchanged(total, own["total"], hidden):
        data[KEY]["total"] = _with_more(own["total"], total, hidden)
    else:
        del data[KEY]["total"]


def _is_unchanged(entry: dict[str, Any], values: list[Any], hidden: Hidden) -> bool:
    return {key: entry[key] for key in _engine.REPORT_ENTRY if key in entry} == _shown(values, hidden)


def _with_more(values: list[Any], entry: dict[str, Any], hidden: Hidden) -> list[Any]:
    """The values of an entry of ours, and after them whatever else is shown of it."""
    more = {key: value for key, value in entry.items() if key not in _engine.REPORT_ENTRY}
    if _name(*values[:2]) in hidden.rounded:
        more[_TIMES] = entry[_TIMES]
    return [*values, more] if more else values


def _shown(values: list[Any], hidden: Hidden) -> dict[str, Any]:
    """An entry of ours as Locust's, made anew: listeners may change what they see."""
    entry = dict(zip(_engine.REPORT_ENTRY, values, strict=False))
    more = values[len(entry)] if len(values) > len(entry) else {}
    rounded = hidden.rounded.get(_name(*values[:2]))
    if rounded is not None:
        entry[_TIMES] = dict(rounded)
    elif _TIMES not in more:
        entry[_TIMES] = _engine.rounded_response_times(entry[_TIMES])
    for seconds in ("num_reqs_per_sec", "num_fail_per_sec"):
        entry[seconds] = dict(entry[seconds])
    return {**entry, **more}


def _name(name: object, method: object) -> Name:
    # Of what a listener has made it may be anything.
    return str(name), str(method)
