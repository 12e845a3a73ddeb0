"""A request and its response as text, for people."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit


def told(response: Any) -> str:
    """What was said on both sides; of a body that is no text, that it is none."""
    method, url, pairs, body = response._sent
    parts = urlsplit(url)
    path = parts._replace(scheme="", netloc="", fragment="").geturl()
    lines = [f"{name}: {value}" for name, value in pairs]
    asked = [f"{method} {path} HTTP/1.1", *lines, f"Host: {parts.netloc}", "", ""]
    answered = "".join(f"{name}: {value}\n" for name, value in response._header_pairs())
    version = "HTTP/1.0" if response._http_version == 10 else "HTTP/1.1"
    return (
        f"REQUEST: {url}\n"
        + "\r\n".join(asked)
        + (f"{_text(body)}\n\n" if body else "")
        + f"RESPONSE: {version} {response._status}\n{answered}\n"
        + _text(response.content or b"")
    )


def write(stream: Any, response: Any) -> None:
    """Tell a file what was said."""
    if response._status:
        stream.write(told(response) + "\n\n")


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return f"({len(body)} bytes that are no text)"
