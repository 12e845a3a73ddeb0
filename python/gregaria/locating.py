"""Where the locustfiles are that `-f` names."""

from __future__ import annotations

import ast
import atexit
import os
import sys
import tempfile
from typing import NoReturn


def locustfiles(value: str, *, master: tuple[str, int, str | None] | None) -> list[str]:
    """Absolute paths of the files that `value` names: files, folders and addresses, separated by commas.

    `-` are those of a worker's `master`, whose host, port and key it is; `None` where this is no worker.
    """
    if value == "-":
        if master is None:
            _fail("locustfile was set to '-' (meaning to download from master) but --worker was not specified.")
        from gregaria._cluster.locustfiles import fetched

        return fetched(*master)
    return [path for part in value.split(",") for path in found(part.strip())]


def found(part: str) -> list[str]:
    """Absolute paths of the files that one file, folder or address stands for."""
    from locust.util.directory import get_abspaths_in
    from locust.util.url import is_url

    if is_url(part):
        return [downloaded(part)]
    if os.path.isdir(part):
        return get_abspaths_in(part, ".py") or _fail(f"Could not find any locustfiles in directory '{part}'")
    if os.path.isfile(part) and part.endswith(".py"):
        return [os.path.abspath(part)]
    _fail(
        f"Could not find '{part}'. Ensure your locustfile ends with '.py' or is a directory with locustfiles. "
        "See --help for available options."
    )


def downloaded(url: str) -> str:
    import requests

    try:
        text = requests.get(url, timeout=60).text
    except requests.exceptions.RequestException as error:
        _fail(f"Failed to get locustfile from: {url}. Exception: {error}")
    try:
        ast.parse(text)
    except SyntaxError:
        _fail(f"Failed to get locustfile from: {url}. Response was not valid python code: '{text[:100]}'")
    path = os.path.join(tempfile.gettempdir(), url.rsplit("/", 1)[-1])
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    atexit.register(_remove, path)
    return path


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError:
        pass


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"{message}\n")
    sys.exit(1)
