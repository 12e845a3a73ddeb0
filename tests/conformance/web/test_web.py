"""Every case: status, headers that matter, bodies, and what it did inside."""

from __future__ import annotations

import importlib
import inspect
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ..harness import Side, same
from ..listing import cases
from ..probing import areas
from . import cases as package
from .asking import Web, running
from .differences import DIFFERENT

Case = Callable[[Web], None]
Seen = dict[str, list[Any]]


def module(area: str) -> ModuleType:
    return importlib.import_module(f"{package.__name__}.{area}")


def cases_of(area: str) -> dict[str, Case]:
    """Those of an area by name, in the order of its file."""
    of = module(area)
    return {
        f"{area}: {name.replace('_', ' ')}": code
        for name, code in vars(of).items()
        if inspect.isfunction(code)
        and not name.startswith("_")
        and code.__module__ == of.__name__
        and list(inspect.signature(code).parameters) == ["web"]
    }


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
    with running(side, module(area), folder) as web:
        for name, case in cases_of(area).items():
            web.seen = found[name] = []
            web.cookies = {}
            web.base = getattr(module(area), "BASE", "")
            try:
                web.inside("_again()")
                case(web)
            except Exception as error:
                web.seen.append({"raised": "".join(traceback.format_exception(error)[-2:])})
    return found


@pytest.mark.parametrize("case", list(cases(CASES, DIFFERENT)))
def test_case(answers: Callable[[str], list[Seen]], case: str) -> None:
    ours, theirs = (found[case] for found in answers(case.partition(":")[0]))
    assert not any("raised" in each for each in theirs), theirs[-1]["raised"]
    assert theirs, "a case that asks nothing"
    for our, their in zip(ours, theirs, strict=False):
        same(str(next(iter(their.values()))), flat(their), flat(our))
    assert len(ours) == len(theirs), ours[len(theirs) :]


def test_every_difference_is_of_a_case_that_there_is() -> None:
    assert set(DIFFERENT) <= set(CASES)


def flat(value: Any, at: str = "") -> dict[str, Any]:
    """Every leaf by its path, with its type where JSON tells types apart."""
    if isinstance(value, dict) and value:
        return {name: leaf for key, item in value.items() for name, leaf in flat(item, f"{at}.{key}").items()}
    if isinstance(value, list) and value:
        return {name: leaf for at_, item in enumerate(value) for name, leaf in flat(item, f"{at}[{at_}]").items()}
    return {at: repr(value)}
