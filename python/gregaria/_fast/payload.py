"""Bodies that are more than text, bytes or a form."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .. import _preparing
from .headers import Headers


def prepared(files: Any, data: Any, headers: Any) -> tuple[Any, Headers]:
    """A body of files, or of what a file or an iterator gives; and the headers, with what they must say of it."""
    headers = Headers(headers)
    if files:
        body, headers["Content-Type"] = _multipart(files, data)
        return body, headers
    if isinstance(data, memoryview):
        return bytes(data), headers
    if not _has_a_size(data):
        headers["Transfer-Encoding"] = "chunked"
    return _read(data), headers


def of_json(headers: Any) -> Headers:
    """The headers of a request with JSON: it says so, unless these say otherwise."""
    own = Headers(headers)
    for name in ("Content-Type", "Accept"):
        own.setdefault(name, "application/json")
    return own


def _multipart(files: Any, data: Any) -> tuple[bytes, str]:
    """As requests encodes it. A file may name the boundary, behind its headers."""
    pairs = list(files.items()) if isinstance(files, Mapping) else list(files)
    given = [file[4] for _, file in pairs if isinstance(file, (tuple, list)) and len(file) > 4]
    plain = [(name, tuple(file[:4]) if isinstance(file, (tuple, list)) else file) for name, file in pairs]
    body, content_type = _preparing.multipart(plain, data or {})
    if not given:
        return body, content_type
    start, _, boundary = content_type.rpartition("=")
    return body.replace(boundary.encode(), given[0].encode()), f"{start}={given[0]}"


def _has_a_size(data: Any) -> bool:
    """Whether it is a file of the system's: its length can be told before it is read."""
    try:
        os.fstat(data.fileno())
    except (AttributeError, OSError):
        return False
    return True


def _read(data: Any) -> bytes:
    pieces = [data.read()] if hasattr(data, "read") else data
    return b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)
