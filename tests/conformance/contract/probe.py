"""What a probe is: a function that does one thing, and the ways in which it is asked."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..probing import Code, areas, call, id_of, module


@dataclass(frozen=True)
class Probe:
    name: str
    """`area: name`."""
    code: Code
    value: Any = None

    @property
    def is_asked_twice(self) -> bool:
        """Whether it runs tasks, which there are two loops for."""
        return "run" in inspect.signature(self.code).parameters

    @property
    def ids(self) -> list[str]:
        return [self.name, overridden(self.name)] if self.is_asked_twice else [self.name]

    def __call__(self, given: dict[str, Any]) -> None:
        call(self.code, {**given, "value": self.value})


def overridden(name: str) -> str:
    """The probe's id when it is asked with the steps of the task loop overridden."""
    return f"{name} (overridden)"


_found: dict[str, Probe] = {}


class _Register:
    """The decorator."""

    def __call__(self, code: Code) -> Code:
        self._add(code)
        return code

    def each(self, *values: Any) -> Callable[[Code], Code]:
        def add(code: Code) -> Code:
            for value in values:
                self._add(code, value)
            return code

        return add

    def _add(self, code: Code, *value: Any) -> None:
        found = Probe(id_of(code, *value), code, *value)
        assert " at 0x" not in found.name, f"`{found.name}` is called otherwise in each process"
        assert found.name not in _found, f"two probes are called `{found.name}`"
        _found[found.name] = found


probe = _Register()


def probes(area: str) -> list[Probe]:
    """All probes of an area, in the order of its file."""
    from . import probes as package

    module(package, area)
    return [found for name, found in _found.items() if name.startswith(f"{area}: ")]


def main() -> None:
    """Print the ids of all probes. As a module of its package, so that the probes register there."""
    from conformance.contract import probes as package
    from conformance.contract.probe import probes

    print(json.dumps([id for area in areas(package) for found in probes(area) for id in found.ids]))


if __name__ == "__main__":
    main()
