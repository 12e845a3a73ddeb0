"""The locustfile of a master, for workers that have none (`-f -`)."""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gregaria import _engine
from locust.util.directory import get_abspaths_in
from locust.util.url import is_url

if TYPE_CHECKING:
    from locust.runners import MasterRunner

_KEPT = 2.0
"""Seconds: how old an answer may be."""

_MOST_FILES = 1_000
_MOST_BYTES = 16 << 20

_SKIPPED = {"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist"}
"""Folders that hold no modules of a locustfile's own. Nor do those whose name begins with a dot."""

_REFUSED = "the master was started with --no-locustfile-transfer: give the worker its own locustfile with -f"

logger = logging.getLogger("locust.runners")


class Answers:
    """What workers are answered that ask for the locustfile. A whole fleet asks at once, and every second until it is
    answered: an answer is kept for a moment."""

    def __init__(self, runner: MasterRunner) -> None:
        self._runner = runner
        self._kept: dict[bool, tuple[float, bytes]] = {}

    def to(self, asker: str, asked: dict[str, Any]) -> bytes:
        """The data of the answer to a `locustfile` message, packed."""
        runner = self._runner
        may_say = runner.server.engine.may_say
        if not asked.get("version") and may_say():
            logger.error("A very old worker version requested locustfile. This probably won't work.")
        logging.debug("Worker requested locust file")
        if getattr(runner.environment.parsed_options, "no_locustfile_transfer", False):
            if may_say():
                logger.warning(f"Worker {asker} asked for the locustfile, and was refused: --no-locustfile-transfer")
            return _engine.pack_data({"error": _REFUSED})
        return self._answer("gregaria" in asked)

    def _answer(self, is_ours: bool) -> bytes:
        made, answer = self._kept.get(is_ours, (-math.inf, b""))
        if time.monotonic() - made > _KEPT:
            answer = _engine.pack_data(_told(self._runner, is_ours))
            self._kept[is_ours] = (time.monotonic(), answer)
        return answer


def _told(runner: MasterRunner, is_ours: bool) -> dict[str, Any]:
    paths = _expanded(runner.environment.parsed_locustfiles or [])
    name = ""
    try:
        told: dict[str, Any] = {"locustfiles": [_content(name := path) for path in paths]}
        if is_ours:
            told["gregaria"] = _whole([path for path in paths if not is_url(path)])
    except (OSError, ValueError) as error:
        why = (
            "locustfile must be a full path to a single locustfile, a comma-separated list of .py files, or a URL for "
            "file distribution to work"
        )
        logger.error(f"{why} {error}")
        return {"error": f"{why} (was '{name}')"}
    return told


def _expanded(given: list[str]) -> list[str]:
    files = [path.strip() for path in given if not os.path.isdir(path)]
    folders = [path for path in given if os.path.isdir(path)]
    return files + [path for folder in folders for path in get_abspaths_in(folder, extension=".py")]


def _content(path: str) -> str | dict[str, str]:
    if is_url(path):
        return path
    return {"filename": os.path.basename(path), "contents": Path(path).read_text(encoding="utf-8")}


def _whole(paths: list[str]) -> dict[str, Any]:
    """What gregaria's own workers get beside: every module of the folder that the locustfiles stand in."""
    if not paths:
        return {}
    root = Path(os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths]))
    wanted = [Path(os.path.abspath(path)) for path in paths]
    files: dict[str, bytes] = {}
    size = 0
    for path in (*wanted, *_imported(root), *_modules(root)):
        name = path.relative_to(root).as_posix()
        if name in files:
            continue
        content = path.read_bytes()
        size += len(content)
        if len(files) >= _MOST_FILES or size > _MOST_BYTES:
            logger.warning(
                f"Workers do not get all modules in {root}: over {_MOST_FILES:,} files or {_MOST_BYTES >> 20} MiB. "
                "Those that the locustfile has imported come first"
            )
            break
        files[name] = content
    return {
        "files": [[name, content] for name, content in files.items()],
        "locustfiles": [path.relative_to(root).as_posix() for path in wanted],
    }


def _imported(root: Path) -> Iterator[Path]:
    """Modules of the folder that this process has imported: the locustfile needs them for certain."""
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if path and path.endswith(".py") and Path(path).is_relative_to(root) and not _is_skipped(Path(path), root):
            yield Path(path)


def _modules(root: Path) -> Iterator[Path]:
    """All other modules of the folder, as far as they lie in it: links that lead out of it are not followed."""
    for folder, folders, names in os.walk(root):
        # A folder with a file that marks a virtual environment is one, whatever its name is.
        if "pyvenv.cfg" in names:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if name.endswith(".py") and path.resolve().is_relative_to(root.resolve()):
                yield path


def _is_skipped(path: Path, root: Path) -> bool:
    folders = path.relative_to(root).parts[:-1]
    return any(folder in _SKIPPED or folder.startswith(".") for folder in folders)
