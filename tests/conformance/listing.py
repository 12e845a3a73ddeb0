"""The probes as test cases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]


def known(module: str) -> list[str]:
    """All probes, asked for in a process of its own: they import what must not be here before gevent's patches."""
    command = [sys.executable, "-m", f"conformance.{module}"]
    listed = subprocess.run(command, cwd=TESTS, check=True, stdout=subprocess.PIPE, text=True)
    found: list[str] = json.loads(listed.stdout)
    return found


def cases(known: Sequence[str], different: Mapping[str, str]) -> Iterator[Any]:
    """One for each; those that are known to differ are expected to fail, and it is told when they no longer do."""
    for probe in known:
        reason = different.get(probe)
        marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
        yield pytest.param(probe, marks=marks, id=probe)
