"""Statistics and dispatch against Locust itself, where an environment with Locust is at hand.

`GREGARIA_ORACLE` names its Python; `.oracle/bin/python` is the default.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ORACLE = os.environ.get("GREGARIA_ORACLE", str(HERE.parent / ".oracle/bin/python"))

needs_oracle = pytest.mark.skipif(not Path(ORACLE).exists(), reason="no environment with Locust")


def output_of(python: str, script: str, *arguments: str) -> list[str]:
    command = [python, "-P", str(HERE / "conformance" / script), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()


@needs_oracle
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_users_are_distributed_as_locust_distributes_them(seed: str) -> None:
    assert output_of(sys.executable, "dispatch_sequences.py", seed) == output_of(ORACLE, "dispatch_sequences.py", seed)


@needs_oracle
def test_tables_read_as_locusts() -> None:
    assert output_of(sys.executable, "stats_tables.py") == output_of(ORACLE, "stats_tables.py")
