"""Fleets of real nodes want the machine for themselves: they are asked by `make cluster`, which sets the variable."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("GREGARIA_FLEETS") else ["test_*.py"]
