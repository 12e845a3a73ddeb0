"""Bodies that are made while they are sent: files, generators, whatever gives its pieces one by one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import gevent
from requests.models import PreparedRequest

from . import _engine

_BLOCK = 64 * 1024


def pieces(body: Any) -> Iterator[bytes]:
    """What urllib3 would send of a body: a file in blocks, a buffer as a whole, what an iterable gives."""
    if hasattr(body, "read"):
        return _blocks(body)
    try:
        return iter([memoryview(body).tobytes()])
    except TypeError:
        return _given(body)


def _blocks(file: Any) -> Iterator[bytes]:
    encodes = isinstance(file, io.TextIOBase)
    while block := file.read(_BLOCK):
        yield block.encode() if encodes or isinstance(block, str) else bytes(block)


def _given(body: Any) -> Iterator[bytes]:
    for piece in body:
        if not piece:
            continue
        if isinstance(piece, str):
            yield piece.encode()
        else:
            len(piece)  # a number has none: it is no piece of a body, and no count of zero bytes either
            yield bytes(piece)


def send(session: Any, request: PreparedRequest, options: dict[str, Any]) -> Any:
    """Send a request whose body is still to be made. The exchange waits in a greenlet of its own."""
    upload = _engine.Upload("Content-Length" not in request.headers)
    exchange = gevent.spawn(_outcome, session, request, upload, options)
    try:
        for piece in pieces(request.body):
            if piece and not upload.push(piece):
                break  # answered, or broken, before the end
        upload.end()
        response, error = exchange.get()
    except BaseException:
        exchange.kill(block=False)
        raise
    if error is not None:
        raise error
    return response


def _outcome(
    session: Any, request: PreparedRequest, upload: Any, options: dict[str, Any]
) -> tuple[Any, BaseException | None]:
    try:
        return _engine.send_prepared(session, request, None, upload, **options), None
    except Exception as error:
        return None, error
