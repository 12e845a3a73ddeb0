"""The targets, and whether what was measured meets them. A target judges; it never fails the bench."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from results import Results

TRUTH_MS = 20.0
TRUTH_TOLERANCE_MS = 1.0


@dataclass(frozen=True)
class Verdict:
    """One target. `met` is `None` where a figure it needs is missing."""

    target: str
    limit: str
    measured: str
    met: bool | None


def at_most(target: str, limit: float, value: float | None, unit: str) -> Verdict:
    if value is None:
        return Verdict(target, f"at most {limit:g}{unit}", "-", None)
    return Verdict(target, f"at most {limit:g}{unit}", f"{value:.3g}{unit}", value <= limit)


def at_least(target: str, limit: float, value: float | None, unit: str) -> Verdict:
    if value is None:
        return Verdict(target, f"at least {limit:g}{unit}", "-", None)
    return Verdict(target, f"at least {limit:g}{unit}", f"{value:.3g}{unit}", value >= limit)


def cpu_ratio(results: Results, over: tuple[str, str, int], under: tuple[str, str, int]) -> float | None:
    """CPU per request of one (peer, scheme, users) divided by another's."""
    above, below = results.summary(*over), results.summary(*under)
    return above.cpu_us / below.cpu_us if above and below else None


def load_verdicts(results: Results) -> Iterator[Verdict]:
    ours = ("ours-http", "http", 64)
    yield at_most("CPU/request at 64 users, of wrk's", 1.8, cpu_ratio(results, ours, ("wrk", "http", 64)), "x")
    for peer, label, limit in (("locust-fast", "FastHttpUser", 14), ("locust-http", "HttpUser", 45), ("k6", "k6", 5)):
        ratio = cpu_ratio(results, (peer, "http", 64), ours)
        yield at_least(f"CPU/request at 64 users, less than {label}'s", limit, ratio, "x")
    many = cpu_ratio(results, ("ours-http", "http", 10_000), ours)
    yield at_most("CPU/request at 10 000 users, of ours at 64", 1.6, many, "x")
    tls = cpu_ratio(results, ("locust-fast", "https", 64), ("ours-http", "https", 64))
    yield at_least("CPU/request over TLS at 64 users, less than FastHttpUser's", 10, tls, "x")


def idle_verdicts(results: Results) -> Iterator[Verdict]:
    plain, tls = results.idle("ours-http", "http"), results.idle("ours-http", "https")
    yield at_most("memory per idle user, HTTP", 18, plain.kib_per_user if plain else None, " KiB")
    yield at_most("memory per idle user, TLS", 50, tls.kib_per_user if tls else None, " KiB")
    spawn = plain.spawn_cpu_seconds if plain and plain.many >= 10_000 else None
    yield at_most("CPU to spawn 10 000 users, start-up included", 5, spawn, " s")


def startup_verdicts(results: Results) -> Iterator[Verdict]:
    startup = results.startup("ours-http")
    yield at_most("locust --version", 0.1, startup.version_seconds if startup else None, " s")
    yield at_most("CPU from start to first request", 0.6, startup.first_request_cpu_seconds if startup else None, " s")


def truth_verdicts(results: Results) -> Iterator[Verdict]:
    limit = f"{TRUTH_MS:g} +- {TRUTH_TOLERANCE_MS:g} ms"
    for users in (10, 50, 100):
        run = next((run for run in results.truths if (run.peer, run.users) == ("ours-http", users)), None)
        if run is None:
            yield Verdict(f"truth at {users} users, median and 95 %", limit, "-", None)
            continue
        figures = (run.median_ms, run.percentile_95_ms)
        met = all(abs(figure - TRUTH_MS) <= TRUTH_TOLERANCE_MS for figure in figures)
        measured = f"{run.median_ms:g} and {run.percentile_95_ms:g} ms"
        probe = f" (probe: {run.probe_median_ms:.1f} and {run.probe_95_ms:.1f})"
        yield Verdict(f"truth at {users} users, median and 95 %", limit, measured + probe, met)


def verdicts(results: Results) -> list[Verdict]:
    parts = (load_verdicts, idle_verdicts, startup_verdicts, truth_verdicts)
    return [line for part in parts for line in part(results)]


def verdicts_as_json(results: Results) -> list[dict[str, object]]:
    return [asdict(line) for line in verdicts(results)]
