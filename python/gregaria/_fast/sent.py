"""Requests that were sent, as geventhttpclient shows them."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import ParseResult, quote, urlencode, urlparse

from .headers import Headers

_PORTS = {"http": 80, "https": 443}
_SAFE = "!#$%&'()*+,/:;=?@[]~"


class URL:
    """A URL and its parts."""

    def __init__(self, url: str | ParseResult = "", params: Any = None) -> None:
        parsed = url if isinstance(url, ParseResult) else urlparse(url)
        if params is not None:
            more = params if isinstance(params, str) else urlencode(params, doseq=True)
            parsed = parsed._replace(query=f"{parsed.query}&{more}" if parsed.query else more)
        self._parsed = parsed

    def __getattr__(self, name: str) -> Any:
        if name in ("scheme", "netloc", "path", "params", "query", "fragment"):
            return getattr(self._parsed, name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __str__(self) -> str:
        return self._parsed.geturl()

    def __repr__(self) -> str:
        return f"URL({self})"

    def __iter__(self) -> Iterator[str]:
        return iter(self._parsed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (str, URL)) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    geturl = __str__

    @property
    def host(self) -> str:
        return self._parsed.hostname or ""

    hostname = host

    @property
    def port(self) -> int | None:
        return self._parsed.port or _PORTS.get(self._parsed.scheme)

    @property
    def username(self) -> str:
        return self._parsed.username or ""

    user = username

    @property
    def password(self) -> str:
        return self._parsed.password or ""

    @property
    def query_string(self) -> str:
        return self._parsed.query

    @property
    def request_uri(self) -> str:
        """What a server is asked for: path, parameters and query."""
        return self._parsed._replace(scheme="", netloc="", fragment="").geturl()

    @property
    def quoted_uri(self) -> str:
        """`request_uri` as it is sent."""
        return quote(self.request_uri, safe=_SAFE)


class CompatRequest(urllib.request.Request):
    """A request, for reading: changing it changes nothing that was sent."""

    headers: Any
    payload: Any

    def __init__(
        self, url: str, method: str = "GET", headers: Any = None, payload: Any = None, params: Any = None
    ) -> None:
        # Not the base's constructor: it refuses what is no URL to it.
        self.url_split = URL(url, params)
        self.url = str(url)
        self.method = method.upper()
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.payload = payload
        self.unredirected_hdrs: dict[str, str] = {}
        self.original_host = self.origin_req_host = self.url_split.host
        self.unverifiable = False
        self.type = self.url_split.scheme
        self.host = self.url_split.netloc
        self.selector = self.url_split.request_uri or "/"

    @property
    def full_url(self) -> str:
        return self.url

    @full_url.setter
    def full_url(self, url: str) -> None:
        self.url = url

    @property
    def data(self) -> Any:
        return self.payload

    @data.setter
    def data(self, payload: Any) -> None:
        self.payload = payload

    def get_host(self) -> str:
        return self.url_split.host

    def get_type(self) -> str:
        return str(self.url_split.scheme)

    def get_origin_req_host(self) -> str:
        return self.original_host

    def is_unverifiable(self) -> bool:
        return self.unverifiable

    def add_unredirected_header(self, key: str, val: str) -> None:
        self.headers.add(key, val)

    def header_items(self) -> list[tuple[str, str]]:
        return list(self.headers.items())
