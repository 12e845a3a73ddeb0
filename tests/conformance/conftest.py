"""What the conformance tests are given: both sides, ready to run."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import ORACLE, Both, Side, target


@pytest.fixture(scope="session")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Side, Side]]:
    """Ours and Locust's; each has a target of its own, so that they can run at the same time and be counted apart."""
    if not ORACLE:
        pytest.skip("GREGARIA_ORACLE does not name a Python with Locust")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As in a shell's background: the runs would inherit it, and Ctrl-C could not end them.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = tmp_path_factory.mktemp("targets")
    with target(folder) as one, target(folder) as other:
        yield Side("ours", sys.executable, one), Side("oracle", ORACLE, other)


@pytest.fixture
def both(sides: tuple[Side, Side], tmp_path: Path) -> Both:
    return Both(sides, tmp_path)
