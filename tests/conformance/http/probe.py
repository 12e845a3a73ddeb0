"""What a probe is: a function that does one thing with a client, as a task would.

Its parameters say what it needs:

- `client`, `user`: a new user's client, and that user; `another(user, host=…)`: one of a class with other attributes;
- `say`: prints its arguments into the comparison;
- `target`: the server, to program answers (`target.respond("/x", status=302, headers={"location": "/y"})`);
- `host`, `tls`: the target's addresses; `other`: the small server's (`servers.py`), another origin and a proxy;
- `folder`: an empty folder of this run; `locust`: the module (pytest must not import it, so no probe does above);
- `value`: that of `@both.each(…)`, which makes a probe of each value.

What is compared needs no `say`: the requests as they arrived, what `request` listeners were told, the statistics, and
what the probe raised.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..probing import Code, areas, call, id_of, module

CLIENTS = ("HttpUser", "FastHttpUser")


@dataclass(frozen=True)
class Probe:
    client: str
    name: str
    """`area: name`, the same for both clients."""
    code: Code
    value: Any = None

    @property
    def id(self) -> str:
        return f"{self.client} {self.name}"

    def __call__(self, given: dict[str, Any]) -> None:
        call(self.code, {**given, "value": self.value})


_found: dict[str, Probe] = {}


class Asked:
    """A decorator: the function is a probe for these clients."""

    def __init__(self, *clients: str) -> None:
        self.clients = clients

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
        for client in self.clients:
            probe = Probe(client, id_of(code, *value), code, *value)
            assert probe.id not in _found, f"two probes are called `{probe.id}`"
            _found[probe.id] = probe


http = Asked("HttpUser")
fast = Asked("FastHttpUser")
both = Asked(*CLIENTS)


def probes(client: str) -> list[Probe]:
    """All probes for a client, in the order of the files."""
    from . import probes as package

    for area in areas(package):
        module(package, area)
    return [probe for probe in _found.values() if probe.client == client]


def main() -> None:
    """Print the names of all probes. As a module of its package, so that the probes register there."""
    from conformance.http.probe import CLIENTS, probes

    print(json.dumps([probe.id for client in CLIENTS for probe in probes(client)]))


if __name__ == "__main__":
    main()
