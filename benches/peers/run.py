"""The side-by-side run: `python benches/peers/run.py`, or `make bench`.

See `README.md` beside this file for what is measured and how. The report goes to stdout, progress to stderr.
Exit code 0: all that was asked for has been measured. 1: the report is incomplete and says what is missing.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from calls import CALLS, run_call
from idle import run_idle
from load import run_load
from peers import ROOT, Peer, all_peers, locusts, version_of
from process import Ended
from report import report
from results import Results
from startup import run_startup
from target import Target
from truth import delay_server, run_truth
from verdict import verdicts_as_json

P = ParamSpec("P")
T = TypeVar("T")
# What a peer or the target can do wrong. Anything else is a bug of the bench and ends it.
FAILURES = (Ended, OSError, ValueError, subprocess.SubprocessError, http.client.HTTPException)
PEERS = ("wrk", "k6", "locust-http", "locust-fast", "ours-http", "ours-fast")
PARTS = ("load", "calls", "idle", "startup", "truth")
ONCE = {("locust-fast", 1000), ("locust-http", 1000), ("k6", 10_000)}  # half a minute to start: first round only


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def words(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    """A comma-separated list of some of `known`."""

    def parse(text: str) -> list[str]:
        for part in text.split(","):
            if part not in known:
                raise argparse.ArgumentTypeError(f"`{part}` is none of {', '.join(known)}")
        return text.split(",")

    return parse


def command(text: str) -> str:
    """A path stays right when the peer runs in another folder; a bare name is looked for on PATH."""
    return str(Path(text).absolute()) if "/" in text else text


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare wrk, k6, Locust and ours on one target.")
    parser.add_argument("--quick", action="store_true", help="one short round of the essential cases, under 3 minutes")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (default 3; quick 1)")
    parser.add_argument("--seconds", type=float, help="length of a window (default 2; quick 1)")
    parser.add_argument("--users", type=numbers, help="over HTTP (default 1,64,1000,10000; quick 1,64,10000)")
    parser.add_argument("--tls-users", type=numbers, help="over TLS (default 1,64,1000,10000; quick 64)")
    parser.add_argument("--truth-users", type=numbers, help="in the truth run (default 10,50,100)")
    parser.add_argument("--truth-seconds", type=float, help="length of a truth run (default 8; quick 3)")
    parser.add_argument("--peers", type=words(PEERS), help=f"only these: {','.join(PEERS)}")
    parser.add_argument("--parts", type=words(PARTS), help=f"only these: {','.join(PARTS)} (quick: no calls)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all runs, medians, ratios and verdicts there")
    parser.add_argument("--pin", action="store_true", help="nginx on the last core, everything else on the others")
    environment = os.environ.get
    default = environment("BENCH_OURS", str(ROOT / ".venv/bin/locust"))
    parser.add_argument("--ours", type=command, default=default, metavar="LOCUST", help="our command ($BENCH_OURS)")
    default = environment("BENCH_ORACLE", str(ROOT / ".oracle/bin/locust"))
    parser.add_argument("--oracle", type=command, default=default, metavar="LOCUST", help="theirs ($BENCH_ORACLE)")
    default = environment("BENCH_K6", str(ROOT / ".tools/bin/k6"))
    parser.add_argument("--k6", type=command, default=default, metavar="K6", help="($BENCH_K6)")
    return with_defaults(parser.parse_args())


def with_defaults(options: argparse.Namespace) -> argparse.Namespace:
    full = {"rounds": 3, "seconds": 2.0, "users": [1, 64, 1000, 10_000], "tls_users": [1, 64, 1000, 10_000]}
    full |= {"truth_users": [10, 50, 100], "truth_seconds": 8.0}
    quick = {"rounds": 1, "seconds": 1.0, "users": [1, 64, 10_000], "tls_users": [64], "truth_seconds": 3.0}
    for name, value in (full | quick if options.quick else full).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.parts is None:
        options.parts = [part for part in PARTS if part != "calls" or not options.quick]
    return options


class Bench:
    """One run of the program: what was asked for, what has been measured so far."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.work = folder / "work"
        self.work.mkdir()
        self.started = time.monotonic()
        known = all_peers(options.ours, options.oracle, options.k6)
        self.asked = [peer for peer in known if options.peers is None or peer.key in options.peers]
        self.peers = [peer for peer in self.asked if not peer.missing()]
        self.results = Results(self.settings(), {"cores": os.cpu_count() or 0, "kernel": platform.release()})
        self.results.missing += [f"{peer.label}: no `{shown(peer)}`" for peer in self.asked if peer.missing()]

    def settings(self) -> dict[str, object]:
        rounds, seconds = self.options.rounds, self.options.seconds
        versions = ", ".join(dict.fromkeys(version_of(peer) for peer in self.peers))
        return {"rounds": rounds, "window": f"{seconds:g} s", "pinned": self.options.pin, "versions": versions}

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.started:4.0f} s] {text}", file=sys.stderr, flush=True)

    def attempt(self, what: str, measure: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Measure; a peer that fails is named in the report, and the rest goes on."""
        self.say(what)
        try:
            return measure(*args, **kwargs)
        except FAILURES as error:
            self.say(f"  failed: {error}")
            self.results.missing.append(f"{what}: {error}")
            return None

    def load(self, target: Target) -> None:
        counts = {"http": self.options.users, "https": self.options.tls_users}
        cases = [(scheme, users) for scheme in counts for users in counts[scheme]]
        for peer in self.peers:
            left_out = [f"{users} ({scheme})" for scheme, users in cases if peer.too_many(users)]
            if left_out:
                self.results.limits.append(f"{peer.label} at {', '.join(left_out)} users: {peer.limit_reason}")
            counts_asked = {users for _, users in cases}
            once = [users for key, users in ONCE if key == peer.key and users in counts_asked]
            if once and self.options.rounds > 1:
                self.results.limits.append(f"{peer.label} at {once[0]} users: first round only, it is slow to start")
        for number in range(self.options.rounds):
            for scheme, users in cases:
                # Every second round backwards: a machine that slows down slows nobody in particular.
                for peer in self.peers[:: -1 if number % 2 else 1]:
                    if not peer.too_many(users) and (number == 0 or (peer.key, users) not in ONCE):
                        self.load_run(target, peer, scheme, users, number)

    def load_run(self, target: Target, peer: Peer, scheme: str, users: int, number: int) -> None:
        what = f"round {number + 1}, {scheme}, {users} users, {peer.label}"
        seconds = self.options.seconds
        run = self.attempt(what, run_load, peer, target, scheme, users, seconds, self.work)
        if run is None:
            return
        self.results.loads.append(run)
        self.say(f"  {run.cpu_us_per_request:.1f} us CPU/request, {run.requests_per_second:.0f} requests/s")
        if run.connected < users:
            self.results.missing.append(f"{what}: only {run.connected} were connected, measured with those")

    def calls(self, target: Target) -> None:
        """One round, in windows twice as long: Locust takes longer to start than to be measured."""
        for call in CALLS:
            for peer in call.peers(self.peers):
                what = f"{call.label}, {peer.label}"
                run = self.attempt(what, run_call, call, peer, target, 2 * self.options.seconds, self.work)
                if run:
                    self.results.calls.append(run)
                    self.say(f"  {run.load.cpu_us_per_request:.1f} us CPU/request")

    def idle(self, target: Target) -> None:
        tls = (50, 250) if self.options.quick else (100, 1000)  # Locust takes 30 ms to start a user over TLS
        for scheme, few, many in (("http", 1000, 10_000), ("https", *tls)):
            for peer in locusts(self.peers):
                for users in (few, many):
                    what = f"idle, {scheme}, {users} users, {peer.label}"
                    run = self.attempt(what, run_idle, peer, target, scheme, users, self.work)
                    if run:
                        self.results.idles.append(run)

    def startup(self, _target: Target) -> None:
        for peer in locusts(self.peers):
            times = 3 if self.options.quick else 7
            run = self.attempt(f"start-up, {peer.label}", run_startup, peer, times, self.work)
            if run:
                self.results.startups.append(run)

    def truth(self, _target: Target) -> None:
        tools = [peer for peer in self.peers if peer.key in ("locust-http", "ours-http")]
        with delay_server(self.options.ours, self.folder) as server:
            self.results.truth_server = server.name
            for users in self.options.truth_users:
                for peer in tools:
                    seconds = self.options.truth_seconds
                    what = f"truth, {users} users, {peer.label}"
                    run = self.attempt(what, run_truth, peer, server, users, seconds, self.work)
                    if run:
                        self.results.truths.append(run)

    def run(self) -> None:
        """All parts asked for. Ctrl-C ends the run, not the report."""
        core = (os.cpu_count() or 1) - 1 if self.options.pin else None
        try:
            with Target(self.folder / "nginx", core) as target:
                if core:
                    os.sched_setaffinity(0, range(core))
                for part in self.options.parts:
                    self.attempt(f"part: {part}", getattr(self, part), target)
        except KeyboardInterrupt:
            self.results.missing.append("all that was to come: interrupted")


def shown(peer: Peer) -> str:
    """Its path from the project's folder, if it lies in there."""
    path = Path(peer.executable)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else peer.executable


def raise_file_limit() -> None:
    """For the children: a connection is a file, and the soft limit is often 1024."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> int:
    options = arguments()
    for tool in ("nginx", "openssl"):
        if shutil.which(tool) is None:
            print(f"`{tool}` is missing: `apt-get install nginx wrk openssl`", file=sys.stderr)
            return 2
    raise_file_limit()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(options, Path(folder))
        bench.run()
    print(report(bench.results, bench.asked))
    if options.json:
        document = bench.results.as_json() | {"verdicts": verdicts_as_json(bench.results)}
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    return 1 if bench.results.missing else 0


if __name__ == "__main__":
    sys.exit(main())
