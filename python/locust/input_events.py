"""Keys that are pressed in the terminal while a test runs."""

from __future__ import annotations

import logging
import os
import select
import sys
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import gevent

_INTERVAL = 0.2
"""Seconds between looks at the keyboard."""


class InitError(Exception):
    """There is no keyboard to listen to; its text says why."""


class UnixKeyPoller:
    """A terminal that hands over each key when it is pressed, unseen, until `cleanup()`."""

    def __init__(self) -> None:
        import termios
        import tty

        if sys.stdin is None or not sys.stdin.isatty():
            raise InitError("Terminal was not a tty. Keyboard input disabled")
        self.stdin = sys.stdin.fileno()
        if _is_in_background(self.stdin):
            # Who changes the terminal from there is stopped, as `locust … &` would be.
            raise InitError("The terminal belongs to another job. Keyboard input disabled")
        self.tattr: list[Any] | None = termios.tcgetattr(self.stdin)
        self._pressed: deque[str] = deque()
        tty.setcbreak(self.stdin, termios.TCSANOW)

    def cleanup(self) -> None:
        """Leave the terminal as it was found. Does it once."""
        import termios

        found, self.tattr = self.tattr, None
        if found is not None:
            termios.tcsetattr(self.stdin, termios.TCSANOW, found)

    def poll(self) -> str | None:
        """Return the next key that was pressed, or `None`. Raises `EOFError` when the terminal is gone."""
        if not self._pressed and select.select([self.stdin], [], [], 0)[0]:
            # Past Python's buffer, in which a second key would wait for a third.
            keys = os.read(self.stdin, 1024)
            if not keys:
                raise EOFError
            self._pressed.extend(keys.decode(errors="ignore"))
        return self._pressed.popleft() if self._pressed else None


def _is_in_background(terminal: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) != os.getpgrp()
    except OSError:
        return False  # A terminal that no job control has a say in.


class WindowsKeyPoller:
    """The same on Windows, where the console needs no preparation."""

    def __init__(self) -> None:
        if sys.stdin is None or not sys.stdin.isatty():
            raise InitError("Terminal was not a tty. Keyboard input disabled")

    def cleanup(self) -> None:
        """Nothing was changed."""

    def poll(self) -> str | None:
        """Return the next key that was pressed, or `None`."""
        import msvcrt

        console: Any = msvcrt  # its functions exist on Windows alone
        return str(console.getwch()) if console.kbhit() else None


def get_poller() -> UnixKeyPoller | WindowsKeyPoller:
    """Return what this system's keyboard is asked with. Raises `InitError` where there is none."""
    return WindowsKeyPoller() if os.name == "nt" else UnixKeyPoller()


def input_listener(key_to_func_map: Mapping[str, Callable[[], object]]) -> Callable[[], None]:
    """Return a function that calls what belongs to a key whenever it is pressed, for ever."""

    def listen() -> None:
        try:
            poller = get_poller()
        except InitError as reason:
            logging.debug(reason)
            return
        try:
            _listen(poller, key_to_func_map)
        except EOFError:
            logging.debug("The terminal is gone. Keyboard input disabled")
        except Exception as error:
            logging.warning(f"Exception in keyboard input poller: {error}")
        finally:
            poller.cleanup()

    return listen


def _listen(poller: UnixKeyPoller | WindowsKeyPoller, functions: Mapping[str, Callable[[], object]]) -> NoReturn:
    while True:
        key = poller.poll()
        if key is None:
            gevent.sleep(_INTERVAL)
        elif key in functions:
            functions[key]()
