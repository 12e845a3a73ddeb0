"""Every case: exit code, what was printed and said, which files are left, and every option that Locust has."""

from __future__ import annotations

import importlib
import json
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ..harness import Side, environment_of, same
from ..listing import TESTS
from ..probing import areas
from . import cases as package
from .differences import DIFFERENT, REWORDED

DEADLINE = 100
"""Seconds for all cases of an area; pytest gives a test 120."""

Answers = dict[str, dict[str, Any]]
CASES = [
    f"{area}: {name}" for area in areas(package) for name in importlib.import_module(f"{package.__name__}.{area}").CASES
]


@pytest.fixture(scope="module")
def answers(sides: tuple[Side, Side], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Answers]]:
    """What all cases of an area came to, here and on Locust."""
    found: dict[str, list[Answers]] = {}

    def ask(area: str) -> list[Answers]:
        if area not in found:
            folder = tmp_path_factory.mktemp("cases")
            with ThreadPoolExecutor() as threads:
                found[area] = list(threads.map(lambda side: asked(side, area, folder), sides))
        return found[area]

    return ask


def asked(side: Side, area: str, folder: Path) -> Answers:
    command = [side.python, "-m", "conformance.cli.asking", area]
    environment = environment_of(side, folder)
    done = subprocess.run(command, cwd=TESTS, env=environment, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(line) for line in done.stdout.splitlines())


def params() -> Iterator[Any]:
    for case in CASES:
        reason = DIFFERENT.get(case)
        marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
        yield pytest.param(case, marks=marks, id=case)


@pytest.mark.parametrize("case", list(params()))
def test_case(answers: Callable[[str], list[Answers]], case: str) -> None:
    area, _, name = case.partition(": ")
    ours, theirs = (found[name] for found in answers(area))
    for part in ("exit_code", "files"):
        same(part, theirs[part], ours[part])
    assert theirs["exit_code"] != "hangs"
    options, locusts = (parsed_options(found["printed"]) for found in (ours, theirs))
    if locusts:
        same("options", locusts, {name: options.get(name) for name in locusts})
    else:
        same("printed", theirs["printed"], ours["printed"])
    if case in REWORDED:
        # What both must say of it, in whichever words.
        for found in (theirs, ours):
            assert REWORDED[case] in "\n".join(found["said"])
    else:
        same("said", theirs["said"], ours["said"])


def parsed_options(printed: list[str]) -> dict[str, Any]:
    if not printed or not printed[-1].startswith('{"options"'):
        return {}
    found: dict[str, Any] = json.loads(printed[-1])
    return {**found["options"], "the first pass's locustfile": found["locustfile"]}


def test_every_difference_is_of_a_case_that_there_is() -> None:
    assert set(DIFFERENT) | set(REWORDED) <= set(CASES)
