"""What a connected user weighs while it waits, and what it costs to spawn ten thousand.

Two runs of the same idle locustfile with few and with many users: what the resident memory grew by, divided by the
users that were added, so the interpreter and its libraries drop out. CPU is read when the last user has its answer.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from peers import Peer, idle_locustfile, locust_arguments
from process import Ended, Program
from target import Target


@dataclass(frozen=True)
class IdleRun:
    """`spawn_cpu_seconds` runs from the start of the process until all `users` were answered, start-up included."""

    peer: str
    scheme: str
    users: int
    rss_mib: float
    spawn_cpu_seconds: float
    spawn_seconds: float


def wait_for_answers(program: Program, target: Target, users: int, timeout: float = 120) -> None:
    """Wait until `users` connections stand and as many requests were made."""
    before = target.witness().requests - target.witness().connections
    deadline = time.monotonic() + timeout
    while True:
        program.check()
        seen = target.witness()
        if seen.connections >= users and seen.requests - before >= users:
            return
        if time.monotonic() > deadline:
            raise Ended(f"only {seen.connections} of {users} users connected within {timeout:.0f} s")
        time.sleep(0.01)


def wait_until_quiet(program: Program) -> None:
    """Wait until the program uses less than a twentieth of a core, ten seconds at most."""
    deadline = time.monotonic() + 10
    before = program.cpu()
    while time.monotonic() < deadline:
        time.sleep(0.5)
        now = program.cpu()
        if now - before < 0.025:
            return
        before = now


def run_idle(peer: Peer, target: Target, scheme: str, users: int, folder: Path) -> IdleRun:
    target.wait_until_left()
    arguments = locust_arguments(idle_locustfile(peer), target.urls[scheme], users)
    started = time.perf_counter()
    with Program([peer.executable, *arguments], folder) as program:
        wait_for_answers(program, target, users)
        cpu, seconds = program.cpu(), time.perf_counter() - started
        wait_until_quiet(program)
        if target.witness().connections < users:
            raise Ended(f"{users} idle users kept only {target.witness().connections} connections")
        return IdleRun(peer.key, scheme, users, program.memory_kib("VmRSS") / 1024, cpu, seconds)


def kib_per_user(few: IdleRun, many: IdleRun) -> float:
    return (many.rss_mib - few.rss_mib) * 1024 / (many.users - few.users)
