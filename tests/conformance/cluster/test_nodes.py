"""One node at a time, before others that a case scripts: Locust's and ours say and do the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ..harness import Side, raised, same_seen
from ..listing import cases
from ..probing import areas, codes, module
from . import cases as package
from .asking import master_running, worker_running
from .differences import DIFFERENT
from .ending import Alone

Case = Callable[[Any], None]
Seen = dict[str, list[dict[str, Any]]]

KINDS = {"worker": worker_running, "master": master_running}

AT_ONCE = 4
"""Areas that are asked at the same time: they wait more than they work."""


def cases_of(area: str) -> dict[str, Case]:
    return codes(package, area, "worker", "master", "alone")


CASES = [name for area in areas(package) for name in cases_of(area)]


@pytest.fixture(scope="module")
def answers(
    request: pytest.FixtureRequest, sides: tuple[Side, Side], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], list[Seen]]]:
    """What all cases of an area saw, here and on Locust. Areas that will be needed are asked before that."""
    names = [item.callspec.params["case"] for item in request.session.items if hasattr(item, "callspec")
             and "case" in item.callspec.params and item.module is request.module]  # fmt: skip
    with ThreadPoolExecutor(AT_ONCE) as threads:
        asking: dict[str, Future[list[Seen]]] = {}
        for name in names:
            area = name.partition(":")[0]
            if area not in asking:
                asking[area] = threads.submit(both, sides, area, tmp_path_factory.mktemp(area))
        yield lambda area: asking[area].result()
        for each in asking.values():
            each.cancel()


def both(sides: tuple[Side, Side], area: str, folder: Path) -> list[Seen]:
    with ThreadPoolExecutor() as threads:
        return list(threads.map(lambda side: asked(side, area, folder / side.name), sides))


def asked(side: Side, area: str, folder: Path) -> Seen:
    """One process and all cases of the area after one another, unless each has processes of its own."""
    code = cases_of(area)
    kind = next(iter(inspect.signature(next(iter(code.values()))).parameters))
    if kind == "alone":
        with ThreadPoolExecutor(2) as threads:
            given = [Alone(side, folder / str(at)) for at in range(len(code))]
            return dict(zip(code, threads.map(_asked_alone, given, code.values()), strict=True))
    try:
        with KINDS[kind](side, module(package, area), folder) as node:
            found = {}
            for name, case in code.items():
                found[name] = _asked(node, case)
            return found
    except Exception as error:
        return {name: [raised(error)] for name in code}


def _asked(node: Any, case: Case) -> list[dict[str, Any]]:
    node.seen = []
    try:
        node.fresh()
        seen = node.seen
        case(node)
    except Exception as error:
        seen = [*node.seen, raised(error)]
    return seen


def _asked_alone(alone: Alone, case: Case) -> list[dict[str, Any]]:
    try:
        case(alone)
    except Exception as error:
        alone.seen.append(raised(error))
    finally:
        alone.close()
    return alone.seen


@pytest.mark.parametrize("case", list(cases(CASES, DIFFERENT)))
def test_case(answers: Callable[[str], list[Seen]], case: str) -> None:
    ours, theirs = (found[case] for found in answers(case.partition(":")[0]))
    same_seen(theirs, ours)


def test_every_difference_is_of_a_case_that_there_is() -> None:
    assert set(DIFFERENT) <= set(CASES)
