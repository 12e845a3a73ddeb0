"""A few rounds of faults, with seeds that are known to hold. `make chaos` plays hundreds."""

from __future__ import annotations

import pytest

from .rounds import fleet, play

SEEDS = (1, 2, 3)


@pytest.mark.timeout(300)
def test_rounds_of_faults_lose_and_double_nothing() -> None:
    with fleet(workers=2) as made:
        for seed in SEEDS:
            play(made, seed)
