"""WSGI between the engine's server and the Flask application."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable
from io import BytesIO
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
    try:
        status, headers, body = called(application, environment)
    except Exception:
        # As where gevent's server runs it: the words stay here.
        traceback.print_exc()
        request.answer(*_BROKEN)
        return
    if environment.get(PASSED_ON) and status == 204:
        request.pass_on([(name, value) for name, value in headers if name in ("Set-Cookie", "Vary")])
    else:
        request.answer(status, headers, body)


def called(application: Application, environment: dict[str, Any]) -> tuple[int, Headers, bytes]:
    """What an application answers, whole."""
    begun: list[tuple[int, Headers]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
        begun[:] = [(int(status.split(" ", 1)[0]), headers)]
        return written.append

    answer = application(environment, start_response)
    try:
        written.extend(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    status, headers = begun[0]
    return status, headers, b"".join(written)


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
