"""Users that ask models through OpenAI's API. Needs openai: `pip install 'gregaria[openai]'`.

The key is in `OPENAI_API_KEY`; `OPENAI_BASE_URL` leads to any other server that has the same API.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
from openai import OpenAI

from ..user.users import User

if TYPE_CHECKING:
    from ..event import EventHook

if not os.getenv("OPENAI_API_KEY"):
    raise Exception("You need to set OPENAI_API_KEY env var to use OpenAIUser")


class OpenAIClient(OpenAI):
    """An `openai.OpenAI` whose requests are counted, each by its method and path, with output tokens as its length.

    What the library tries again is counted again. A request that got no response is not counted: the library raises.
    """

    def __init__(self, request_event: EventHook, user: User, *args: Any, **kwargs: Any) -> None:
        self.request_name: str | None = None
        self.user = user

        def begin(request: httpx.Request) -> None:
            request.extensions["began"] = time.time(), time.perf_counter()

        def count(response: httpx.Response) -> None:
            request = response.request
            start_time, start = request.extensions["began"]
            response.read()
            request_event.fire(
                request_type=request.method,
                name=self.request_name or request.url.path,
                start_time=start_time,
                response_time=(time.perf_counter() - start) * 1000,
                response_length=_output_tokens(response),
                response=response,
                url=request.url,
                context={},
                exception=_failure(response),
            )

        transport = httpx.Client(event_hooks={"request": [begin], "response": [count]})
        super().__init__(*args, http_client=transport, **kwargs)

    @contextmanager
    def rename_request(self, name: str) -> Generator[None]:
        """Count all requests within the block under `name`."""
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None


def _output_tokens(response: httpx.Response) -> Any:
    """Of a response that tells its usage; of any other, none."""
    try:
        return response.json()["usage"].get("output_tokens", 0)
    except (ValueError, LookupError, TypeError, AttributeError):
        return 0


def _failure(response: httpx.Response) -> httpx.HTTPStatusError | None:
    try:
        response.raise_for_status()
    except httpx.HTTPStatusError as error:
        return error
    return None


class OpenAIUser(User):
    """A user with an `OpenAIClient`: `self.client.responses.create(model=…, input=…)`."""

    abstract = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client = OpenAIClient(self.environment.events.request, user=self)
