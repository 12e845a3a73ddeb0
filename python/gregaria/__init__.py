"""gregaria runs Locust's locustfiles on a Rust engine.

Locustfiles import `locust`. Here is what Locust has no word for; importing it patches nothing and starts nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gregaria.feeder import Feeder, FeederEmpty, FeederError

__all__ = ["Feeder", "FeederEmpty", "FeederError"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from gregaria import feeder

        return getattr(feeder, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
