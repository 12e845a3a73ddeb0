"""Does `gregaria compare` tell real runs apart, and only those that differ?

    python benches/compare.py [--pairs 20] [--seconds 30]

Pairs of runs against `gregaria target`: equal ones, and ones in which one route of three takes a tenth longer in the
second run. Its answers are programmed (`/witness/routes`), so what differs is known.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import Request, urlopen

ROUTES = {"/orders": 30, "/cart": 20, "/feed": 40}
"""Delays in ms."""

LOCUSTFILE = """
import random
from locust import FastHttpUser, constant, task
class Customer(FastHttpUser):
    wait_time = constant(0.05)
    @task
    def page(self): self.client.get(random.choice(["/orders", "/cart", "/feed"]))
"""


def run(folder: Path, name: str, slow: str, seconds: int) -> Path:
    """Measure the routes, `slow` a tenth slower, and give the file."""
    ready = folder / f"ready-{name}"
    start = [sys.executable, "-m", "gregaria", "target", "--port", "0", "--ready-file", str(ready)]
    with subprocess.Popen(start, stdout=subprocess.DEVNULL) as target:
        try:
            while not (ready.exists() and ready.read_text()):
                time.sleep(0.05)
            host = f"http://127.0.0.1:{int(ready.read_text())}"
            for path, delay in ROUTES.items():
                route = {"path": path, "delay_ms": round(delay * (1.1 if path == slow else 1.0))}
                urlopen(Request(f"{host}/witness/routes", json.dumps(route).encode())).close()
            load = ["--headless", "-u", "15", "-r", "15", "-t", str(seconds), "-H", host, "--json-file", name]
            locust = [sys.executable, "-m", "locust", "-f", "pages.py", *load]
            subprocess.run(locust, cwd=folder, capture_output=True, check=True, timeout=seconds + 60)
        finally:
            target.terminate()
    return folder / f"{name}.json"


def worse(base: Path, new: Path) -> set[str]:
    """The entries of which a change is claimed."""
    command = [sys.executable, "-m", "gregaria", "compare", str(base), str(new), "--format", "json"]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    return {e["name"] for e in told["entries"] for c in e["changes"] if c["conclusion"] in ("worse", "better")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=30)
    options = parser.parse_args()
    false, found, others = 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pages.py").write_text(LOCUSTFILE)
        for pair in range(options.pairs):
            slow = list(ROUTES)[pair % len(ROUTES)]
            base = run(folder, f"base-{pair}", "", options.seconds)
            equal = worse(base, run(folder, f"equal-{pair}", "", options.seconds))
            different = worse(base, run(folder, f"slow-{pair}", slow, options.seconds))
            false += bool(equal)
            found += slow in different
            others += bool(different - {slow})
            print(f"pair {pair}: equal {sorted(equal)}, {slow} slower {sorted(different)}", flush=True)
    print(f"{options.pairs} pairs: a claim in {false} equal ones, {found} slowdowns found, {others} claims of others")
    return 0


if __name__ == "__main__":
    sys.exit(main())
