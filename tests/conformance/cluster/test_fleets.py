"""A fleet of any mixture does what Locust's does: one master and two workers live through all runs of a file."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ..harness import Side, raised, same_seen
from ..probing import areas, codes
from . import runs as package
from .differences import DIFFERENT_RUNS
from .fleet import FLEETS, ORACLE, Fleet, Kind, gathered, pythons
from .whole import Whole

Seen = dict[str, list[dict[str, Any]]]

AT_ONCE = 4
"""Fleets: they wait more than they work."""


def runs_of(area: str) -> dict[str, Callable[[Any], None]]:
    return codes(package, area, "fleet", "whole")


RUNS = [name for area in areas(package) for name in runs_of(area)]
CASES = [
    pytest.param(kind, run, id=f"{kind.name}: {run}", marks=marks)
    for area in areas(package)
    for kind in FLEETS
    for run in runs_of(area)
    for reason in [DIFFERENT_RUNS.get((kind.name, run))]
    for marks in [[pytest.mark.xfail(strict=True, reason=reason)] if reason else []]
]


@pytest.fixture(scope="module")
def answers(
    request: pytest.FixtureRequest, sides: tuple[Side, Side], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Kind, str], Seen]]:
    """What a fleet saw in the runs of an area. Fleets that will be needed are asked before that."""
    wanted: dict[tuple[Kind, str], None] = {}
    for item in request.session.items:
        given = item.callspec.params if hasattr(item, "callspec") else {}
        if item.module is request.module and "run" in given:
            area = given["run"].partition(":")[0]
            wanted |= {(ORACLE, area): None, (given["kind"], area): None}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        asking: dict[tuple[Kind, str], Future[Seen]] = {
            each: threads.submit(asked, sides, *each, tmp_path_factory.mktemp("fleet")) for each in wanted
        }
        yield lambda kind, area: asking[kind, area].result()
        for each in asking.values():
            each.cancel()


def asked(sides: tuple[Side, Side], kind: Kind, area: str, folder: Path) -> Seen:
    runs = runs_of(area)
    try:
        if "whole" in inspect.signature(next(iter(runs.values()))).parameters:
            return {name: _asked_alone(sides, kind, run, folder / run.__name__) for name, run in runs.items()}
        with gathered(sides, kind, folder) as fleet:
            return {name: _asked(fleet, run) for name, run in runs.items()}
    except Exception as error:
        return {name: [raised(error)] for name in runs}


def _asked(fleet: Fleet, run: Callable[[Fleet], None]) -> list[dict[str, Any]]:
    fleet.seen = []
    try:
        fleet.fresh()
        run(fleet)
    except Exception as error:
        fleet.seen.append(raised(error))
    return fleet.seen


def _asked_alone(
    sides: tuple[Side, Side], kind: Kind, run: Callable[[Any], None], folder: Path
) -> list[dict[str, Any]]:
    with pythons(sides, folder) as (python, where):
        whole = Whole(python, kind, folder, where)
        try:
            run(whole)
        except Exception as error:
            whole.seen.append(raised(error))
        finally:
            whole.close()
        return whole.seen


@pytest.mark.parametrize(("kind", "run"), CASES)
def test_run(answers: Callable[[Kind, str], Seen], kind: Kind, run: str) -> None:
    area = run.partition(":")[0]
    theirs, ours = answers(ORACLE, area)[run], answers(kind, area)[run]
    same_seen(theirs, ours)


def test_every_difference_is_of_a_run_that_there_is() -> None:
    assert set(DIFFERENT_RUNS) <= {(kind.name, run) for kind in FLEETS for run in RUNS}
