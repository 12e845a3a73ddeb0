"""Who is compared: how each generator is started, and up to how many users it makes sense."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LOCUSTFILES = HERE / "locustfiles"

# Every report that leaves a peer out says so, with this.
LOCUST_LIMIT = "users that never wait keep the others from starting; tried, {} of 10 000 were connected after 90 s"


@dataclass(frozen=True)
class Peer:
    """A generator as the bench sees it: a name, a command line, a limit."""

    key: str
    label: str
    executable: str
    arguments: Callable[[str, int], list[str]]
    most_users: int | None = None
    limit_reason: str = ""

    def command(self, url: str, users: int) -> list[str]:
        return [self.executable, *self.arguments(url, users)]

    def too_many(self, users: int) -> bool:
        return self.most_users is not None and users > self.most_users

    def missing(self) -> bool:
        return shutil.which(self.executable) is None


def wrk_arguments(url: str, users: int) -> list[str]:
    """One thread: the target has one worker, and a second thread would only add wake-ups."""
    return ["-t", "1", "-c", str(users), "-d", "3600s", "--timeout", "60s", url + "/"]


def k6_arguments(url: str, users: int) -> list[str]:
    quiet = ["--quiet", "--no-summary", "--address", ""]
    return ["run", *quiet, "--vus", str(users), "--duration", "3600s", "-e", f"TARGET={url}", str(HERE / "script.js")]


def locust_arguments(locustfile: Path, url: str, users: int) -> list[str]:
    swarm = ["-u", str(users), "-r", str(users), "-H", url]
    return ["-f", str(locustfile), "--headless", "--only-summary", *swarm]


def http_user_arguments(url: str, users: int) -> list[str]:
    name = "https_user.py" if url.startswith("https") else "http_user.py"
    return locust_arguments(LOCUSTFILES / name, url, users)


def fast_http_user_arguments(url: str, users: int) -> list[str]:
    return locust_arguments(LOCUSTFILES / "fast_http_user.py", url, users)


def all_peers(ours: str, oracle: str, k6: str) -> list[Peer]:
    """In the order in which they run. The first is the physical limit; ours stand last."""
    return [
        Peer("wrk", "wrk", "wrk", wrk_arguments),
        Peer("k6", "k6", k6, k6_arguments),
        Peer("locust-http", "Locust HttpUser", oracle, http_user_arguments, 1000, LOCUST_LIMIT.format("2700")),
        Peer("locust-fast", "Locust FastHttpUser", oracle, fast_http_user_arguments, 1000, LOCUST_LIMIT.format("1100")),
        Peer("ours-http", "ours HttpUser", ours, http_user_arguments),
        Peer("ours-fast", "ours FastHttpUser", ours, fast_http_user_arguments),
    ]


def locusts(peers: list[Peer]) -> list[Peer]:
    """Those that run locustfiles."""
    return [peer for peer in peers if peer.key.startswith(("locust-", "ours-"))]


def idle_locustfile(peer: Peer) -> Path:
    return LOCUSTFILES / ("idle_http_user.py" if peer.key.endswith("-http") else "idle_fast_http_user.py")


def version_of(peer: Peer) -> str:
    """The first line of what it calls its version; wrk says it on a failing `-v`."""
    flag = {"wrk": "-v", "k6": "version"}.get(peer.key, "--version")
    answer = subprocess.run([peer.executable, flag], capture_output=True, text=True, timeout=60)
    line = (answer.stdout or answer.stderr or f"{peer.label} of unknown version").strip().splitlines()[0]
    return line.partition(" from ")[0].partition(" Copyright")[0]
