"""Where response times went: of one response, and of all requests of an entry of the statistics.

A call is in exactly one phase at any moment, so its phases add up to its response time. Several requests (redirects, or
a second try on a new connection because the server had closed the old one) are summed; of a request that failed, the
time up to the failure counts where it happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PHASES = ("look_up", "connect", "tls", "sending", "waiting", "receiving")
"""The phases in the order in which a request goes through them."""


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of one response went, in milliseconds: `response.timings`."""

    look_up: float
    """Asking for the host's addresses. 0, as the next two, when a kept-alive connection was used."""
    connect: float
    """Opening a TCP connection, with every address that was tried."""
    tls: float
    """The TLS handshake."""
    sending: float
    """Up to the moment when the system had taken the whole request."""
    waiting: float
    """From then up to the first byte of the response: what the server takes, and the way there and back."""
    receiving: float
    """From then up to the last byte of the response, decoded."""
    total: float
    """The sum of these: the response time."""
    connections_opened: int
    """Requests for which a connection was opened. More than one is possible with redirects."""
    connections_reused: int
    """Requests that were sent on a connection kept alive."""

    @property
    def reused(self) -> bool:
        """Whether no connection had to be opened."""
        return self.connections_reused > 0 and self.connections_opened == 0

    @classmethod
    def of(cls, figures: tuple[float, float, float, float, float, float, float, int, int] | None) -> Timings | None:
        """The timings of a response, from the engine's figures in seconds."""
        return None if figures is None else cls(*figures)


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of many requests. Times in milliseconds."""

    average: float
    maximum: float
    share: float
    """Of the response time of these requests, 0…1."""


@dataclass(frozen=True, slots=True)
class Phases:
    """Where the time of an entry's requests went: `environment.stats.total.phases`.

    Requests that did not go through the engine's clients have no phases and are not counted here.
    """

    requests: int
    """How many requests are averaged over: each is one call, whatever it was redirected to."""
    look_up: Phase
    connect: Phase
    tls: Phase
    sending: Phase
    waiting: Phase
    receiving: Phase
    connections_opened: int
    connections_reused: int

    def __iter__(self) -> Iterator[tuple[str, Phase]]:
        """The phases and their names, in their order."""
        return ((name, getattr(self, name)) for name in PHASES)

    @classmethod
    def of(cls, figures: tuple[int, list[tuple[float, float, float]], int, int]) -> Phases:
        """The phases of an entry, from the engine's figures in seconds."""
        requests, phases, opened, reused = figures
        look_up, connect, tls, sending, waiting, receiving = (Phase(*phase) for phase in phases)
        return cls(requests, look_up, connect, tls, sending, waiting, receiving, opened, reused)
