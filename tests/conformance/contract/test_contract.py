"""Every probe: what it saw, and what was logged, counted and left behind."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ..harness import Side, environment_of, same
from ..listing import TESTS, cases, known
from .differences import DIFFERENT

COMPARED = ("raised", "said", "log", "warnings", "unhandled", "environments")

DEADLINE = 100
"""Seconds for all probes of an area; pytest gives a test 120."""

Answers = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def answers(sides: tuple[Side, Side], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Answers]]:
    """What all probes of an area answered, here and on Locust."""
    found: dict[str, list[Answers]] = {}

    def ask(area: str) -> list[Answers]:
        if area not in found:
            folder = tmp_path_factory.mktemp("probes")
            with ThreadPoolExecutor() as threads:
                found[area] = list(threads.map(lambda side: asked(side, area, folder), sides))
        return found[area]

    return ask


def asked(side: Side, area: str, folder: Path) -> Answers:
    command = [side.python, "-m", "conformance.contract.asking", area]
    with (folder / side.name).open("w+") as errors, (folder / f"{side.name}.answers").open("w+") as printed:
        environment = environment_of(side, folder)
        # What was answered until then counts: it is the next probe that stops the others.
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(command, cwd=TESTS, env=environment, stdout=printed, stderr=errors, timeout=DEADLINE)
        for file in (errors, printed):
            file.seek(0)
        lines = [line.split("\t", 1) for line in printed if line.startswith('{"probe": ')]
        assert lines, errors.read()
    return {json.loads(name)["probe"]: json.loads(answer) for name, answer in lines}


KNOWN = known("contract.probe")


@pytest.mark.parametrize("probe", list(cases(KNOWN, DIFFERENT)))
def test_probe(answers: Callable[[str], list[Answers]], probe: str) -> None:
    ours, theirs = answers(probe.partition(":")[0])
    for side, found in (("Locust", theirs), ("here", ours)):
        if probe not in found:
            pytest.fail(f"the process ended, or hung, before this probe ({side})")
        if found[probe]["hangs"]:
            pytest.fail(f"hangs ({side})")
    for part in COMPARED:
        same(part, theirs[probe][part], ours[probe][part])


def test_every_difference_is_of_a_probe_that_there_is() -> None:
    assert set(DIFFERENT) <= set(KNOWN)
