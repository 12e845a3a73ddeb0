"""Which verdict watches the runs of an environment: the command makes one, and a web page where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from gregaria import _engine

if TYPE_CHECKING:
    from locust.env import Environment

_verdicts: WeakKeyDictionary[Environment, _engine.Verdict] = WeakKeyDictionary()


def register(environment: Environment, verdict: _engine.Verdict) -> None:
    """Tell this verdict from now on when a test of the environment begins and ends."""
    _verdicts[environment] = verdict


def of(environment: Environment) -> _engine.Verdict:
    """The environment's verdict, made if there is none: one that records nothing before the next test begins."""
    verdict = _verdicts.get(environment)
    # Who puts other statistics in the place of these begins anew.
    if verdict is None or not verdict.watches(environment.stats.table):
        verdict = _engine.Verdict(environment.stats.table, [str(check) for check in environment.checks], waits=True)
        _verdicts[environment] = verdict
    return verdict


def begun(environment: Environment) -> None:
    """A test begins: its statistics have been emptied."""
    if (verdict := _verdicts.get(environment)) is not None:
        verdict.begin_run(str(environment.profile) if environment.profile else None)


def ended(environment: Environment) -> None:
    """All users of a test have ended."""
    environment.stats.table.set_target_user_count(0)
    if (verdict := _verdicts.get(environment)) is not None:
        verdict.end_run()
