"""What of the fast client's responses is made only when a locustfile asks for it."""

from __future__ import annotations

import codecs
import datetime
import zlib
from base64 import b64encode
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

from requests.utils import get_encoding_from_headers

from locust.exception import LocustError

from .. import _engine, _lazy, _responses
from .headers import Headers
from .streams import NoStream, Stream

NOT_CAUGHT = (
    "If you want to change the state of the request, you must pass catch_response=True. "
    "See http://docs.locust.io/en/stable/writing-a-locustfile.html#validating-responses"
)

USER_AGENT = "python/gevent-http-client-2.6.1"
"""What Locust's fast client sends: servers and their logs may tell clients by it."""


def basic_auth(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode("latin-1")).decode()


NAMES = ("headers", "request", "_request", "stream", "_response", "elapsed", "timings", "history", "error")
"""What [`attribute`] knows."""


def attribute(response: Any, name: str) -> Any:
    """The attribute `name` of a response; kept on it."""
    match name:
        case "headers":
            value: Any = Headers(response._header_pairs()) if response._status else None
        case "request" | "_request":
            value = _request(response._sent)
        case "stream" | "_response":
            value = response.__dict__.setdefault("stream", _stream(response))
        case "elapsed" | "timings":
            value = _responses.attribute(response, name)
        case "history":
            value = _history(response)
        case "error" if (error := error_of(response)) is not None:
            value = error
        case _:
            raise AttributeError(f"'{type(response).__name__}' object has no attribute '{name}'")
    response.__dict__[name] = value
    return value


@_lazy.attributes(attribute, NAMES)
class CompatResponse(_engine.ResponseBase):
    """A response as geventhttpclient shows it."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    @property
    def status(self) -> str:
        return str(self.status_code)

    @property
    def data(self) -> bytes | None:
        return self.content

    stream: Any
    """The body as it arrives; empty when it was read already, None when there was no response."""

    def info(self) -> Any:
        return self.headers

    def read(self, n: int | None = None) -> bytes:
        """The next `n` bytes of the body, as it is on the wire; all that is left without `n`."""
        read: bytes = self.stream.read(n)
        return read

    def readline(self) -> bytes:
        """The next line of the body, up to a CR LF."""
        line: bytes = self.stream.readline()
        return line

    def release(self) -> None:
        """Be done with the body; of one that is not read to its end the connection is closed."""
        self.stream.release()

    def isclosed(self) -> bool:
        """Whether the body has been read to its end."""
        complete: bool = self.stream.message_complete
        return complete

    def unzipped(self, gzip: bool = True, br: bool = False) -> bytes:
        """What is left of the body, decompressed: gzip, brotli, or else deflate, with its header or without."""
        left = self.read()
        if gzip:
            return zlib.decompress(left, 16 + zlib.MAX_WBITS)
        if br:
            return _engine.unbrotli(left)
        try:
            return zlib.decompress(left, -zlib.MAX_WBITS)
        except zlib.error:
            return zlib.decompress(left)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.stream)

    def __len__(self) -> int:
        """The declared length of the body."""
        declared = self.headers.get("content-length") if self.headers is not None else None
        if not isinstance(declared, str):
            raise TypeError("the length of the body was not declared")
        return int(declared)

    def __bool__(self) -> bool:
        """Whether there is a response, and not one that is declared to be empty."""
        return self.headers is not None and self.headers.get("content-length") != "0"


def _stream(response: Any) -> Any:
    body = response._stream()
    if body is not None:
        return Stream(body)
    return NoStream(complete=not response._is_partial) if response._status else None


def content(response: Any) -> bytes | None:
    """The body of a streamed response, or of one whose body is its failure; kept when there is one."""
    if "_content" not in response.__dict__:
        response.__dict__["_content"] = _partial(response) if response._is_partial else _decoded(response)
    body: bytes | None = response.__dict__["_content"]
    return body


def _partial(response: Any) -> bytes | None:
    """As much of the body as came. Of one that was encoded nothing can be made: the error is raised again."""
    if _encoding(response) != "identity":
        raise response._error
    came: bytes | None = response._body
    return came


def _encoding(response: Any) -> str:
    given = response.headers.getlist("content-encoding")
    return given[0].lower() if given else "identity"


def _decoded(response: Any) -> bytes:
    match _encoding(response):
        case "gzip":
            body = response.unzipped()
        case "deflate":
            body = response.unzipped(gzip=False)
        case "br":
            body = response.unzipped(gzip=False, br=True)
        case "identity":
            body = response.read()
        case other:
            raise ValueError(f"Unknown content encoding: {other}")
    response.release()
    plain: bytes = body
    return plain


def _request(sent: Any) -> Any:
    if sent is None:
        return None
    from locust.contrib.fasthttp import FastRequest

    method, url, pairs, body = sent
    return FastRequest(url, method, Headers(pairs), body)


def _history(response: Any) -> list[Any]:
    """The responses that redirected, the first one first; each with those before it."""
    from .hops import Hop

    history: list[Any] = []
    for sent, status, _, pairs, body in response._hops:
        hop = Hop()
        hop.__dict__.update(
            headers=Headers(pairs),
            request=_request(sent),
            content=body,
            status_code=status,
            url=sent[1],
            history=list(history),
            elapsed=datetime.timedelta(0),
        )
        history.append(hop)
    return history


def content_of(response: Any, size: int, decode: bool) -> Generator[Any, None, None]:
    """What is left of a body, piece by piece; a connection that is lost is the end of it."""
    stream = response._response
    if stream is None:
        raise LocustError("Cannot iterate content on a response without _response attribute")
    while piece := _next_piece(stream, size):
        yield _as_text(piece) if decode else piece


def _next_piece(stream: Any, size: int) -> bytes:
    from .errors import ConnectionError, HTTPConnectionClosed

    try:
        piece: bytes = stream.read(size)
    except (HTTPConnectionClosed, ConnectionError):
        return b""
    return piece


def _as_text(piece: bytes) -> str | bytes:
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return piece


def lines(response: Any) -> Generator[str, None, None]:
    """The lines of a body as they arrive; what is no UTF-8 is replaced."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    for piece in content_of(response, 1024, decode=False):
        *whole, rest = (rest + decoder.decode(piece)).split("\n")
        yield from whole
    if rest := rest + decoder.decode(b"", final=True):
        yield rest


def error_of(response: Any) -> BaseException | None:
    """What the response failed with by the client's own rule, if it did."""
    if "error" in response.__dict__:
        error: BaseException | None = response.__dict__["error"]
        return error
    if response._status == 0:
        lost: BaseException | None = response._error
        return lost
    if not response._is_success:
        return _responses.bad_status(response, "")
    return None


def text(response: Any) -> str | None:
    """The body as text, by the charset set on the response, named by its headers, or guessed."""
    content = response.content
    if content is None:
        return None
    if response.encoding is None and response._is_plain_json and "headers" not in response.__dict__:
        # What the headers would say; to gather them costs more than to parse a small answer.
        response.encoding = "utf-8"
    if response.encoding is None:
        response.encoding = get_encoding_from_headers(response.headers) or _guessed(content)
    return None if response.encoding is None else str(content, response.encoding, errors="replace")


def _guessed(content: bytes) -> str | None:
    if content.isascii():
        return "ascii"
    try:
        content.decode()
    except UnicodeDecodeError:
        from charset_normalizer import detect

        guessed: str | None = detect(content)["encoding"]
        return guessed
    return "utf-8"
