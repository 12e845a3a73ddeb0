"""The fast client. Underneath is the same engine as `HttpUser`'s; it is here for what locustfiles expect of it."""

from __future__ import annotations

import json as json_module
import re
import ssl
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import gevent

from gregaria import _contexts, _engine, _fast, _sessions

from ..exception import LocustError, StopTest
from ..user.users import RestMixin, User
from ..util.deprecation import FastHttpLocust as FastHttpLocust

if TYPE_CHECKING:
    from gregaria.timings import Timings

    from ..env import Environment
    from ..event import EventHook

absolute_http_url_regexp = re.compile(r"^https?://", re.IGNORECASE)


class ConnectionError(Exception):
    """What went wrong below HTTP, and the base of the client's own errors. Not the builtin of that name."""


class RetriesExceeded(ConnectionError):
    """No response after so many further attempts (`text` says how many, or what else ran out).

    `original` is the last attempt's error.
    """

    def __init__(self, url: str, text: int | str, original: BaseException | None = None) -> None:
        super().__init__(url, text)
        self.url, self.text, self.original = url, text, original

    def __str__(self) -> str:
        more = f", original={self.original}" if self.original is not None else ""
        return f"URL {self.url}: {self.text}{more}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, {self.text!r}, original={self.original})"


class HTTPConnectionClosed(ConnectionError):
    """The server closed the connection before a response came."""


class HTTPParseError(ConnectionError):
    """What came is no complete HTTP response."""


class LocustBadStatusCode(ConnectionError):
    """The response's status is none that counts as a success."""

    def __init__(
        self, url: str | None, code: int = 0, response: Any = None, request: Any = None, http_log: str = ""
    ) -> None:
        super().__init__(url, code)
        self.url, self.code, self.response, self.request, self.http_log = url, code, response, request, http_log

    def __str__(self) -> str:
        return f"URL {self.url}: code={self.code}"

    def __repr__(self) -> str:
        return f"LocustBadStatusCode(code={self.code})"


FAILURE_EXCEPTIONS = (
    ConnectionError,
    ConnectionRefusedError,
    ConnectionResetError,
    OSError,
    ssl.SSLError,
    gevent.Timeout,
    HTTPConnectionClosed,
    HTTPParseError,
    zlib.error,
)


def insecure_ssl_context_factory() -> ssl.SSLContext:
    """A context that accepts any certificate."""
    return ssl._create_unverified_context()


class FastHttpSession(_engine.SessionBase):
    """The client of `FastHttpUser`; `get`, `post` and the others take what `HttpSession`'s take, and some do otherwise:
    a name is the URL as written, and unknown keywords become part of the query or the form."""

    _style: ClassVar[str] = "gevent"

    auth_header: str | None = None

    def __init__(
        self,
        base_url: str,
        request_event: EventHook,
        user: User | None,
        insecure: bool = True,
        client_pool: Any = None,
        ssl_context_factory: Any = None,
        *,
        network_timeout: float | None = 5.0,
        connection_timeout: float | None = 5.0,
        max_redirects: int = 3,
        max_retries: int = 3,
        concurrency: int = 10,
        headers: dict[str, str] | None = None,
        proxy_host: str | None = None,
        proxy_port: int | None = None,
        **kwargs: Any,
    ) -> None:
        unbuilt = {
            "client_pool": client_pool,
            "proxy_host": proxy_host,
            "proxy_port": proxy_port,
            **kwargs,
        }
        for name, value in unbuilt.items():
            if value is not None:
                raise NotImplementedError(f"gregaria does not support `{name}` yet")
        base_url, credentials = _sessions.split_credentials(base_url)
        if credentials:
            self.auth_header = _fast.basic_auth(*credentials)
        self._bind(base_url, request_event, user)
        self._configure_fast(
            network_timeout=network_timeout,
            connection_timeout=connection_timeout,
            max_redirects=max_redirects,
            insecure=insecure,
            authorities=None if insecure else _contexts.system_authorities(),
            concurrency=concurrency,
            headers=_fast.headers(headers),
            authorization=self.auth_header,
        )
        self._insecure = insecure
        self._ssl_context_factory = ssl_context_factory
        if ssl_context_factory is not None:
            self._attribute_changed()

    def _read_attributes(self) -> None:
        """Asked for before the first request, and again until it succeeds."""
        _contexts.configure(self, self._ssl_context_factory, self._insecure)

    @contextmanager
    def rename_request(self, name: str) -> Generator[None, None, None]:
        """Count all requests within the block under `name`."""
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None


class FastHttpUser(User, RestMixin["RestResponseContextManager"]):
    """A user with the fast client. Times in seconds; all attributes are read when a user is made."""

    network_timeout: float = 60.0
    """The longest silence of the server."""
    connection_timeout: float = 60.0
    max_redirects: int = 30
    max_retries: int = 0
    insecure: bool = True
    """Accept any certificate."""
    default_headers: dict[str, str] | None = None
    """Added to every request."""
    concurrency: int = 10
    """How many requests of one user may be under way at once; further ones wait."""
    proxy_host: str | None = None
    proxy_port: int | None = None
    client_pool: Any = None
    ssl_context_factory: Any = None
    """Called for the `ssl.SSLContext` that says whom the user trusts and who he is."""
    abstract: ClassVar[bool] = True

    client: FastHttpSession

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if self.host is None:
            raise StopTest(
                "You must specify the base host. Either in the host attribute in the User class, "
                "or on the command line using the --host option."
            )
        if self.max_retries:
            raise NotImplementedError("gregaria does not support `max_retries` yet")
        self.client = FastHttpSession(
            base_url=self.host,
            request_event=environment.events.request,
            user=self,
            network_timeout=self.network_timeout,
            connection_timeout=self.connection_timeout,
            max_redirects=self.max_redirects,
            max_retries=self.max_retries,
            insecure=self.insecure,
            concurrency=self.concurrency,
            headers=self.default_headers,
            proxy_host=self.proxy_host,
            proxy_port=self.proxy_port,
            client_pool=self.client_pool,
            ssl_context_factory=self.ssl_context_factory,
        )


class FastResponse(_engine.ResponseBase):
    """A response of the fast client."""

    encoding: str | None = None

    timings: Timings | None
    """Where the response time went: look-up, connect, TLS, sending, waiting, receiving. None if nothing was sent."""

    def __getattr__(self, name: str) -> Any:
        return _fast.attribute(self, name)

    @property
    def ok(self) -> bool:
        """Whether the status is below 400; also when there was no response."""
        return self._status < 400

    @property
    def text(self) -> str | None:
        """The body as text; bytes that are none are replaced."""
        return _fast.text(self)

    @property
    def url(self) -> str | None:
        """The URL of the response: after redirects, the last one."""
        return self._url

    def json(self) -> Any:
        """The body, read as JSON. Raises json.JSONDecodeError."""
        return json_module.loads(self.text)  # type: ignore[arg-type]

    def raise_for_status(self) -> None:
        """Raise what the response failed with."""
        error = _fast.error_of(self)
        if error is not None:
            raise error

    def success(self) -> None:
        raise LocustError(_fast.NOT_CAUGHT)

    def failure(self, exc: object) -> None:
        raise LocustError(_fast.NOT_CAUGHT)

    def __enter__(self) -> FastResponse:
        return self

    def __exit__(self, *args: object) -> None:  # type: ignore[override]
        return None


class FastRequest(_fast.Request):
    """The request that was answered; after redirects, the last one."""


class ErrorResponse(FastResponse):
    """Stands for the response of a request that got none."""

    headers = None

    @property
    def url(self) -> str | None:
        """The URL that was asked for."""
        asked: str | None = self._asked
        return asked


class ResponseContextManager(FastResponse):
    """A response that is counted when its `with` block ends, as the caller judged it there."""

    __enter__ = _engine.ResponseBase.__enter__
    __exit__ = _engine.ResponseBase.__exit__  # type: ignore[assignment]
    success = _engine.ResponseBase.success
    failure = _engine.ResponseBase.failure

    def raise_for_status(self) -> None:
        verdict = self._manual_result
        if isinstance(verdict, Exception):
            raise verdict
        if verdict is None:
            super().raise_for_status()


class RestResponseContextManager(ResponseContextManager):
    """What `rest` gives, as type checkers see it. The object itself is a `ResponseContextManager`."""

    js: Any
    """The JSON that came, or None."""
    error: BaseException
    headers: Any
