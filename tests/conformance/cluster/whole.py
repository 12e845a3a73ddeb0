"""Runs of whole fleets from their beginning to their end: what each node said, fired, left behind and ended with."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..harness import Side, Target
from .fleet import Kind
from .nodes import Node

MASTER = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", "0"]

USERS = """
from locust import HttpUser, User, constant, tag, task

_runners.WORKER_REPORT_INTERVAL = 0.5


class Shopper(HttpUser):
    wait_time = constant(0)

    def on_start(self):
        for number in range(5):
            self.client.get(f"/status/20{number % 2}")

    @task
    def rest(self):
        _gevent.sleep(60)
"""


class Whole:
    """What a run is given: starts a master, then its workers, and notes what is left of them."""

    def __init__(self, python: Mapping[str, Side], kind: Kind, folder: Path, where: Target) -> None:
        self.python = python
        self.kind = kind
        self.folder = folder
        self.target = where
        self.seen: list[dict[str, Any]] = []
        self.nodes: dict[str, Node] = {}

    def note(self, what: str, value: Any) -> None:
        self.seen.append({what: value})

    def master(self, *arguments: str, locustfile: str = USERS, headless: bool = True, **more: Any) -> Node:
        self.target.ask("POST", "/witness/reset")
        page = ["--headless"] if headless else ["--web-host", "127.0.0.1", "--web-port", "0"]
        options = [*MASTER, *page, "-H", self.target.host, *arguments]
        node = Node(self.python[self.kind.master], self.folder / "master", locustfile, options, **more)
        self.nodes["master"] = node
        return node

    def worker(self, *arguments: str, locustfile: str | None = USERS, **more: Any) -> Node:
        number = len(self.nodes)
        at = ["--worker", "--master-host", "127.0.0.1", "--master-port", str(self.nodes["master"].doors["port"])]
        side = self.python[self.kind.workers[number - 1]]
        node = Node(side, self.folder / f"worker-{number}", locustfile, [*at, *arguments], **more)
        self.nodes[f"worker {number}"] = node
        return node

    def workers(self, *arguments: str, locustfile: str | None = USERS, **more: Any) -> list[Node]:
        return [self.worker(*arguments, locustfile=locustfile, **more) for _ in self.kind.workers]

    def program(self, name: str, text: str, kind: str, *arguments: str) -> Node:
        """A node that uses the library."""
        node = Node(self.python[kind], self.folder / name.replace(" ", "-"), text, arguments, program=True)
        self.nodes[name] = node
        return node

    def ends(self, *, said: bool = True) -> None:
        """All have ended, or are about to. Of workers, which one is which is chance, and not told."""
        codes = {name: node.exit_code() for name, node in self.nodes.items()}
        self.note(
            "exit codes", [codes["master"], *sorted(str(code) for name, code in codes.items() if name != "master")]
        )
        events = {name: node.events for name, node in self.nodes.items() if (node.folder / "events").exists()}
        # When the workers come is chance, and that they did shows elsewhere.
        self.note("events of the master", [each for each in events["master"] if not each.startswith("worker_connect")])
        self.note("events of workers", sorted(_ordered(each) for name, each in events.items() if name != "master"))
        if said:
            # The master listens half a second for those who leave.
            unheard = (" quit", "Listening for workers on port", "The web interface has port")
            lines = [line for line in self.nodes["master"].said() if not any(each in line for each in unheard)]
            self.note("the master said", sorted(_loosely(line) for line in lines))
            workers = [node for name, node in self.nodes.items() if name != "master"]
            self.note("workers said", sorted([_loosely(line) for line in node.said()] for node in workers))

    def totals(self) -> None:
        """What arrived, and what the master's last table says of it."""
        self.note("arrived", self.target.ask("GET", "/witness/counts")["by"])
        self.note("table", self.nodes["master"].rows())

    def files(self) -> None:
        """What a master with `--csv out --json-file out --html out.html` leaves."""
        folder = self.nodes["master"].folder
        for name in ("stats", "failures", "exceptions"):
            with (folder / f"out_{name}.csv").open(newline="") as file:
                rows = list(csv.DictReader(file))
            kept = (
                "Type",
                "Name",
                "Method",
                "Error",
                "Request Count",
                "Failure Count",
                "Occurrences",
                "Count",
                "Message",
            )
            self.note(name, [{key: row[key] for key in kept if key in row} for row in rows])
        history = (folder / "out_stats_history.csv").read_text().splitlines()
        self.note("history", [history[0], max(int(line.split(",")[1]) for line in history[1:])])
        entries = json.loads((folder / "out.json").read_text())
        self.note(
            "json", [[each["method"], each["name"], each["num_requests"], each["num_failures"]] for each in entries]
        )
        page = (folder / "out.html").read_text().lower()
        self.note("report", [page.startswith("<!doctype html>"), "/status/200" in page])

    def close(self) -> None:
        for node in self.nodes.values():
            node.close()


def _ordered(events: list[str]) -> list[str]:
    """A worker hears of the end of a ramp when its master has, and of a test when its `init` may not be over yet."""
    chance = ("init", "spawning_complete")
    early = sorted({each for each in events if each.startswith(chance)})
    return [*early, *(each for each in events if not each.startswith(chance))]


def _loosely(line: str) -> str:
    """Without what depends on who came first."""
    return re.sub(r"\(index \d+\)|\d+ (workers|of \d+) (connected|ready)", "…", line)
