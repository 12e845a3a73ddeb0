"""Asks all probes of an area, and prints a line of JSON for each: `python -m conformance.contract.asking AREA`.

It runs on Locust and here. What a probe may ask for by the names of its parameters is `Given`'s public attributes.
"""

from __future__ import annotations

import json
import logging
import os
import random
import re
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import gevent
import gevent.event
import gevent.hub
import gevent.pool

from locust.env import Environment

from ..harness import without_foreign_frames
from ..probing import kind, plain, statistics
from . import probes as package
from .overriding import overriding
from .probe import Probe, overridden, probes

PATIENCE = 10
"""Seconds after which a probe hangs."""

STEPS = 30


class Given:
    """What a probe is given."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        """An empty folder."""
        self.target = os.environ["TARGET"]
        """The host of an HTTP server."""
        self.group = gevent.pool.Group()
        """For greenlets: it is killed when the probe is over."""
        self._said: list[Any] = []
        self._environments: list[Any] = []
        self._user_errors: list[list[Any]] = []
        self._steps = STEPS
        self._stopped: list[Any] = []
        """The greenlets that took a step when there were none left."""
        self._over = gevent.event.Event()
        self._patches = ExitStack()

    def say(self, *words: Any) -> None:
        """Print into the comparison."""
        self._said.append([plain(word) for word in words])

    def step(self, *words: Any) -> None:
        """Say something; after so many steps the run is over, and who takes a step is stopped there.

        Who is being stopped only says something.
        """
        if self._steps > 0 or gevent.getcurrent() in self._stopped:
            self.say(*words)
        self._count()

    def _count(self, **_: Any) -> None:
        self._steps -= 1
        me = gevent.getcurrent()
        if self._steps <= 0 and me not in self._stopped:
            self._stopped.append(me)
            self._over.set()
            gevent.sleep(PATIENCE)

    def patch(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute until the probe is over."""
        self._patches.enter_context(mock.patch.object(owner, name, value, create=not hasattr(owner, name)))

    def environment(self, *user_classes: Any, **settings: Any) -> Environment:
        """A new environment with events of its own, whose statistics and errors are compared."""
        made = Environment(user_classes=list(user_classes), **settings)
        errors: list[Any] = []

        def on_user_error(user_instance: Any, exception: BaseException, tb: Any, **others: Any) -> None:
            frames = [frame.name for frame in traceback.extract_tb(tb) if is_of_a_probe(frame.filename)]
            errors.append([type(user_instance).__name__, kind(exception), frames, others])

        made.events.user_error.add_listener(on_user_error)
        self._environments.append(made)
        self._user_errors.append(errors)
        return made

    def run(
        self,
        *user_classes: Any,
        users: int = 1,
        rate: float = 100,
        steps: int = STEPS,
        before: Any = None,
        **settings: Any,
    ) -> Environment:
        """Run users until all have ended or that many steps were taken, then quit. `before(environment)` may listen.

        An error of a user is a step, too.
        """
        made = self.environment(*user_classes, **settings)
        runner = made.create_local_runner()
        if before is not None:
            before(made)
        self._steps = steps
        self._over.clear()
        made.events.user_error.add_listener(self._count)
        runner.start(users, rate)
        runner.spawning_greenlet.join()
        gevent.spawn(runner.user_greenlets.join).link(lambda _: self._over.set())
        self._over.wait()
        runner.quit()
        return made

    def _offered(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in dir(self) if not name.startswith("_")}

    def _clean_up(self) -> None:
        self._patches.close()
        with gevent.Timeout(PATIENCE, False):
            self.group.kill()
        for made in self._environments:
            if made.runner is not None:
                with gevent.Timeout(PATIENCE, False):
                    made.runner.quit()

    def _answer(self) -> dict[str, Any]:
        return {
            "said": self._said,
            "environments": [
                {"user_errors": errors, **statistics(made), "exceptions": exceptions(made)}
                for made, errors in zip(self._environments, self._user_errors, strict=True)
            ],
        }


def exceptions(environment: Any) -> list[Any]:
    """What the runner has counted."""
    if environment.runner is None:
        return []
    return [
        [entry["count"], entry["msg"], sorted(entry["nodes"]), lines(entry["traceback"])]
        for entry in environment.runner.exceptions.values()
    ]


def is_of_a_probe(file: str) -> bool:
    return Path(file).parent == PROBES


PROBES = Path(package.__file__).parent


def lines(text: str) -> list[str]:
    """Those of a text that may hold a traceback, of whose frames only a probe's count."""
    return without_foreign_frames(text.replace(str(PROBES), "FOLDER").splitlines())


class Lines(logging.Handler):
    """The log, as it would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s/%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += lines(self.format(record))


@contextmanager
def observed() -> Iterator[Callable[[], dict[str, Any]]]:
    """Notice what is logged, warned of, and what greenlets die of."""
    unhandled: list[Any] = []

    def note(hub: Any, context: Any, type: Any, value: Any, tb: Any) -> None:
        unhandled.append(kind(value))

    log = Lines()
    logging.getLogger().addHandler(log)
    try:
        with (
            warnings.catch_warnings(record=True) as warned,
            mock.patch.object(gevent.hub.Hub, "print_exception", note),
        ):
            warnings.simplefilter("always")
            # Of sockets, whenever the garbage is collected.
            warnings.simplefilter("ignore", ResourceWarning)
            yield lambda: {
                "log": log.lines,
                "warnings": [[warning.category.__name__, str(warning.message)] for warning in warned],
                "unhandled": unhandled,
            }
    finally:
        logging.getLogger().removeHandler(log)


def ask(probe: Probe) -> dict[str, Any]:
    """Do what the probe does; all that is to be compared of it."""
    raised: BaseException | None = None
    random.seed(7)
    deadline = gevent.Timeout(PATIENCE)
    with observed() as notes, tempfile.TemporaryDirectory() as folder:
        given = Given(folder)
        try:
            with deadline:
                probe(given._offered())
        except BaseException as error:
            raised = error
        given._clean_up()
        answer = {**given._answer(), **notes()}
    return {**answer, "hangs": raised is deadline, "raised": kind(raised)}


def mask(text: str) -> str:
    """Without what differs from run to run, and the names of classes that Locust means to put into a message."""
    text = re.sub(r"on either the \S+ or \S+ class", "on either the USER or SET class", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", text.replace(os.environ["TARGET"], "TARGET"))


def tell(id: str, answer: dict[str, Any]) -> None:
    print(json.dumps({"probe": id}), mask(json.dumps(answer, default=repr)), sep="\t", flush=True)


def main() -> None:
    logging.getLogger().setLevel(logging.INFO)
    for probe in probes(sys.argv[1]):
        tell(probe.name, ask(probe))
        if probe.is_asked_twice:
            with overriding():
                tell(overridden(probe.name), ask(probe))


if __name__ == "__main__":
    main()
