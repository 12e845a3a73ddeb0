"""Every case: exit code, what was printed and said, which files are left, and every option that Locust has."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from ..harness import Side, environment_of, same
from ..listing import TESTS
from ..probing import areas, module
from . import cases as package
from .differences import DIFFERENT, REWORDED

DEADLINE = 100
"""Seconds for all cases of an area; pytest gives a test 120."""

LEFT = "left behind"
"""Not a case: what is in the folder for temporary files when all were asked."""

Answers = dict[str, dict[str, Any]]
CASES = [f"{area}: {name}" for area in areas(package) for name in module(package, area).CASES]


class Locustfiles(BaseHTTPRequestHandler):
    """A server of locustfiles, good and bad."""

    TEXTS: ClassVar = {
        "/in/shop.py": "from locust import *\nclass Shop(User):\n    @task\n    def t(self): pass\nprint(__name__)\n",
        "/page": "<html><body>Not what you think, but long enough to be cut off after a hundred characters or so</body></html>",
        "/empty.py": "",
    }

    def do_GET(self) -> None:
        if self.path == "/moved.py":
            self.send_response(302)
            self.send_header("Location", "/in/shop.py")
        else:
            # The status is not looked at: what is no Python is no locustfile.
            self.send_response(404 if self.path == "/page" else 200)
        body = self.TEXTS.get(self.path, "").encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Locustfiles) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def answers(
    sides: tuple[Side, Side], server: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], list[Answers]]:
    """What all cases of an area came to, here and on Locust."""
    folder = tmp_path_factory.mktemp("cases")

    @cache
    def ask(area: str) -> Exception | list[Answers]:
        try:
            with ThreadPoolExecutor() as threads:
                return list(threads.map(lambda side: asked(side, area, folder, server), sides))
        except Exception as error:
            return error

    def answered(area: str) -> list[Answers]:
        found = ask(area)
        if isinstance(found, Exception):
            raise found
        return found

    return answered


def asked(side: Side, area: str, folder: Path, server: str) -> Answers:
    command = [side.python, "-m", "conformance.cli.asking", area]
    # Both keep what they fetch in the folder for temporary files, under its own name.
    (temporary := folder / f"{side.name}-{area}").mkdir()
    environment = {**environment_of(side, folder), "SERVER": server, "TMPDIR": str(temporary)}
    done = subprocess.run(command, cwd=TESTS, env=environment, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    return {**dict(json.loads(line) for line in done.stdout.splitlines()), LEFT: {"files": os.listdir(temporary)}}


def params() -> Iterator[Any]:
    for case in CASES:
        reason = DIFFERENT.get(case)
        marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
        yield pytest.param(case, marks=marks, id=case)


@pytest.mark.parametrize("case", list(params()))
def test_case(answers: Callable[[str], list[Answers]], case: str) -> None:
    area, _, name = case.partition(": ")
    ours, theirs = (found[name] for found in answers(area))
    for part in ("exit_code", "files"):
        same(part, theirs[part], ours[part])
    assert theirs["exit_code"] != "hangs"
    options, locusts = (parsed_options(found["printed"]) for found in (ours, theirs))
    if locusts:
        same("options", locusts, {name: options.get(name) for name in locusts})
    else:
        same("printed", theirs["printed"], ours["printed"])
    if case in REWORDED:
        # What both must say of it, in whichever words.
        for found in (theirs, ours):
            assert REWORDED[case] in "\n".join(found["said"])
    else:
        same("said", theirs["said"], ours["said"])


def test_fetched_locustfiles_are_deleted(answers: Callable[[str], list[Answers]]) -> None:
    ours, theirs = answers("finding")
    assert ours[LEFT] == theirs[LEFT] == {"files": []}


def test_mistakes_in_locustfiles_are_shown_without_frames_of_ours(answers: Callable[[str], list[Answers]]) -> None:
    asked = {name: found for name, found in answers("finding")[0].items() if found.get("exit_code") == 1}
    # Listeners are called by us, and Locust shows that, too.
    shown = {name: found["frames"] for name, found in asked.items() if "event handler" not in "".join(found["said"])}
    assert sum(1 for frames in shown.values() if frames) >= 10
    place = str(TESTS.parent / "python")
    assert [name for name, frames in shown.items() if any(frame.startswith(place) for frame in frames)] == []


def parsed_options(printed: list[str]) -> dict[str, Any]:
    if not printed or not printed[-1].startswith('{"options"'):
        return {}
    found: dict[str, Any] = json.loads(printed[-1])
    return {**found["options"], "the first pass's locustfile": found["locustfile"]}


def test_every_difference_is_of_a_case_that_there_is() -> None:
    assert set(DIFFERENT) | set(REWORDED) <= set(CASES)
