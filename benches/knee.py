"""Is the knee found where it is? Ramps against `gregaria target`, whose capacity is set and known.

    python benches/knee.py [--seeds 10] [--slots 1 2 4]

Service times are log-normal (median 12 ms, spread 0.4, so 13.0 ms in the mean) in so many slots; users think for
150 ms. So the target can do `slots / 13.0 ms`, and the asymptotes meet at `slots * (13.0 + 150) / 13.0` users. The
target without a limit must show no knee.
"""

from __future__ import annotations

import argparse
import math
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVICE = 12.0 * math.exp(0.4**2 / 2)
THINK = 150.0

LOCUSTFILE = """
import json, urllib.request
from locust import FastHttpUser, constant, events, task
headers = {}
@events.test_start.add_listener
def log_in(environment, **_):
    body = json.dumps({"user": "a", "password": "secret"}).encode()
    with urllib.request.urlopen(urllib.request.Request(environment.host + "/login", body)) as response:
        headers["Authorization"] = "Bearer " + json.load(response)["access"]
class Customer(FastHttpUser):
    wait_time = constant(0.15)
    @task
    def orders(self): self.client.get("/api/orders", headers=headers)
"""


def knee(slots: int, seed: int, most_users: int, seconds: int, folder: Path) -> tuple[float, float] | str:
    """Ramp up to `most_users`; users and requests per second at the knee, or what is said instead."""
    ready = folder / f"ready-{slots}-{seed}"
    start = [sys.executable, "-m", "gregaria", "target", "--port", "0", "--ready-file", str(ready)]
    with subprocess.Popen([*start, "--capacity", str(slots), "--seed", str(seed)], stdout=subprocess.DEVNULL) as target:
        try:
            while not (ready.exists() and ready.read_text()):
                time.sleep(0.05)
            host = f"http://127.0.0.1:{int(ready.read_text())}"
            rate = str(most_users / (seconds * 0.8))
            options = [
                "--headless",
                "--only-summary",
                "-u",
                str(most_users),
                "-r",
                rate,
                "-t",
                str(seconds),
                "-H",
                host,
            ]
            locust = [sys.executable, "-m", "locust", "-f", str(folder / "ramp.py"), *options]
            said = subprocess.run(locust, capture_output=True, text=True, check=False, timeout=seconds + 60).stderr
        finally:
            target.terminate()
    words = " ".join(said.partition("In words")[2].split()) or said
    found = re.search(r"The knee was at (\d+) users and ([\d.]+)/s", words)
    return (float(found[1]), float(found[2])) if found else words


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--slots", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--seconds", type=int, default=24)
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ramp.py").write_text(LOCUSTFILE)
        for slots in options.slots:
            users, rps = slots * (SERVICE + THINK) / SERVICE, slots / SERVICE * 1000
            worst = [0.0, 0.0]
            for seed in range(1, options.seeds + 1):
                found = knee(slots, seed, round(2 * users), options.seconds, folder)
                if isinstance(found, str):
                    wrong += 1
                    print(f"{slots} slots, seed {seed}: NONE FOUND. {found}", flush=True)
                    continue
                off = [found[0] / users - 1, found[1] / rps - 1]
                wrong += any(abs(part) > 0.15 for part in off)
                worst = [max(worst[i], abs(off[i])) for i in (0, 1)]
                print(
                    f"{slots} slots, seed {seed}: {found[0]:.0f} users of {users:.0f} ({off[0]:+.1%}), "
                    f"{found[1]:.0f}/s of {rps:.0f}/s ({off[1]:+.1%})",
                    flush=True,
                )
            print(f"{slots} slots: worst {worst[0]:.1%} of the users, {worst[1]:.1%} of the throughput", flush=True)
        for seed in range(1, options.seeds + 1):
            found = knee(0, seed, 60, options.seconds // 2, folder)
            wrong += not isinstance(found, str)
            print(f"no limit, seed {seed}: {'none claimed' if isinstance(found, str) else found}", flush=True)
    print("wrong:", wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
