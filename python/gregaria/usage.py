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
    """Measures from one sample to the next, the first one from the meter's creation."""

    def __init__(self) -> None:
        self._before = _clocks()

    def sample(self) -> Usage:
        before, self._before = self._before, _clocks()
        elapsed, cpu, python_cpu = (after - earlier for after, earlier in zip(self._before, before, strict=True))
        return Usage(100 * cpu / elapsed, 100 * python_cpu / elapsed, _resident_bytes())


def _clocks() -> tuple[float, float, float]:
    return time.perf_counter(), time.process_time(), time.thread_time()


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
