"""Every public name at the module path where Locust has it, of the kind and with the signature that it has there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from .harness import ORACLE
from .names.differences import DIFFERENT

SCRIPT = Path(__file__).parent / "names" / "describe.py"

Description = dict[str, Any]


@cache
def described(python: str) -> dict[str, Description | None]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")}
    if python != sys.executable:
        kept.pop("PYTHONPATH", None)
    told = subprocess.run([python, str(SCRIPT)], check=True, stdout=subprocess.PIPE, text=True, env=kept)
    found: dict[str, Description | None] = json.loads(told.stdout)
    return found


def cases() -> list[str]:
    """Locust's modules, and the classes that each defines, are the cases: nobody has to keep a list of them."""
    if not ORACLE:
        return []
    return [case for module in described(ORACLE) for case in (module, *_classes(module))]


def _classes(module: str) -> Iterator[str]:
    own = _own(ORACLE or "", module)
    return (f"{module}.{name}" for name, what in own.items() if what["kind"] == "class" and what["home"] == module)


def _own(python: str, module: str) -> dict[str, Description]:
    """What a module has of its own, or takes from others of its package; nothing if it cannot be imported."""
    return (described(python).get(module) or {"own": {}})["own"]


@pytest.mark.parametrize("case", cases())
def test_names_of(case: str) -> None:
    unexpected = {name: what for name, what in differences(case).items() if _reason(name) is None}
    assert not unexpected, "\n".join(f"{name}: {what}" for name, what in unexpected.items())


@pytest.mark.skipif(not ORACLE, reason="GREGARIA_ORACLE does not name a Python with Locust")
def test_every_reason_is_of_a_difference() -> None:
    found = {_reason(name) for case in cases() for name in differences(case)}
    assert set(DIFFERENT) <= found, sorted(set(DIFFERENT) - found)


def _reason(name: str) -> str | None:
    """The entry that explains a difference: of the name itself, or of the class or module that it is in."""
    while name not in DIFFERENT and "." in name:
        name = name.rpartition(".")[0]
    return name if name in DIFFERENT else None


def differences(case: str) -> dict[str, str]:
    if case in described(ORACLE or ""):
        return dict(_of_module(case))
    module, _, name = case.rpartition(".")
    theirs, ours = _own(ORACLE or "", module)[name], _own(sys.executable, module).get(name)
    # What is missing, or is no class, is told of the module.
    return dict(_of_class(case, theirs, ours)) if ours and "members" in ours else {}


def _of_module(module: str) -> Iterator[tuple[str, str]]:
    if module not in described(sys.executable):
        yield module, "missing"
        return
    theirs, ours = _own(ORACLE or "", module), _own(sys.executable, module)
    if not ours or not theirs:
        # An extra is not installed on one of the sides.
        return
    for name, what in theirs.items():
        if name not in ours:
            yield f"{module}.{name}", f"missing, is {what}"
        else:
            yield from _of_parts(f"{module}.{name}", what, ours[name], ("kind", "home", "signature", "value"))
    has = described(ORACLE or "")[module] or {}
    for name, what in ours.items():
        if name not in has["names"] and what.get("home") == module and not what["borrowed"]:
            yield f"{module}.{name}", f"Locust has no such {what['kind']}"


def _of_class(name: str, theirs: Description, ours: Description) -> Iterator[tuple[str, str]]:
    yield from _of_parts(name, theirs, ours, ("name", "metaclass"))
    yield from _of_parts(f"{name}.__init__", theirs, ours, ("parameters",))
    if missing := set(theirs["bases"]) - set(ours["bases"]):
        yield f"{name}.__mro__", f"lacks {sorted(missing)}"
    has = {*ours["names"], *ours["attributes"], *ours["annotated"]}
    for member in sorted({*theirs["names"], *theirs["attributes"], *theirs["annotated"]} - has):
        yield f"{name}.{member}", f"missing, is {theirs['members'].get(member, 'an attribute of instances')}"
    for member, what in theirs["members"].items():
        if member in ours["members"]:
            yield from _of_member(f"{name}.{member}", what, ours["members"][member])
    has = {*theirs["names"], *theirs["attributes"], *theirs["annotated"]}
    for member in sorted({*ours["names"], *ours["attributes"]} - has):
        if not member.startswith("__"):
            yield f"{name}.{member}", f"Locust has none, ours is {ours['members'].get(member, 'an attribute')}"


def _of_member(name: str, theirs: Description, ours: Description) -> Iterator[tuple[str, str]]:
    """A value of the class may be a property with us: it is one of the instance all the same."""
    if {theirs["kind"], ours["kind"]} != {"value", "property"}:
        yield from _of_parts(name, theirs, ours, ("kind", "signature", "value", "name"))


def _of_parts(name: str, theirs: Description, ours: Description, parts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for part in parts:
        untold = part == "signature" and ours.get(part) is None
        if theirs.get(part) != ours.get(part) and not untold:
            yield name, f"{part} is {theirs.get(part)}, ours is {ours.get(part)}"
