"""The commands' entry points."""

from __future__ import annotations

import signal
import sys

_USAGE = """usage: gregaria target [OPTIONS]

commands:
  target    run a web server to test against (`gregaria target --help` tells more)
"""


def gregaria() -> int:
    """Run the command `gregaria`: what Locust has no word for."""
    match sys.argv[1:]:
        case ["target", *arguments]:
            return _target(arguments)
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
    from gregaria._engine import run_target

    _allow_many_connections()
    # Ctrl-C is the engine's to handle; it would call a handler of Python's as well, and that raises KeyboardInterrupt.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run_target(arguments)


def _allow_many_connections() -> None:
    """Raise the limit of open files as far as the system lets us: a connection is one."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError):  # macOS calls its limit infinite and then refuses that
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 10240), most))
