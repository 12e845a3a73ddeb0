"""Time spans as they are typed: `20`, `20s`, `3m`, `2h`, `1h20m`, `3h30m10s`."""

import re

_PATTERN = re.compile(r"(?P<bare>[0-9]+)|(?:(?P<hours>[0-9]+)h)?(?:(?P<minutes>[0-9]+)m)?(?:(?P<seconds>[0-9]+)s)?")
_INVALID = "Invalid time span format"


def parse_timespan(time_str: str) -> int:
    """Return the seconds that `time_str` stands for; raise `ValueError` if it is no time span."""
    if not time_str:
        raise ValueError(_INVALID)
    match = _PATTERN.fullmatch(time_str)
    if match is None:
        raise ValueError(f"{_INVALID}. Valid formats: 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.")
    bare, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return bare + hours * 3600 + minutes * 60 + seconds
