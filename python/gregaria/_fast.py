"""What of the fast client's responses is made only when a locustfile asks for it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from . import _responses

NOT_CAUGHT = (
    "If you want to change the state of the request, you must pass catch_response=True. "
    "See http://docs.locust.io/en/stable/writing-a-locustfile.html#validating-responses"
)

USER_AGENT = "python/gevent-http-client-2.6.1"
"""What Locust's fast client sends: servers and their logs may tell clients by it."""


def basic_auth(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode("latin-1")).decode()


def headers(given: dict[str, str] | None) -> dict[str, str]:
    """The headers of every request: the user's, and the client's own where the user has none of that name."""
    own = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate, br"}
    names = {name.lower() for name in given or {}}
    return {**{name: value for name, value in own.items() if name.lower() not in names}, **(given or {})}


class Headers(CaseInsensitiveDict[Any]):
    """A response's headers: a name that came on several lines has a list of values."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__()
        self._pairs = pairs
        for name, value in pairs:
            if name in self:
                before = self[name]
                self[name] = [*before, value] if isinstance(before, list) else [before, value]
            else:
                self[name] = value

    def getlist(self, name: str) -> list[str]:
        """All values of a header, one for each line it came on."""
        return [value for own, value in self._pairs if own.lower() == name.lower()]

    get_all = getheaders = getlist

    def items(self) -> Any:
        """One pair for each line."""
        return list(self._pairs)

    def __iter__(self) -> Iterator[str]:
        return iter([name.lower() for name in super().__iter__()])

    def __str__(self) -> str:
        return "".join(f"{name}: {value}\r\n" for name, value in self._pairs)


class Request:
    """The request that was answered; after redirects, the last one."""

    def __init__(self, method: str, url: str, headers: dict[str, str], payload: bytes | None) -> None:
        self.method, self.url, self.headers, self.payload = method, url, headers, payload

    @property
    def body(self) -> bytes | None:
        return self.payload


def _request(response: Any) -> Request | None:
    if response._sent is None:
        return None
    from locust.contrib.fasthttp import FastRequest

    method, url, pairs, body = response._sent
    return FastRequest(method, url, dict(pairs), body)


def attribute(response: Any, name: str) -> Any:
    """The attribute `name` of a response; kept on it."""
    match name:
        case "headers":
            value: Any = Headers(response._header_pairs())
        case "request":
            value = _request(response)
        case "elapsed" | "history" | "timings":
            value = _responses.attribute(response, name)
        case "error" if (error := error_of(response)) is not None:
            value = error
        case _:
            raise AttributeError(f"'{type(response).__name__}' object has no attribute '{name}'")
    response.__dict__[name] = value
    return value


def content(response: Any) -> bytes | None:
    """The body of a response that is streamed: read to its end when first asked for."""
    if "_content" not in response.__dict__:
        response.__dict__["_content"] = response._stream().read()
    body: bytes | None = response.__dict__["_content"]
    return body


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
    content = response._body
    if content is None:
        return None
    if response.encoding is None:
        named = get_encoding_from_headers(response.headers)
        response.encoding = named or ("utf-8" if response._utf8() is not None else "latin-1")
    return str(content, response.encoding, errors="replace")
