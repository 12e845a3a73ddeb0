"""For coroutines: how to use in an `async def` what waits by itself, as everything of requests' does.

Code that is called through these, or through `asyncio.to_thread`, runs in a greenlet of its own: it may wait for
responses, sleep and use sockets as a task without `async` does, and other users run meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Generic, TypeVar

__all__ = ["each", "within"]

T = TypeVar("T")


async def each(items: Iterable[T]) -> AsyncGenerator[T, None]:
    """What `items` gives, where waiting for the next one is a matter of its own: the lines of a streamed response.

    ```python
    response = await self.client.get("/feed", stream=True)
    async for line in aio.each(response.iter_lines()):
        ...
    ```
    """
    iterator = iter(items)
    end = object()
    while (item := await asyncio.to_thread(next, iterator, end)) is not end:
        try:
            yield item  # type: ignore[misc]
        except BaseException:  # the loop over it was left; while it waits, a stop reaches the iterator itself
            if close := getattr(iterator, "close", None):
                close()
            raise


class within(Generic[T]):
    """`async with` for a context manager that waits where its block begins or ends.

    ```python
    async with aio.within(self.rest("GET", "/items/1")) as response:
        assert response.js["price"] > 0
    ```
    """

    def __init__(self, manager: AbstractContextManager[T, bool | None]) -> None:
        self._manager = manager

    async def __aenter__(self) -> T:
        return await asyncio.to_thread(self._manager.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return await asyncio.to_thread(self._manager.__exit__, kind, raised, traceback)
