"""Every case: status, headers that matter, bodies, and what it did inside."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ..harness import Side, raised, same_seen
from ..listing import cases
from ..probing import areas, codes, module
from . import cases as package
from .asking import Web, running
from .differences import DIFFERENT

Case = Callable[[Web], None]
Seen = dict[str, list[Any]]


def cases_of(area: str) -> dict[str, Case]:
    return codes(package, area, "web")


CASES = [name for area in areas(package) for name in cases_of(area)]


@pytest.fixture(scope="module")
def answers(sides: tuple[Side, Side], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Seen]]:
    """What all cases of an area saw, here and on Locust."""

    @cache
    def ask(area: str) -> Exception | list[Seen]:
        try:
            with ThreadPoolExecutor() as threads:
                return list(threads.map(lambda side: asked(side, area, tmp_path_factory.mktemp("web")), sides))
        except Exception as error:
            return error

    def answered(area: str) -> list[Seen]:
        found = ask(area)
        if isinstance(found, Exception):
            raise found
        return found

    return answered


def asked(side: Side, area: str, folder: Path) -> Seen:
    """One process, and all cases of the area after one another."""
    found: Seen = {}
    of = module(package, area)
    with running(side, of, folder) as web:
        for name, case in cases_of(area).items():
            web.seen = found[name] = []
            web.cookies = {}
            web.base = getattr(of, "BASE", "")
            try:
                web.inside("_again()")
                case(web)
            except Exception as error:
                web.seen.append(raised(error))
    return found


@pytest.mark.parametrize("case", list(cases(CASES, DIFFERENT)))
def test_case(answers: Callable[[str], list[Seen]], case: str) -> None:
    ours, theirs = (found[case] for found in answers(case.partition(":")[0]))
    same_seen(theirs, ours)


def test_every_difference_is_of_a_case_that_there_is() -> None:
    assert set(DIFFERENT) <= set(CASES)
