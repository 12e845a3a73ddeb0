"""More users and fewer by keys: `w` and `W`, `s` and `S`. Enter opens the page."""

from __future__ import annotations

import atexit
import logging
import webbrowser
from collections.abc import Callable
from functools import partial
from typing import Any

from locust.input_events import input_listener
from locust.runners import STATE_SPAWNING, Runner

from ._outputs import spawn

_SPAWN_RATE = 100
_STEPS = {"w": 1, "W": 10, "s": -1, "S": -10}


class Keyboard:
    """Listens from when it is made until `close()`, where there is a terminal."""

    def __init__(self, runner: Runner, page: str | None = None) -> None:
        """`page` is the URL of the page, if there is one."""
        keys: dict[str, Callable[[], Any]] = {key: partial(_change, runner, step) for key, step in _STEPS.items()}
        if page is not None:
            keys["\r"] = keys["\n"] = partial(webbrowser.open_new_tab, page)
        self._listener = spawn(input_listener(keys))
        # Whatever a locustfile does to end the process, its terminal is usable afterwards.
        atexit.register(self.close)

    def close(self) -> None:
        """Listen no more; the terminal is as it was before."""
        atexit.unregister(self.close)
        self._listener.kill()


def _change(runner: Runner, step: int) -> None:
    if runner.state != STATE_SPAWNING:
        runner.start(max(0, runner.user_count + step), _SPAWN_RATE)
    elif step > 0:
        logging.warning("Already spawning users, can't spawn more right now")
    else:
        logging.warning("Spawning users, can't stop right now")
