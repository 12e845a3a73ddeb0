"""Full load: CPU per request, requests per second and peak memory in a steady window.

The window opens when every user has its connection and the peer has run on for a moment, so start-up, spawning and
handshakes are outside it. At both ends the same three things are read, one right after the other: nginx's counter,
the peer's CPU clocks and the time. What differs is what the window cost.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from peers import Peer
from process import Ended, Program, machine_busy
from target import Target


@dataclass(frozen=True)
class LoadRun:
    """One peer, one user count, one round."""

    peer: str
    scheme: str
    users: int
    connected: int
    seconds: float
    requests: int
    cpu_us_per_request: float
    requests_per_second: float
    peak_mib: float
    generator_cores: float
    target_cores: float
    other_cores: float
    """CPU that neither the peer nor the target spent: what else the machine was doing."""


@dataclass(frozen=True)
class Reading:
    requests: int
    cpu: float
    target_cpu: float
    machine_cpu: float
    at: float


def read(program: Program, target: Target) -> Reading:
    members = program.members()
    requests = target.witness().requests
    cpu = program.cpu(members)
    return Reading(requests, cpu, target.cpu(), machine_busy(), time.perf_counter())


def wait_for_users(program: Program, target: Target, users: int, timeout: float) -> None:
    """Wait until all users are connected and have come round twice; after `timeout` go on with those there are."""
    before = target.witness().requests
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        program.check()
        seen = target.witness()
        if seen.connections >= users and seen.requests - before >= 2 * users:
            return
        time.sleep(0.05)


def run_load(peer: Peer, target: Target, scheme: str, users: int, seconds: float, folder: Path) -> LoadRun:
    target.wait_until_left()
    with Program(peer.command(target.urls[scheme], users), folder) as program:
        wait_for_users(program, target, users, timeout=60)
        time.sleep(min(1.0, 0.3 + users / 10_000))
        start = read(program, target)
        time.sleep(seconds)
        connected = target.witness().connections
        end = read(program, target)
        peak_mib = program.memory_kib("VmHWM") / 1024
    if end.requests == start.requests:
        raise Ended(f"made no request in {seconds:g} s: {program.last_words()}")
    return summed_up(peer.key, scheme, users, connected, start, end, peak_mib)


def summed_up(
    peer: str, scheme: str, users: int, connected: int, start: Reading, end: Reading, peak_mib: float
) -> LoadRun:
    requests, seconds, cpu = end.requests - start.requests, end.at - start.at, end.cpu - start.cpu
    target_cpu = end.target_cpu - start.target_cpu
    others = end.machine_cpu - start.machine_cpu - cpu - target_cpu
    return LoadRun(
        peer=peer,
        scheme=scheme,
        users=users,
        connected=connected,
        seconds=seconds,
        requests=requests,
        cpu_us_per_request=cpu / requests * 1e6,
        requests_per_second=requests / seconds,
        peak_mib=peak_mib,
        generator_cores=cpu / seconds,
        target_cores=target_cpu / seconds,
        other_cores=max(0.0, others / seconds),
    )
