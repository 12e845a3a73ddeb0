"""A request and its response as text, for people."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit


def told(response: Any) -> str:
    """What was said on both sides; of a body that is no text, that it is none."""
    version = "HTTP/1.0" if response._http_version == 10 else "HTTP/1.1"
    answer = (version, response._status, response._header_pairs(), response.content)
    return _told(response._sent, *answer)


def write(stream: Any, response: Any) -> None:
    """Tell a file what was said, on the way to the response as well."""
    for sent, status, _, pairs, body in response._hops:
        stream.write(_told(sent, "HTTP/1.1", status, pairs, body) + "\n\n")
    if response._status:
        stream.write(told(response) + "\n\n")


def _told(sent: Any, version: str, status: int, answered: list[tuple[str, str]], content: bytes | None) -> str:
    method, url, pairs, body = sent
    parts = urlsplit(url)
    path = parts._replace(scheme="", netloc="", fragment="").geturl()
    lines = [f"{name}: {value}" for name, value in pairs]
    asked = [f"{method} {path} HTTP/1.1", *lines, f"Host: {parts.netloc}", "", ""]
    return (
        f"REQUEST: {url}\n"
        + "\r\n".join(asked)
        + (f"{_text(body)}\n\n" if body else "")
        + f"RESPONSE: {version} {status}\n"
        + "".join(f"{name}: {value}\n" for name, value in answered)
        + "\n"
        + _text(content or b"")
    )


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return f"({len(body)} bytes that are no text)"
