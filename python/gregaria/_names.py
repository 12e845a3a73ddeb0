"""Looking up names as Python's clients would, for locustfiles that have replaced a part of that."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import gevent.socket
import urllib3.util.connection


def look_up(fast: bool, host: str, port: int) -> list[tuple[Any, int, int]]:
    """The addresses of a host: address, port, and scope where it has one. `fast`: as geventhttpclient asks for them."""
    return [place for answer in _answers(fast, host, port) for place in _places(answer[-1])]


def _answers(fast: bool, host: str, port: int) -> list[Any]:
    if fast:
        return list(gevent.socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, socket.SOL_TCP))
    family = urllib3.util.connection.allowed_gai_family()
    return list(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM))


def _places(address: Any) -> Iterator[tuple[Any, int, int]]:
    """A socket address as connect() takes it: a name is allowed there, too, and not looked up as the others are."""
    host, port, *more = address
    scope = more[1] if len(more) > 1 else 0
    try:
        yield ipaddress.ip_address(host.partition("%")[0]), port, scope
    except ValueError:
        for family, *_, found in gevent.get_hub().resolver.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
            if family in (socket.AF_INET, socket.AF_INET6):
                yield from _places(found)
