"""The clients: what they send, what a task sees of the response, what listeners are told."""

from __future__ import annotations

import pytest

from .harness import Both, same
from .probes import DIFFERENT, PROBES, locustfile


@pytest.fixture(scope="module")
def answers(sides, tmp_path_factory):
    """All probes of a client in one run on each side; what each of them answered."""
    found = {}

    def ask(user_class):
        if user_class not in found:
            both = Both(sides, tmp_path_factory.mktemp("probes"))
            pair = both(locustfile(user_class), "--only-summary", "-L", "ERROR")
            found[user_class] = [{line["probe"]: line for line in run.json_lines()} for run in (pair.theirs, pair.ours)]
        return found[user_class]

    return ask


def cases():
    for probe in PROBES:
        marks = [pytest.mark.xfail(strict=True, reason=DIFFERENT[probe])] if probe in DIFFERENT else []
        yield pytest.param(probe, marks=marks, id=probe)


@pytest.mark.parametrize("probe", list(cases()))
def test_probe(answers, probe):
    theirs, ours = answers(probe.split()[0])
    for part in ("raised", "said", "told"):
        same(part, theirs[probe][part], ours[probe][part])
