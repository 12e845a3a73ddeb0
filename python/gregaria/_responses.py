"""What of a response is made only when a locustfile asks for it, and the exceptions of failed ones."""

from __future__ import annotations

import datetime
import errno
import http.client
import io
import json
import logging
import os
import socket
import ssl
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable
from email.message import Message
from typing import Any

import requests
import urllib3
from requests.cookies import RequestsCookieJar, extract_cookies_to_jar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
)
from urllib3.exceptions import SSLError as PoolSSLError

from locust.exception import LocustError

from .timings import Timings

logger = logging.getLogger(__name__)


def attribute(response: Any, name: str) -> Any:
    """The attribute `name` of a response, as requests would have it; kept on the response."""
    make = _ATTRIBUTES.get(name)
    if make is None:
        raise AttributeError(f"'{type(response).__name__}' object has no attribute '{name}'")
    value = make(response)
    response.__dict__[name] = value
    return value


def case_insensitive(stored: Iterable[tuple[str, tuple[str, str]]]) -> CaseInsensitiveDict[str]:
    """Headers as requests shows them, of (name in lower case, (name, value)): the way it keeps them."""
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict.__new__(CaseInsensitiveDict)
    headers._store = OrderedDict(stored)  # type: ignore[attr-defined]
    return headers


def _of_lines(pairs: list[tuple[str, str]]) -> CaseInsensitiveDict[str]:
    """The same of header lines: those of one name are joined."""
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for name, value in pairs:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def plain_json(response: Any) -> Any:
    """A JSON body without a charset: UTF-8, so the text need not be guessed at."""
    text = response._utf8()
    if text is None:
        return requests.Response.json(response)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise requests.exceptions.JSONDecodeError(error.msg, error.doc, error.pos) from error


def _prepared(sent: tuple[str, str, list[tuple[str, str]], bytes | None] | None) -> requests.PreparedRequest | None:
    if sent is None:
        return None
    method, url, headers, body = sent
    request = requests.PreparedRequest()
    request.headers = _of_lines(headers)
    is_form = request.headers.get("Content-Type") == "application/x-www-form-urlencoded"
    # requests makes a form as text; whoever writes that type himself is presumed to have given text.
    shown = body.decode(errors="replace") if is_form and body is not None else body
    request.method, request.url, request.body = method, url, shown
    request._cookies = RequestsCookieJar()  # type: ignore[attr-defined]
    request.hooks = {"response": []}
    return request


class _Head:
    """A response's header lines where http.cookiejar looks for them."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._original_response = self
        self.msg = Message()
        for name, value in pairs:
            self.msg[name] = value


def _cookies(pairs: list[tuple[str, str]], request: requests.PreparedRequest | None) -> RequestsCookieJar:
    jar = RequestsCookieJar()
    if request is not None:
        extract_cookies_to_jar(jar, request, _Head(pairs))  # type: ignore[no-untyped-call]
    return jar


def _history(response: Any) -> list[requests.Response]:
    history: list[requests.Response] = []
    if not response._status:
        return history  # of what failed on the way nothing is shown
    for sent, status, reason, pairs, body in response._hops:
        hop = requests.Response()
        hop.status_code, hop.reason, hop._content = status, reason, body
        hop._content_consumed = True  # type: ignore[attr-defined]
        hop.headers = _of_lines(pairs)
        hop.encoding = get_encoding_from_headers(hop.headers)
        hop.request = _prepared(sent)  # type: ignore[assignment]
        hop.url = sent[1]
        hop.cookies = _cookies(pairs, hop.request)
        hop.history = list(history)
        history.append(hop)
    return history


class Raw(urllib3.HTTPResponse):
    """A streamed body as urllib3 hands it out: a chunk at a time where the server sends chunks."""

    def __init__(self, body: Any, **kwargs: Any) -> None:
        super().__init__(body=body, **kwargs)
        self._pieces = body

    def supports_chunked_reads(self) -> bool:
        return True

    def read_chunked(self, amt: int | None = None, decode_content: bool | None = None) -> Generator[bytes, None, None]:
        """The chunks as the server made them, none longer than `amt` bytes, content encodings undone."""
        self._init_decoder()
        with self._error_catcher():
            while piece := self._pieces.read_chunk(amt):
                if decoded := self._decode(piece, decode_content, flush_decoder=False):
                    yield decoded
            if decode_content and (rest := self._flush_decoder()):
                yield rest


def _raw(response: Any) -> urllib3.HTTPResponse | None:
    if response._body is None:
        return None
    pairs = response._header_pairs()
    kwargs: dict[str, Any] = {
        "headers": urllib3.HTTPHeaderDict(pairs),
        "status": response._status,
        "version": response._http_version,
        "reason": response._reason,
        "preload_content": False,
        "decode_content": False,
    }
    if any(name.lower() == "set-cookie" for name, _ in pairs):
        kwargs["original_response"] = _Head(pairs)
    stream = response._stream()
    if stream is not None:
        return Raw(stream, **kwargs)
    # The body has been read, as requests reads it where nobody asks for a stream.
    return urllib3.HTTPResponse(body=io.BytesIO(), **kwargs)


def _next(response: Any) -> requests.PreparedRequest | None:
    """What a redirect that was not followed leads to."""
    if not response.is_redirect or response.request is None:
        return None
    session = requests.Session()
    return next(session.resolve_redirects(response, response.request, yield_requests=True), None)


def _connection() -> Any:
    """An adapter that sends further requests; the one that sent this is the engine, and belongs to the session."""
    from locust.clients import LocustHttpAdapter

    return LocustHttpAdapter(None)


def content(response: requests.Response) -> bytes | None:
    """The body of a response that is streamed, or into which a locustfile has put one of its own."""
    body: bytes | None = requests.Response.content.fget(response)  # type: ignore[attr-defined]
    return body


def fast_content(response: Any) -> bytes | None:
    """The same of the fast client's responses."""
    from ._fast import responses

    return responses.content(response)


def failure_of(response: Any) -> BaseException | None:
    """What a response made by requests' code is reported to have failed with."""
    try:
        response.raise_for_status()
    except requests.RequestException as error:
        return root_cause(error)
    return None


def root_cause(error: BaseException) -> BaseException:
    """Below the wrappers of requests and urllib3: what happened."""
    wrappers = (requests.ConnectionError, ProtocolError, MaxRetryError, NewConnectionError)
    while isinstance(error, wrappers) and error.__context__ is not None:
        error = error.__context__
    return error


def stream_error(kind: str, code: float | None, text: str) -> BaseException:
    """What http.client raises when a body breaks off; urllib3 makes its own errors of it."""
    match kind:
        case "read_timeout" | "body_timeout":
            return TimeoutError("timed out")
        case "incomplete":
            return urllib3.exceptions.IncompleteRead(int(text), int(code or 0))
        case "broken" | "body_broken":
            return _os_error(code, text)
        case _:
            return http.client.HTTPException(text or kind)


_ATTRIBUTES: dict[str, Callable[[Any], Any]] = {
    "_content": lambda response: False if response._is_streamed else response._body,
    "_content_consumed": lambda response: not response._is_streamed,
    "_next": _next,
    "headers": lambda response: case_insensitive(response._stored_headers),
    "encoding": lambda response: get_encoding_from_headers(response.headers) if response._status else None,
    "reason": lambda response: response._reason,
    "url": lambda response: response._url,
    "timings": lambda response: Timings.of(response._timings),
    "elapsed": lambda response: datetime.timedelta(seconds=response._elapsed),
    "history": _history,
    # requests' errors of a body name no request, and Locust has it from there.
    "request": lambda response: None if response._is_of_the_body else _prepared(response._sent),
    "cookies": lambda response: _cookies(response._header_pairs(), response.request),
    "raw": _raw,
    "error": lambda response: response._error,
    "connection": lambda response: _connection(),
}


NAMES = tuple(_ATTRIBUTES)
"""What [`attribute`] knows."""


def not_caught() -> LocustError:
    return LocustError("In order to use a with-block for requests, you must also pass catch_response=True")


def not_entered(call: str) -> LocustError:
    return LocustError(
        "Tried to set status on a request that has not yet been made. Make sure you use a with-block, like this:\n\n"
        "with self.client.request(..., catch_response=True) as response:\n"
        f"    response.{call}"
    )


def unsendable(session: Any, method: str, url: Any, arguments: dict[str, Any] | None, error: BaseException) -> Any:
    """The stand-in for a request that requests refuses to prepare, where Locust reports that as failed; else None."""
    raised_at_once = (
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
    )
    if not isinstance(error, requests.RequestException) or isinstance(error, raised_at_once):
        return None
    from locust.clients import ResponseContextManager

    given = arguments or {}
    response = ResponseContextManager()
    own = session.user.context() if session.user is not None else {}
    meta = {
        "request_type": method,
        "response_time": 0.0,
        "name": given.get("name") or session.request_name or str(url),
        "context": {**own, **(given.get("context") or {})},
        "response": response,
        "exception": None,
        "start_time": time.time(),
        "url": f"{session.base_url}{url}",
        "response_length": 0,
    }
    response._stand_for(session, meta, error, bool(given.get("catch_response")), [])
    return response


def http_error(response: Any, name: str) -> requests.HTTPError:
    """requests' error for a bad status, with the name in place of the URL."""
    status = response._status
    kind = "Client" if status < 500 else "Server"
    return requests.HTTPError(f"{status} {kind} Error: {response.reason} for url: {name}", response=response)


def bad_status(response: Any, name: str) -> Exception:
    """The fast client's error for a bad status."""
    from locust.contrib.fasthttp import LocustBadStatusCode

    if "error" in response.__dict__:
        kept: Exception = response.__dict__["error"]
        return kept
    error = LocustBadStatusCode(response.url, code=response._status)
    error.response = response
    response.error = error
    return error


def _os_error(code: float | None, text: str) -> OSError:
    if code is None:
        return ConnectionError(text)
    return OSError(int(code), os.strerror(int(code)))


def _no_address(code: float | None, words: str) -> socket.gaierror:
    if code is None:
        return socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return socket.gaierror(int(code), words)


def exceptions(
    response: Any, fast: bool, kind: str, code: float | None, text: str
) -> tuple[BaseException, BaseException]:
    """The client's exception for a failed exchange, and the cause that is reported for it."""
    if kind == "bug":
        logger.error(text)
    if fast:
        error = _fast_error(response, kind, code, text)
        return error, error
    error, cause = _requests_error(kind, code, text, _prepared(response._sent))
    if response._is_of_the_body:
        error.request = None
    error.__context__ = cause
    return error, cause if cause is not None else error


def pool_of(url: str) -> Any:
    """A connection pool, for the texts of errors that name one."""
    parts = urllib3.util.parse_url(url)
    secure = parts.scheme == "https"
    kind = urllib3.HTTPSConnectionPool if secure else urllib3.HTTPConnectionPool
    return kind(parts.host or "localhost", parts.port or (443 if secure else 80))


def _requests_error(
    kind: str, code: float | None, text: str, request: requests.PreparedRequest | None
) -> tuple[requests.RequestException, BaseException | None]:
    url = (request.url if request is not None else None) or ""
    parts = urllib3.util.parse_url(url)
    path, host = parts.request_uri, parts.host or ""
    pool = pool_of(url)
    port = pool.port
    connection: Any = pool.ConnectionCls(host or "localhost", port)
    cause: BaseException
    match kind:
        case "resolve":
            name, _, words = text.partition("\n")
            cause = _no_address(code, words)
            reason: Exception = NameResolutionError(name, connection, cause)
            return requests.ConnectionError(MaxRetryError(pool, path, reason), request=request), cause
        case "connect":
            cause = _os_error(code, text)
            reason = NewConnectionError(connection, f"Failed to establish a new connection: {cause}")
            return requests.ConnectionError(MaxRetryError(pool, path, reason), request=request), cause
        case "connect_timeout":
            reason = ConnectTimeoutError(connection, f"Connection to {host} timed out. (connect timeout={code:g})")
            return requests.ConnectTimeout(MaxRetryError(pool, path, reason), request=request), reason
        case "read_timeout":
            silence = urllib3.exceptions.ReadTimeoutError(pool, path, f"Read timed out. (read timeout={code:g})")
            return requests.ReadTimeout(silence, request=request), None
        case "tls" | "certificate":
            reason = PoolSSLError(text)
            return requests.exceptions.SSLError(MaxRetryError(pool, path, reason), request=request), reason
        case "body_timeout":
            silence = urllib3.exceptions.ReadTimeoutError(pool, path, "Read timed out.")
            return requests.ConnectionError(silence, request=request), silence
        case "body_broken":
            cause = _os_error(code, text)
            broken_off = ProtocolError(f"Connection broken: {cause!r}", cause)
            return requests.exceptions.ChunkedEncodingError(broken_off, request=request), None
        case "disconnected":
            cause = http.client.RemoteDisconnected("Remote end closed connection without response")
            return requests.ConnectionError(ProtocolError("Connection aborted.", cause), request=request), cause
        case "broken":
            cause = _os_error(code, text)
            return requests.ConnectionError(ProtocolError("Connection aborted.", cause), request=request), cause
        case "proxy_resolve" | "proxy_connect" | "proxy_disconnected" | "proxy_refused":
            cause, reason = _proxy_error(kind, code, text, connection)
            unreachable = urllib3.exceptions.ProxyError("Unable to connect to proxy", reason)
            return requests.exceptions.ProxyError(MaxRetryError(pool, path, unreachable), request=request), cause
        case "reset":
            return requests.ConnectionError(ProtocolError(f"Stream reset by the server: {text}"), request=request), None
        case "unsendable":
            return requests.exceptions.InvalidHeader(text, request=request), None
        case "incomplete":
            broken = urllib3.exceptions.IncompleteRead(int(text), int(code or 0))
            return requests.exceptions.ChunkedEncodingError(
                ProtocolError(f"Connection broken: {broken!r}", broken), request=request
            ), None
        case "chunks":
            return requests.exceptions.ChunkedEncodingError(
                ProtocolError(f"Connection broken: {text}"), request=request
            ), None
        case "protocol":
            cause = http.client.BadStatusLine(text)
            return requests.ConnectionError(ProtocolError("Connection aborted.", cause), request=request), cause
        case "corrupt":
            encoding, _, why = text.partition("\n")
            words = f"Received response with content-encoding: {encoding}, but failed to decode it."
            return requests.exceptions.ContentDecodingError(
                urllib3.exceptions.DecodeError(words, zlib.error(why)), request=request
            ), None
        case "decode":
            return requests.exceptions.ContentDecodingError(urllib3.exceptions.DecodeError(text), request=request), None
        case "too_many_redirects":
            return requests.TooManyRedirects(f"Exceeded {int(code or 0)} redirects.", request=request), None
        case "redirect_target":
            return requests.exceptions.InvalidURL(text, request=request), None
        case "bug":
            return requests.RequestException(text, request=request), None
    raise AssertionError(f"a failure of kind {kind}")


_TEMPORARY = frozenset([errno.ETIMEDOUT, errno.ENOLINK, errno.ENOENT, errno.EPIPE])
"""Errors of a connection after which geventhttpclient tries again, and says how often when none are left."""


def _proxy_error(kind: str, code: float | None, text: str, connection: Any) -> tuple[Exception, Exception]:
    """What went wrong, and as what urllib3 wraps it."""
    cause: Exception
    match kind:
        case "proxy_resolve":
            lost = _no_address(None, "")
            return lost, NameResolutionError(text, connection, lost)
        case "proxy_connect":
            cause = _os_error(code, text)
            return cause, NewConnectionError(connection, f"Failed to establish a new connection: {cause}")
        case "proxy_disconnected":
            cause = http.client.RemoteDisconnected("Remote end closed connection without response")
        case _:
            cause = OSError(f"Tunnel connection failed: {text}")
    return cause, cause


def _fast_error(response: Any, kind: str, code: float | None, text: str) -> Exception:
    from locust.contrib import fasthttp

    from ._fast.errors import UnsupportedRedirectSchemeError

    match kind:
        case "resolve":
            return _no_address(code, text.partition("\n")[2])
        case "connect" | "broken" if code in _TEMPORARY:
            return fasthttp.RetriesExceeded(response._asked, response._retries, original=_os_error(code, text))
        case "broken" if code == errno.ECONNRESET:
            return fasthttp.HTTPConnectionClosed("connection closed.")
        case "connect" | "broken" | "body_broken":
            return _os_error(code, text)
        case "connect_timeout" | "read_timeout":
            return fasthttp.RetriesExceeded(response._asked, response._retries, original=TimeoutError("timed out"))
        case "body_timeout":
            return TimeoutError("timed out")
        case "tls":
            return ssl.SSLError(1, text)
        case "certificate":
            return ssl.SSLCertVerificationError(1, text)
        case "disconnected":
            return fasthttp.HTTPConnectionClosed("connection closed.")
        case "incomplete":
            return fasthttp.HTTPParseError("Incomplete response.")
        case "proxy_resolve":
            return _no_address(None, "")
        case "proxy_connect":
            return _os_error(code, text)
        case "proxy_disconnected":
            return fasthttp.HTTPConnectionClosed("connection closed.")
        case "proxy_refused":
            return fasthttp.ConnectionError(f"the proxy makes no connection: {text}")
        case "reset":
            return fasthttp.HTTPConnectionClosed(f"stream reset by the server: {text}")
        case "unsendable":
            return fasthttp.ConnectionError(text)
        case "protocol" | "chunks":
            return fasthttp.HTTPParseError(text)
        case "decode" | "corrupt":
            return zlib.error(text.rpartition("\n")[2])
        case "too_many_redirects":
            return fasthttp.RetriesExceeded(response._asked, f"Redirection limit reached ({int(code or 0)})")
        case "redirect_target":
            return UnsupportedRedirectSchemeError(response._asked, text)
        case "bug":
            return RuntimeError(text)
    raise AssertionError(f"a failure of kind {kind}")
