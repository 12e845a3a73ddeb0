"""A node: a process of Locust's or of ours, with what it said, what it left, and a door to its inside."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import door
from ..harness import Side, environment_of, masked, without_foreign_frames, without_tables
from .inside import INSIDE
from .wire import PATIENCE


class Node:
    """A process that runs a locustfile, in a folder of its own."""

    def __init__(
        self,
        side: Side,
        folder: Path,
        locustfile: str | None,
        arguments: Sequence[str],
        *,
        files: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        program: bool = False,
    ) -> None:
        self.side = side
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        text = {} if locustfile is None else {"locustfile.py": INSIDE + locustfile}
        for name, content in {**(files or {}), **text}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        command = [side.python, *(["locustfile.py"] if program else ["-m", "locust"]), *arguments]
        with (folder / "printed").open("w") as printed, (folder / "errors").open("w") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**environment_of(side, folder), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=errors,
            )
        self._doors: dict[str, Any] = {}

    @property
    def doors(self) -> dict[str, Any]:
        """The ports of its door, of its socket for workers and of its web page; waits until they are open."""
        if not self._doors:
            at = self.folder / "doors"
            self.wait(lambda: at.exists() or self.process.poll() is not None, "its doors")
            assert at.exists(), f"it ended with {self.process.poll()}\n{self.errors}"
            self._doors = json.loads(at.read_text())
        return self._doors

    def inside(self, code: str) -> Any:
        """What this expression is in there; or do what it says."""
        port = self.doors["door"]
        try:
            return door.ask(port, code, PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.errors[-2000:]}") from None

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str, bytes]:
        """Ask its web page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.doors["page"], timeout=PATIENCE)
        try:
            kind = "application/json" if (body or "").startswith("{") else "application/x-www-form-urlencoded"
            headers = {"Content-Type": kind} if body is not None else {}
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers.get("Content-Type", ""), response.read()
        finally:
            connection.close()

    def wait(self, condition: Callable[[], Any], what: str = "", patience: float = PATIENCE) -> None:
        end = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < end, f"waited in vain for {what}\n{self.errors[-3000:]}"
            time.sleep(0.02)

    def until(self, code: str) -> None:
        self.wait(lambda: self.inside(code), code)

    def until_it_says(self, text: str) -> None:
        self.wait(lambda: text in self.errors, text)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_code(self) -> int | None:
        """With which it ends, or none."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()

    @property
    def errors(self) -> str:
        return (self.folder / "errors").read_text()

    @property
    def printed(self) -> str:
        return (self.folder / "printed").read_text()

    @property
    def events(self) -> list[str]:
        return [_without_ids(line) for line in (self.folder / "events").read_text().splitlines()]

    def said(self, *, but: Iterable[str] = ()) -> list[str]:
        """Its log, without tables, times and ids."""
        text = masked(_without_ids(self.errors.replace(str(self.folder), "FOLDER")))
        text = text.replace(self.side.target.host, "TARGET")
        lines, _ = without_tables(text.splitlines())
        return [line for line in without_foreign_frames(lines) if not any(each in line for each in but)]

    def rows(self) -> dict[str, list[int]]:
        """Requests and failures of each row of its last table."""
        found: dict[str, list[int]] = {}
        _, tables = without_tables(self.errors.splitlines())
        for table in [table for table in tables if table[0].startswith("Type ")][-1:]:
            for line in table[2:]:
                if match := re.match(r"(\S*) +(.*?) +(\d+) +(\d+)\([\d.]+%\) \|", line):
                    found[f"{match[1]} {match[2]}"] = [int(match[3]), int(match[4])]
        return found


def _without_ids(text: str) -> str:
    return re.sub(r"[\w.-]+_[0-9a-f]{32}", "WORKER", text)
