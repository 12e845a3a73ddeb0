"""The runner under everything that can happen to it at once: see `races.py`.

`RACES_SECONDS` says for how long (20 by default), `RACES_SEED` which steps: numbers, or `any`.
What follows from a seed is what is done, not how it interleaves.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

RACES = Path(__file__).with_name("races.py")
SECONDS = float(os.environ.get("RACES_SECONDS", "20"))


@pytest.mark.timeout(SECONDS + 200)
def test_nobody_is_lost_nothing_hangs_and_the_counts_are_true(target):
    given = os.environ.get("RACES_SEED", "7101 7203")
    seeds = [random.randrange(10**6)] if given == "any" else [int(seed) for seed in given.split()]
    for seed in seeds:
        done = subprocess.run(
            [
                sys.executable,
                str(RACES),
                target.url,
                str(seed),
                str(SECONDS / len(seeds)),
            ],
            capture_output=True,
            text=True,
            timeout=SECONDS + 80,
        )
        assert done.returncode == 0, done.stderr
        assert f'"seed": {seed}' in done.stdout
