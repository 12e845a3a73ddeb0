"""Times and durations as Locust writes them."""

from datetime import UTC, datetime

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def format_utc_timestamp(unix_timestamp: float) -> str:
    """Return UTC in whole seconds, as `2026-01-31T09:05:10Z`."""
    return datetime.fromtimestamp(int(unix_timestamp), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_safe_timestamp(unix_timestamp: float) -> str:
    """Return local time that may stand in a file's name, as `2026-01-31-09h05`."""
    return datetime.fromtimestamp(int(unix_timestamp)).strftime("%Y-%m-%d-%Hh%M")


def format_duration(start_time: float, end_time: float) -> str:
    """Return the time between two timestamps in words, as `1 day, 2 minutes and 30 seconds`."""
    seconds = int(end_time - start_time)
    words = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            words.append(f"{count} {unit}{'' if count == 1 else 's'}")
    if not words:
        return "0 seconds"
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
