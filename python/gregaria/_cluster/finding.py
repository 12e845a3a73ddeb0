"""A master that cannot be found: what to say, where connecting says nothing but that it has not come to it."""

from __future__ import annotations

import socket


def trouble(host: str, port: int) -> str | None:
    """Why there is no such host, in a sentence; `None` where there is one. May take as long as a look-up takes."""
    try:
        socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        return f"The master's host `{host}` cannot be found: {why}; see --master-host"
    return None
