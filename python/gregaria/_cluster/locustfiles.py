"""`-f -`: a worker's locustfiles, as its master has them."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

from gregaria import _engine, locating
from gregaria._cluster import options
from locust import runners

_LOOK = 0.2
"""Seconds: how soon Ctrl-C is noticed."""

_FIRST_HINT = 10
_NEXT_HINT = 60
"""Seconds of waiting after which it is said what is waited for."""


def fetched(host: str, port: int, key: str | None = None) -> list[str]:
    """Absolute paths of copies of the master's locustfiles. Leaves with exit code 1 where there are none to be had."""
    data = _answer(host, port, key)
    if "error" in data:
        _fail(f"Got error from master: {data['error']}")
    folder = tempfile.mkdtemp(prefix="locustfiles-")
    atexit.register(_remove, folder, os.getpid())
    # Where `import` finds what stands beside them, also when a task imports it.
    sys.path.insert(0, folder)
    paths: list[str] = []
    try:
        for path, contents in _with_their_folder(data):
            _write(folder, path, contents)
        for source in data.get("locustfiles", []):
            paths += locating.found(source) if isinstance(source, str) else [_write(folder, *_named(source))]
        paths = [_inside(folder, path) for path in (data.get("gregaria") or {}).get("locustfiles", [])] or paths
    except (KeyError, TypeError, ValueError, OSError) as error:
        _fail(f"What the master sent are no locustfiles: {error!r}")
    return paths


def _answer(host: str, port: int, key: str | None) -> dict[str, Any]:
    patience = runners.CONNECT_TIMEOUT * runners.CONNECT_RETRY_COUNT
    identity = f"{socket.gethostname()}_download_locustfile_{uuid4().hex}"
    began, hint = time.monotonic(), float(_FIRST_HINT)
    try:
        request = _engine.LocustfileRequest(host, port, identity, options.VERSION, key=key)
        while (answer := request.wait(_LOOK)) is None:
            waited = time.monotonic() - began
            if waited >= patience:
                _fail(f"Got no locustfile response from master, gave up after {patience}s")
            if waited >= hint:
                sys.stderr.write("Waiting to connect to master to receive locustfile...\n")
                hint += _NEXT_HINT
    except (OSError, ValueError) as error:
        _fail(f"Failed to get the locustfile from the master: {error}")
    kind, data = answer
    if kind != "locustfile" or not isinstance(data, dict):
        _fail(f"Got wrong message type from master {kind}")
    return data


def _with_their_folder(data: dict[str, Any]) -> list[tuple[str, bytes]]:
    """What stands beside the locustfiles: a master of ours sends it along."""
    return [(str(path), bytes(contents)) for path, contents in (data.get("gregaria") or {}).get("files", [])]


def _named(source: dict[str, str]) -> tuple[str, bytes]:
    return os.path.basename(source["filename"]), source["contents"].encode()


def _inside(folder: str, path: str) -> str:
    whole = os.path.normpath(os.path.join(folder, path))
    if not whole.startswith(folder + os.sep):
        raise ValueError(f"{path!r} is not in the folder of the locustfiles")
    return whole


def _write(folder: str, path: str, contents: bytes) -> str:
    whole = Path(_inside(folder, path))
    whole.parent.mkdir(parents=True, exist_ok=True)
    whole.write_bytes(contents)
    return str(whole)


def _remove(folder: str, process: int) -> None:
    # Children of `--processes` read there, too.
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"{message}\n")
    sys.exit(1)
