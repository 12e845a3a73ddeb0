"""Users that ask name servers. Needs dnspython: `pip install 'gregaria[dns]'`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dns.query
from dns.exception import DNSException
from dns.message import Message

from ..exception import LocustError
from ..user.users import User

if TYPE_CHECKING:
    from ..env import Environment
    from ..event import EventHook


class DNSClient:
    """Has every function of `dns.query` as a method, and reports each call as a request.

    The first argument is the message, as there; `name` is what the call is counted as, else the function's own name. A
    call gives the response, or None when dnspython raised one of its own exceptions. A response without an answer is a
    failure. What else is raised (no route, a refused connection) is the caller's, and not counted.
    """

    def __init__(self, request_event: EventHook) -> None:
        self.request_event = request_event

    def __getattr__(self, function_name: str) -> Callable[..., Message | None]:
        function = getattr(dns.query, function_name)

        def measured(message: Message, *args: Any, name: str | None = None, **kwargs: Any) -> Message | None:
            response: Message | None = None
            exception: Exception | None = None
            start_time, start = time.time(), time.perf_counter()
            try:
                response = function(message, *args, **kwargs)
                if not response.answer:
                    exception = LocustError("No answer in DNS response")
            except DNSException as error:
                exception = error
            self.request_event.fire(
                request_type="DNS",
                name=name or function_name,
                start_time=start_time,
                response_time=(time.perf_counter() - start) * 1000,
                response_length=0,
                response=response,
                context={},
                exception=exception,
            )
            return response

        return measured


class DNSUser(User):
    """A user with a `DNSClient`: `self.client.udp(message, server, port=…)`."""

    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.client = DNSClient(environment.events.request)
