"""Which probes' answers differ, and why. What is kept on purpose is in `docs/compatibility.md`, too.

Such a probe is expected to fail, and the tests say so when it no longer does.
"""

from __future__ import annotations

REASONS: dict[str, list[str]] = {}

DIFFERENT = {probe: reason for reason, probes in REASONS.items() for probe in probes}
