"""The demo: the shop of `gregaria target` in one process, a locustfile against it in another, and what came out."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready"
        with subprocess.Popen([BIN / "gregaria", "target", "--port", "0", "--ready-file", ready]) as target:
            try:
                host = f"http://127.0.0.1:{_port(ready, target)}"
                return _locust(host)
            finally:
                target.terminate()


def _port(ready: Path, target: subprocess.Popen[bytes]) -> int:
    while not ready.exists():
        if target.poll() is not None:
            raise SystemExit("demo: the target did not start")
        try:
            target.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
    return int(ready.read_text().split()[0])


def _locust(host: str) -> int:
    command = [BIN / "locust", "-f", ROOT / "locustfiles" / "checkout.py", "--headless", "--host", host]
    options = ["--users", "50", "--spawn-rate", "10", "--run-time", "15s", "--stop-timeout", "5s"]
    print("demo: 50 users shop for 15 seconds; the table is renewed every two", flush=True)
    return subprocess.call([*command, *options])


if __name__ == "__main__":
    sys.exit(main())
