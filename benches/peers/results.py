"""Everything a bench has measured, and what follows from it: medians, spreads, ratios. JSON holds the same."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from calls import CallRun
from idle import IdleRun, kib_per_user
from load import LoadRun
from startup import Startup
from truth import TruthRun


@dataclass(frozen=True)
class Summary:
    """The rounds of one peer in one case: medians, and the spread of the figure that matters."""

    peer: str
    scheme: str
    users: int
    rounds: int
    connected: int
    cpu_us: float
    cpu_us_least: float
    cpu_us_most: float
    requests_per_second: float
    peak_mib: float
    generator_cores: float
    target_cores: float
    other_cores: float


@dataclass(frozen=True)
class Idle:
    peer: str
    scheme: str
    few: int
    many: int
    kib_per_user: float
    spawn_cpu_seconds: float
    spawn_seconds: float


@dataclass
class Results:
    """`limits` are cases left out by design; `missing` is what was asked for and could not be measured."""

    settings: dict[str, object]
    machine: dict[str, object]
    loads: list[LoadRun] = field(default_factory=list)
    idles: list[IdleRun] = field(default_factory=list)
    calls: list[CallRun] = field(default_factory=list)
    startups: list[Startup] = field(default_factory=list)
    truths: list[TruthRun] = field(default_factory=list)
    truth_server: str = ""
    limits: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def cases(self) -> list[tuple[str, int]]:
        """(scheme, users), plain HTTP first, few users first."""
        return sorted({(run.scheme, run.users) for run in self.loads})

    def summary(self, peer: str, scheme: str, users: int) -> Summary | None:
        runs = [run for run in self.loads if (run.peer, run.scheme, run.users) == (peer, scheme, users)]
        return summarise(runs) if runs else None

    def call(self, call: str, peer: str) -> Summary | None:
        runs = [run.load for run in self.calls if (run.call, run.load.peer) == (call, peer)]
        return summarise(runs) if runs else None

    def idle(self, peer: str, scheme: str) -> Idle | None:
        runs = [run for run in self.idles if (run.peer, run.scheme) == (peer, scheme)]
        if len({run.users for run in runs}) < 2:
            return None
        few, many = min(runs, key=lambda run: run.users), max(runs, key=lambda run: run.users)
        grown = kib_per_user(few, many)
        return Idle(peer, scheme, few.users, many.users, grown, many.spawn_cpu_seconds, many.spawn_seconds)

    def startup(self, peer: str) -> Startup | None:
        return next((startup for startup in self.startups if startup.peer == peer), None)

    def as_json(self) -> dict[str, object]:
        peers = sorted({run.peer for run in self.loads})
        summaries = [self.summary(peer, *case) for case in self.cases() for peer in peers]
        idle_cases = sorted({(run.peer, run.scheme) for run in self.idles})
        return asdict(self) | {
            "summaries": [asdict(summary) for summary in summaries if summary],
            "ratios": [ratio for summary in summaries if summary for ratio in self.ratios(summary)],
            "idle": [asdict(idle) for idle in (self.idle(*case) for case in idle_cases) if idle],
        }

    def ratios(self, ours: Summary) -> list[dict[str, object]]:
        """Of one of ours to every peer in the same case: above 1 we are better, in each of the three."""
        if not ours.peer.startswith("ours-"):
            return []
        others = {run.peer for run in self.loads if not run.peer.startswith("ours-")}
        theirs = [self.summary(peer, ours.scheme, ours.users) for peer in sorted(others)]
        return [
            {
                "ours": ours.peer,
                "peer": peer.peer,
                "scheme": ours.scheme,
                "users": ours.users,
                "cpu_per_request": peer.cpu_us / ours.cpu_us,
                "requests_per_second": ours.requests_per_second / peer.requests_per_second,
                "peak_memory": peer.peak_mib / ours.peak_mib,
            }
            for peer in theirs
            if peer
        ]


def summarise(runs: list[LoadRun]) -> Summary:
    def median(read: Callable[[LoadRun], float]) -> float:
        return statistics.median(map(read, runs))

    return Summary(
        peer=runs[0].peer,
        scheme=runs[0].scheme,
        users=runs[0].users,
        rounds=len(runs),
        connected=min(run.connected for run in runs),
        cpu_us=median(lambda run: run.cpu_us_per_request),
        cpu_us_least=min(run.cpu_us_per_request for run in runs),
        cpu_us_most=max(run.cpu_us_per_request for run in runs),
        requests_per_second=median(lambda run: run.requests_per_second),
        peak_mib=median(lambda run: run.peak_mib),
        generator_cores=median(lambda run: run.generator_cores),
        target_cores=median(lambda run: run.target_cores),
        other_cores=median(lambda run: run.other_cores),
    )
