"""WSGI between the engine's server and the Flask application."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from gregaria._engine import WebRequest

PASSED_ON = "gregaria.passed_on"
"""Set in a request's environment by a view that lets the server answer: of a stream there is no end to wait for."""

Headers = list[tuple[str, str]]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_BROKEN = (500, [("Content-Type", "text/plain")], b"Internal Server Error")


def serve(application: Application, request: WebRequest, port: int) -> None:
    """Have the application answer what the server has handed over."""
    environment = environment_of(request, port)
    begun: list[tuple[int, Headers]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
        begun[:] = [(int(status.split(" ", 1)[0]), headers)]
        return written.append

    try:
        answer = application(environment, start_response)
    except Exception:
        # As where gevent's server runs it: the words stay here.
        traceback.print_exc()
        request.answer(*_BROKEN)
        return
    with closing(_Closable(answer)):
        chunks = chain(written, answer)
        if environment.get(PASSED_ON):
            request.pass_on([(name, value) for name, value in begun[0][1] if name in ("Set-Cookie", "Vary")])
        elif begun and any(name.lower() == "content-length" for name, _ in begun[0][1]):
            request.answer(*begun[0], b"".join(chunks))
        else:
            _stream(request, begun, chunks)


def _stream(request: WebRequest, begun: list[tuple[int, Headers]], chunks: Iterator[bytes]) -> None:
    """Send piece by piece: of some answers nobody knows how long they will be."""
    is_begun = False
    try:
        for chunk in chunks:
            if not is_begun:
                request.begin(*begun[0])
                is_begun = True
            if chunk and not request.send(chunk):
                return
    except Exception:
        traceback.print_exc()
        if not is_begun:
            request.answer(*_BROKEN)
            return
    if is_begun:
        request.end()
    else:
        request.answer(*begun[0], b"")


class _Closable:
    """Whatever an application answers; not all of it can be closed."""

    def __init__(self, answer: Iterable[bytes]) -> None:
        self.close = getattr(answer, "close", lambda: None)


def environment_of(request: WebRequest, port: int) -> dict[str, Any]:
    """WSGI's environment of this request."""
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        headers.setdefault(name.upper().replace("-", "_"), []).append(value)
    joined = {name: ("; " if name == "COOKIE" else ",").join(values) for name, values in headers.items()}
    kind = joined.pop("CONTENT_TYPE", None)
    joined.pop("CONTENT_LENGTH", None)
    host, _, named_port = joined.get("HOST", "").rpartition(":")
    return {
        **{f"HTTP_{name}": value for name, value in joined.items()},
        **({} if kind is None else {"CONTENT_TYPE": kind}),
        "CONTENT_LENGTH": str(len(request.body)),
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": request.query,
        "RAW_URI": request.path + (request.query and f"?{request.query}"),
        "SERVER_NAME": host or "localhost",
        "SERVER_PORT": named_port if named_port.isdigit() else str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.peer,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
