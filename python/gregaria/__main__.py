"""The commands' entry points. What needs no test run (a version, help, a mistake) is answered without gevent."""

from __future__ import annotations

import importlib.util
import platform
import signal
import sys
from pathlib import Path

from gregaria import _engine, _open_files

_USAGE = """usage: gregaria target [OPTIONS]
       gregaria compare [OPTIONS] BASE NEW

commands:
  target    run a web server to test against (`gregaria target --help` tells more)
  compare   say what changed between two runs (`gregaria compare --help` tells more)
"""


def locust() -> int:
    """Run the `locust` command and return its exit code."""
    arguments = sys.argv[1:]
    try:
        first = _engine.first_pass(arguments)
    except _engine.UsageError as error:
        sys.stderr.write(f"locust: error: {error}\n")
        return error.code
    if first["version"]:
        print(version_line())
        return 0
    if first["help"]:
        _show_help(first["locustfile"])
        return 0
    from locust.main import main

    main()


def _show_help(locustfile: str | None) -> None:
    """At once, unless a plugin or a locustfile that is named may have options of its own."""
    if locustfile is None and importlib.util.find_spec("locust_plugins") is None:
        print(_engine.help_text(), end="")
        return
    from gregaria import _starting

    _starting.show_whole_help(locustfile)


def version_line() -> str:
    """What `locust --version` prints."""
    package = Path(__file__).resolve().parent.parent / "locust"
    return f"locust {_engine.locust_version()} from {package} (Python {platform.python_version()})"


def gregaria() -> int:
    """Run the command `gregaria`: what Locust has no word for."""
    match sys.argv[1:]:
        case ["target", *arguments]:
            return _target(arguments)
        case ["compare", *arguments]:
            return _engine.run_compare(arguments)
        case ["--help" | "-h"]:
            print(_USAGE, end="")
            return 0
        case []:
            print(_USAGE, end="", file=sys.stderr)
            return 2
        case [word, *_]:
            print(f"gregaria: `{word}` is no command; see `gregaria --help`", file=sys.stderr)
            return 2
    raise AssertionError("every command line is one of the above")


def _target(arguments: list[str]) -> int:
    _open_files.allow_most()
    # Ctrl-C is the engine's to handle; it would call a handler of Python's as well, and that raises KeyboardInterrupt.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _engine.run_target(arguments)


if __name__ == "__main__":
    sys.exit(gregaria())
