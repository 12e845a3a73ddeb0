"""What a program costs: CPU time and memory, summed over every process and thread it has.

A program is started in a session of its own, and whoever is in that session counts, forked workers included.
CPU time comes from the kernel's clock of each process (nanoseconds, exited threads included) plus what each process
has collected from children that already ended, so nothing is lost and start-up can be subtracted exactly.
Linux only: it reads `/proc`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class Ended(Exception):
    """A program that should have gone on has ended; the message holds the last of what it said."""


def stat_fields(pid: int) -> list[str]:
    """The fields of `/proc/PID/stat` after the command name: index 0 is the state, 3 the session."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def process_cpu(pid: int) -> float:
    """Seconds of CPU of a process, all its threads, dead ones too: `clock_getcpuclockid(3)` without the C call."""
    return time.clock_gettime((~pid << 3) | 2)


def children_cpu(pid: int) -> float:
    """Seconds of CPU of the children that `pid` has already waited for."""
    fields = stat_fields(pid)
    return (int(fields[13]) + int(fields[14])) / TICKS


def memory_kib(pid: int, field: str) -> int:
    """A line of `/proc/PID/status`: `VmRSS` now, `VmHWM` at the peak."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    return 0


def machine_busy() -> float:
    """Seconds of CPU that the whole machine has spent, interrupts and stolen time included."""
    first_line = Path("/proc/stat").read_text().splitlines()[0]
    user, nice, system, _idle, _iowait, *interrupts = map(int, first_line.split()[1:9])
    return (user + nice + system + sum(interrupts)) / TICKS


def clean_environment(home: Path) -> dict[str, str]:
    """Ours without proxies, Python paths and a home whose configuration would change a peer."""
    dropped = {name for name in os.environ if name.lower() in PROXY_VARIABLES or name.startswith(("LOCUST_", "K6_"))}
    kept = {name: value for name, value in os.environ.items() if name not in dropped | {"PYTHONPATH", "VIRTUAL_ENV"}}
    return kept | {"HOME": str(home), "NO_COLOR": "1", "K6_NO_USAGE_REPORT": "true"}


class Program:
    """A program running in its own session, its output kept in a file."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.output = folder / "output.txt"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=clean_environment(folder),
                start_new_session=True,
            )
        self.pid = self.process.pid

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End the whole session at once: what is measured is measured by then."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def check(self) -> None:
        """Raise `Ended` unless it still runs."""
        if self.process.poll() is not None:
            raise Ended(f"ended early with exit code {self.process.returncode}: {self.last_words()}")

    def wait(self, timeout: float) -> int:
        """Wait for its own end and return the exit code."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Ended(f"did not end within {timeout:.0f} s: {self.last_words()}") from None

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def last_words(self) -> str:
        return " | ".join(line.strip() for line in self.text().strip().splitlines()[-3:]) or "it said nothing"

    def members(self) -> list[int]:
        """Every process of the session. The pids are taken before a measurement, as the search takes milliseconds."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                if int(stat_fields(int(entry))[3]) == self.pid:
                    found.append(int(entry))
            except (FileNotFoundError, ProcessLookupError):
                pass
        return found

    def cpu(self, members: list[int] | None = None) -> float:
        """Seconds of CPU since the start."""
        self.check()
        pids = self.members() if members is None else members
        return sum(process_cpu(pid) + children_cpu(pid) for pid in pids)

    def memory_kib(self, field: str) -> int:
        return sum(memory_kib(pid, field) for pid in self.members())
