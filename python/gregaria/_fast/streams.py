"""Bodies that are read as they arrive, the way geventhttpclient lets them be read."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any

from .errors import HTTPParseError

BLOCK = 4096


class NoStream:
    """The stream of a body that is read already."""

    def __init__(self, complete: bool = True) -> None:
        self.message_complete = complete

    def read(self, length: int | None = None) -> bytes:
        return b""

    def readline(self, sep: bytes = b"\r\n") -> bytes:
        return b""

    def release(self) -> None:
        pass

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


class Stream:
    """The rest of a body, content encodings and all. What has arrived when it breaks off can still be read."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self._arrived = bytearray()
        self.message_complete = False

    def read(self, length: int | None = None) -> bytes:
        """`length` bytes, or fewer at the end; without it all there is to come."""
        while (length is None or len(self._arrived) < length) and self._more():
            pass
        return self._take(len(self._arrived) if length is None else length)

    def readline(self, sep: bytes = b"\r\n") -> bytes:
        """Up to the next `sep`, that included; nothing when there is none."""
        looked_at = 0
        while (found := self._arrived.find(sep, looked_at)) < 0:
            looked_at = max(0, len(self._arrived) - len(sep) + 1)
            if not self._more():
                return b""
        return self._take(found + len(sep))

    def release(self) -> None:
        """Be done with it: the connection is closed, unless it was read to the end."""
        if self._body is not None:
            self._body.close()
            self._body = None

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(BLOCK):
            yield block

    def _more(self) -> bool:
        """Wait for something to arrive; whether there was anything."""
        if self._body is None:
            return False
        try:
            piece = self._body.read1()
        except http.client.HTTPException as error:
            self._body = None
            incomplete = isinstance(error, http.client.IncompleteRead)
            raise HTTPParseError("Incomplete response." if incomplete else str(error)) from error
        except OSError:
            self._body = None
            raise
        if not piece:
            self._body, self.message_complete = None, True
        self._arrived += piece
        return bool(piece)

    def _take(self, length: int) -> bytes:
        taken = bytes(self._arrived[:length])
        del self._arrived[:length]
        return taken
