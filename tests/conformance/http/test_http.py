"""Every probe: what arrived at the server, what the task saw, what listeners and the statistics were told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from ..harness import Both, Side, same
from ..listing import TESTS, cases, known
from . import servers
from .differences import DIFFERENT, OTHER_WORDS

LOCUSTFILE = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
from conformance.http.asking import Asking
"""
COMPARED = ("raised", "said", "arrived", "elsewhere", "told", "statistics")

Answers = tuple[dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def answers(sides: tuple[Side, Side], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Answers]:
    """What all probes of a client answered, on Locust and here, in one run each."""
    found: dict[str, Answers] = {}

    def ask(client: str) -> Answers:
        if client not in found:
            found[client] = run(client, Both(sides, tmp_path_factory.mktemp("probes")))
        return found[client]

    return ask


def run(client: str, both: Both) -> Answers:
    with ExitStack() as stack:
        others = {side.name: stack.enter_context(servers.running()) for side in both.sides}
        pair = both(
            LOCUSTFILE,
            "--only-summary",
            "-L",
            "ERROR",
            environment=lambda side: {"CLIENT": client, "OTHER": others[side.name]},
        )
    theirs, ours = ({line["probe"]: line for line in run.json_lines()} for run in (pair.theirs, pair.ours))
    assert theirs, pair.theirs.stderr
    assert ours, pair.ours.stderr
    return theirs, ours


KNOWN = known("http.probe")


@pytest.mark.parametrize("probe", list(cases(KNOWN, DIFFERENT)))
def test_probe(answers: Callable[[str], Answers], probe: str) -> None:
    theirs, ours = answers(probe.partition(" ")[0])
    assert probe in theirs, "Locust did not come to this probe"
    assert probe in ours, "the run here did not come to this probe"
    see = without_words if probe in OTHER_WORDS else dict
    for part in COMPARED:
        same(part, see(theirs[probe])[part], see(ours[probe])[part])


def without_words(answer: dict[str, Any]) -> dict[str, Any]:
    """Of its exceptions only the classes."""
    rows = [[*told[:4], told[4] and told[4][0], *told[5:]] for told in answer["told"]]
    errors = [[*error[:2], error[2].partition("(")[0], error[3]] for error in answer["statistics"]["errors"]]
    raised = answer["raised"] and answer["raised"][0]
    return {**answer, "raised": raised, "told": rows, "statistics": {**answer["statistics"], "errors": errors}}


def test_every_difference_is_of_a_probe_that_there_is() -> None:
    assert set(DIFFERENT) | OTHER_WORDS <= set(KNOWN)
    assert not OTHER_WORDS & set(DIFFERENT)
