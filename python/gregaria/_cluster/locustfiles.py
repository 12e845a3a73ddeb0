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

from gregaria import _engine, _starting, locating
from gregaria._cluster import finding, options
from locust import runners

_LOOK = 0.2
"""Seconds: how soon Ctrl-C is noticed."""

_FIRST_HINT = 10
_NEXT_HINT = 60
"""Seconds of waiting after which it is said what is waited for."""


def fetched(host: str, port: int, key: str | None = None) -> list[str]:
    """Absolute paths of copies of the master's locustfiles. Leaves with exit code 1 where there are none to be had."""
    if mistake := _starting.mistake_in_port("--master-port", port):
        _starting.fail(f"locust: error: {mistake}", 2)
    data = _answer(host, port, key)
    if "error" in data:
        _fail(f"Got error from master: {data['error']}")
    folder = tempfile.mkdtemp(prefix="locustfiles-")
    atexit.register(_remove, folder, os.getpid())
    # Where `import` finds what stands beside them, also when a task imports it.
    sys.path.insert(0, folder)
    try:
        if ours := data.get("gregaria"):
            # A master of ours sends along what stands beside them.
            for path, contents in ours["files"]:
                _write(folder, path, contents)
            return [_inside(folder, path) for path in ours["locustfiles"]]
        return [path for source in data["locustfiles"] for path in _found(folder, source)]
    except (KeyError, TypeError, ValueError, OSError) as error:
        _fail(f"What the master sent are no locustfiles: {error!r}")


def _answer(host: str, port: int, key: str | None) -> dict[str, Any]:
    patience = runners.CONNECT_TIMEOUT * runners.CONNECT_RETRY_COUNT
    identity = f"{socket.gethostname()}_download_locustfile_{uuid4().hex}"
    began, hint = time.monotonic(), float(_FIRST_HINT)
    try:
        request = _engine.LocustfileRequest(host, port, identity, options.VERSION, key=options.key(key))
        while (answer := request.wait(_LOOK)) is None:
            waited = time.monotonic() - began
            if waited >= patience:
                _fail(f"Got no locustfile response from master, gave up after {patience}s")
            if waited >= hint:
                sys.stderr.write("Waiting to connect to master to receive locustfile...\n")
                if trouble := finding.trouble(host, port):
                    sys.stderr.write(f"{trouble}\n")
                hint += _NEXT_HINT
    except (OSError, ValueError) as error:
        _fail(f"Failed to get the locustfile from the master: {error}")
    kind, data = answer
    if kind != "locustfile" or not isinstance(data, dict):
        _fail(f"Got wrong message type from master {kind}")
    return data


def _found(folder: str, source: str | dict[str, str]) -> list[str]:
    if isinstance(source, str):
        return locating.found(source)
    return [_write(folder, os.path.basename(source["filename"]), source["contents"].encode())]


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
