"""Cases that end otherwise here, and why. Each has a row in `docs/compatibility.md`."""

from __future__ import annotations

DIFFERENT: dict[str, str] = {}
