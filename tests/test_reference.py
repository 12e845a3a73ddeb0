"""The reference of the Python API, as `make docs` writes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pdoc", reason="pdoc is not installed: it comes with the extra `test`")

SCRIPT = Path(__file__).resolve().parents[1] / "docs" / "reference.py"


def test_the_reference_is_written_without_a_complaint(tmp_path: Path) -> None:
    """Types that can be read, all modules, and the words of a docstring at their place."""
    done = subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    for page in ("locust", "locust/env", "locust/runners", "locust/stats", "locust/clients", "locust/argument_parser"):
        assert (tmp_path / f"{page}.html").is_file(), page
    assert "Run one user in this greenlet" in (tmp_path / "locust" / "debug.html").read_text()
