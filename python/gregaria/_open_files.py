"""How many files, and so connections, this process may have open."""

from __future__ import annotations

import sys

_LADDER = (1 << 20, 10_240)
"""What is tried where the limit that the system names is refused: some call it infinite and mean less."""


def allow_most() -> int:
    """Raise the limit as far as the system lets us, and return it."""
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return sys.maxsize
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for most in (hard, *_LADDER) if soft != hard else ():
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            break
        except (OSError, ValueError):
            continue
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if allowed == resource.RLIM_INFINITY else allowed
