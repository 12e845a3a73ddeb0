"""What the fast client raises, and reports, when a request fails."""

from __future__ import annotations

import http.client
from typing import Any

from . import conversation


class ConnectionError(Exception):
    """What went wrong below HTTP, and the base of the client's own errors. Not the builtin of that name.

    Named details (`code=404`) become attributes, and part of the text.
    """

    def __init__(self, url: Any, *words: Any, **details: Any) -> None:
        super().__init__(url, *words)
        self.url = url
        self.__dict__.update(details)
        self.kw_text = ", ".join(f"{name}={value}" for name, value in details.items())
        self.text = ", ".join(filter(None, [_said(words), self.kw_text]))

    def __str__(self) -> str:
        return f"URL {self.url}: {self.text}" if self.text else f"URL {self.url}"

    def __repr__(self) -> str:
        plain = super().__repr__()
        return f"{plain[:-1]}, {self.kw_text})" if self.kw_text else plain


def _said(words: tuple[Any, ...]) -> str:
    match words:
        case (str() as text,):
            return text
        case (str() as text, *more):
            return f"{text}: {tuple(more)}"
        case (other,):
            return str(other)
        case _:
            return ""


class RetriesExceeded(ConnectionError):
    """No response after so many further attempts (`text` says how many, or what else ran out).

    `original` is the last attempt's error.
    """

    original: BaseException


class UnsupportedRedirectSchemeError(ConnectionError):
    """A redirect to something that is no HTTP URL."""


class HTTPParseError(http.client.HTTPException):
    """What came is no complete HTTP response."""


class HTTPConnectionClosed(HTTPParseError):
    """The server closed the connection before a response came."""


class LocustBadStatusCode(ConnectionError):
    """The response's status is none that counts as a success."""

    code: int = 0
    response: Any = None

    def __repr__(self) -> str:
        # Failures are counted by this: it must not tell URLs apart.
        return super().__repr__().replace(f"{self.url!r}, ", "") if self.kw_text else super().__repr__()

    @property
    def request(self) -> Any:
        """The request that was answered so."""
        return self.response.request if self.response is not None else None

    @property
    def http_log(self) -> str:
        """Request and response as text."""
        return conversation.told(self.response) if self.response is not None else ""
