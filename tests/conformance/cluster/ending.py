"""What cases are given in which a process begins and ends: nodes as they like them, and what these left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..harness import Side
from .asking import USERS
from .nodes import Node
from .wire import Crowd, ScriptedMaster


class Alone:
    """Starts nodes, scripted and real, for one case."""

    def __init__(self, side: Side, folder: Path) -> None:
        self.side = side
        self.folder = folder
        self.seen: list[dict[str, Any]] = []
        self._to_close: list[Any] = []

    def note(self, what: str, value: Any) -> None:
        self.seen.append({what: value})

    def scripted_master(self, port: int = 0) -> ScriptedMaster:
        return self._keep(ScriptedMaster(port))

    def crowd(self, node: Node) -> Crowd:
        return self._keep(Crowd(node.doors["port"]))

    def worker(self, port: int, locustfile: str | None = USERS, *arguments: str, **more: Any) -> Node:
        where = ["--worker", "--master-host", "127.0.0.1", "--master-port", str(port)]
        return self.node(locustfile, [*where, *arguments], **more)

    def master(self, locustfile: str | None = USERS, *arguments: str, headless: bool = True, **more: Any) -> Node:
        where = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", "0"]
        page = ["--headless"] if headless else ["--web-host", "127.0.0.1", "--web-port", "0"]
        return self.node(locustfile, [*where, *page, *arguments], **more)

    def node(
        self,
        locustfile: str | None,
        arguments: Sequence[str],
        files: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        program: bool = False,
    ) -> Node:
        folder = self.folder / f"node-{len(self._to_close)}"
        return self._keep(
            Node(self.side, folder, locustfile, arguments, files=files, environment=environment, program=program)
        )

    def ends(self, node: Node, but: Sequence[str] = ()) -> None:
        """Have compared with what it ends, its events and its log."""
        self.note("exit code", node.exit_code())
        if (node.folder / "events").exists():
            self.note("events", node.events)
        self.note("said", node.said(but=but))

    def _keep(self, made: Any) -> Any:
        self._to_close.append(made)
        return made

    def close(self) -> None:
        for each in reversed(self._to_close):
            each.close()
