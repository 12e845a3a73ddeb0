"""What this process takes from the machine."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    cpu: float
    """Percent of one core, of all threads together: on four cores it may be 400."""
    python_cpu: float
    """Percent of one core, of the thread that runs Python: never above 100."""
    memory: int
    """Resident bytes."""


class Meter:
    """Measures from one sample to the next; the first one has nothing to compare with and says 0 %."""

    def __init__(self) -> None:
        self._before: tuple[float, float, float] | None = None

    def sample(self) -> Usage:
        now = (time.perf_counter(), time.process_time(), time.thread_time())
        before, self._before = self._before or now, now
        elapsed, cpu, python_cpu = (after - earlier for after, earlier in zip(now, before, strict=True))
        if not elapsed:
            return Usage(0.0, 0.0, _resident_bytes())
        return Usage(100 * cpu / elapsed, 100 * python_cpu / elapsed, _resident_bytes())


def _resident_bytes() -> int:
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return _peak_resident_bytes()


def _peak_resident_bytes() -> int:
    """The most it ever was: all that systems without `/proc` tell without a library."""
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
