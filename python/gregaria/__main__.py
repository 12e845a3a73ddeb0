"""The commands' entry. What needs no test run (a version, help, a mistake) is answered without gevent."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from gregaria import _engine


def locust() -> int:
    """Run the `locust` command and return its exit code."""
    arguments = sys.argv[1:]
    try:
        first = _engine.first_pass(arguments)
    except _engine.UsageError as error:
        sys.stderr.write(f"locust: error: {error}\n")
        return error.code
    if first["version"]:
        package = Path(__file__).resolve().parent.parent / "locust"
        print(f"locust {_engine.locust_version()} from {package} (Python {platform.python_version()})")
        return 0
    if first["help"]:
        print(_engine.help_text(), end="")
        return 0
    from locust.main import main

    return main(arguments)


if __name__ == "__main__":
    sys.exit(locust())
