"""The fast client. Underneath is the same engine as `HttpUser`'s; it is here for what locustfiles expect of it."""

from __future__ import annotations

import json as json_module
import re
import ssl
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from http.cookiejar import CookieJar as CookieJar
from ssl import SSLError as SSLError
from typing import TYPE_CHECKING, Any, ClassVar

import gevent
from gevent import Timeout as Timeout

from gregaria import _contexts, _cookies, _engine, _lazy, _sessions
from gregaria._fast import agent, responses
from gregaria._fast.agent import HTTPClientPool as HTTPClientPool
from gregaria._fast.agent import UserAgent as UserAgent
from gregaria._fast.errors import ConnectionError as ConnectionError
from gregaria._fast.errors import HTTPConnectionClosed as HTTPConnectionClosed
from gregaria._fast.errors import HTTPParseError as HTTPParseError
from gregaria._fast.errors import LocustBadStatusCode as LocustBadStatusCode
from gregaria._fast.errors import RetriesExceeded as RetriesExceeded
from gregaria._fast.headers import Headers as Headers
from gregaria._fast.responses import CompatResponse as CompatResponse
from gregaria._fast.sent import CompatRequest as CompatRequest

from ..event import EventHook
from ..exception import CatchResponseError as CatchResponseError
from ..exception import LocustError, StopTest
from ..exception import ResponseError as ResponseError
from ..user.users import RestMixin, User
from ..util import deprecation

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, TypedDict, Unpack

    from gregaria.timings import Timings

    from ..env import Environment

if TYPE_CHECKING:

    class PostKwargs(TypedDict, total=False):
        """What every verb takes."""

        name: str | None
        catch_response: bool
        stream: bool
        headers: Any
        auth: tuple[str | bytes, str | bytes] | None
        allow_redirects: bool
        context: dict[str, Any]
        params: Any
        files: Any
        max_retries: int | None
        max_redirects: int | None
        debug_stream: Any

    class PutKwargs(PostKwargs, total=False):
        """What verbs take that have `data` as an argument of its own."""

        json: Any

    PatchKwargs = PutKwargs

    class RESTKwargs(PutKwargs, total=False):
        """What verbs take that have no body by custom."""

        data: Any

    class CallKwargs(TypedDict, total=False):
        """What `request` takes beside the name."""

        data: Any
        json: Any
        catch_response: bool
        stream: bool
        headers: Any
        auth: tuple[str | bytes, str | bytes] | None
        allow_redirects: bool
        context: dict[str, Any]
        params: Any
        files: Any
        max_retries: int | None
        max_redirects: int | None
        debug_stream: Any


FastHttpLocust = deprecation.DeprecatedFastHttpLocustClass

absolute_http_url_regexp = re.compile(r"^https?://", re.IGNORECASE)

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


class LocustUserAgent(UserAgent):
    """What `FastHttpSession.client` is: the settings of the session's requests."""

    valid_response_codes = agent.VALID


def _made(session: FastHttpSession, name: str) -> Any:
    made = LocustUserAgent(session, session._settings) if name == "client" else _cookies.SessionCookies(session)
    session.__dict__[name] = made
    return made


@_lazy.attributes(_made, ("client", "_cookie_jar"))
class FastHttpSession(_engine.SessionBase):
    """The client of `FastHttpUser`; `get`, `post` and the others take what `HttpSession`'s take, and some do otherwise:
    a name is the URL as written, and unknown keywords become part of the query or the form."""

    _style: ClassVar[str] = "gevent"

    if TYPE_CHECKING:
        # What editors and type checkers see; the methods are the engine's.

        def request(
            self, method: str, url: str, name: str | None = None, **kwargs: Unpack[CallKwargs]
        ) -> ResponseContextManager: ...
        def get(self, url: str, **kwargs: Unpack[RESTKwargs]) -> ResponseContextManager: ...  # type: ignore[override]
        def head(self, url: str, **kwargs: Unpack[RESTKwargs]) -> ResponseContextManager: ...  # type: ignore[override]
        def options(self, url: str, **kwargs: Unpack[RESTKwargs]) -> ResponseContextManager: ...  # type: ignore[override]
        def delete(self, url: str, **kwargs: Unpack[RESTKwargs]) -> ResponseContextManager: ...  # type: ignore[override]
        def post(  # type: ignore[override]
            self, url: str, data: Any = None, json: Any = None, **kwargs: Unpack[PostKwargs]
        ) -> ResponseContextManager: ...
        def put(  # type: ignore[override]
            self, url: str, data: Any = None, **kwargs: Unpack[PutKwargs]
        ) -> ResponseContextManager: ...
        def patch(  # type: ignore[override]
            self, url: str, data: Any = None, **kwargs: Unpack[PutKwargs]
        ) -> ResponseContextManager: ...

    def __init__(
        self,
        base_url: str | None,
        request_event: EventHook,
        user: User | None,
        insecure: bool = True,
        client_pool: Any = None,
        ssl_context_factory: Callable[..., Any] | None = None,
        *,
        network_timeout: float | None = 5.0,
        connection_timeout: float | None = 5.0,
        max_redirects: int = 3,
        max_retries: int = 3,
        retry_delay: float = 0,
        concurrency: int = 1,
        headers: Any = None,
        proxy_host: str | None = None,
        proxy_port: int | None = None,
        **kwargs: Any,
    ) -> None:
        for name, value in kwargs.items():
            if value is not None:
                raise NotImplementedError(f"gregaria does not support `{name}` yet")
        base_url, credentials = _sessions.split_credentials(base_url)
        self._auth_header = responses.basic_auth(*credentials) if credentials else None
        self._settings = {
            "network_timeout": network_timeout,
            "connection_timeout": connection_timeout,
            "max_redirects": max_redirects,
            "max_retries": max_retries,
            "retry_delay": retry_delay,
            "insecure": insecure,
            "concurrency": concurrency,
            "headers": headers,
            "client_pool": client_pool,
            "ssl_context_factory": ssl_context_factory,
            "proxy": agent.proxy(proxy_host, proxy_port),
        }
        self._bind(base_url, request_event, user)
        self._configure()
        if client_pool is not None:
            self._join(agent.shared(client_pool))

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        if name == "request":
            # `get` and the others lead through it from now on.
            self._attribute_changed()

    def _configure(self) -> None:
        """Let the engine know how requests are to be sent."""
        chosen: UserAgent | None = self.__dict__.get("client")
        self._configure_fast(**agent.configuration(self._settings, chosen or LocustUserAgent, self.auth_header))
        if agent.connections(self._settings)["ssl_context_factory"] is not None:
            self._attribute_changed()

    def _read_attributes(self) -> None:
        """Asked for before the first request, and again until it succeeds."""
        chosen = agent.connections(self._settings)
        if chosen["ssl_context_factory"] is not None:
            _contexts.configure(self, chosen["ssl_context_factory"], chosen["insecure"])

    _cookie_jar: Any

    client: LocustUserAgent
    """The settings of this session's requests, to be looked at and changed."""

    @property
    def auth_header(self) -> str | None:
        """The Authorization header of requests that have no `auth=`."""
        return self._auth_header

    @auth_header.setter
    def auth_header(self, header: str | None) -> None:
        self._auth_header = header
        self._configure()

    @property
    def cookiejar(self) -> Any:
        """The cookies of this session; the engine sends them and keeps what servers set. None ends that."""
        return self._cookie_jar

    @cookiejar.setter
    def cookiejar(self, cookies: Any) -> None:
        self._cookies_ignored(cookies is None)
        _cookies.replace(self._cookie_jar, cookies or ())

    def _build_url(self, path: str) -> str:
        """The URL that a path is on the way to."""
        return path if absolute_http_url_regexp.match(path) else f"{self.base_url}{path}"

    @contextmanager
    def rename_request(self, name: str) -> Generator[None, None, None]:
        """Count all requests within the block under `name`."""
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None

    def iter_lines(self, url: str, method: str = "GET", **kwargs: Any) -> Generator[str, None, None]:
        """The lines of a response, as they arrive. Raises what the request failed with."""
        response = self.request(method, url, stream=True, **kwargs)
        response.raise_for_status()
        yield from responses.lines(response)


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
    http2: bool = False
    """Speak HTTP/2 where the server does: over TLS it is asked, without TLS it is taken to. Not in Locust."""
    abstract: ClassVar[bool] = True

    client: FastHttpSession

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if self.host is None:
            raise StopTest(
                "You must specify the base host. Either in the host attribute in the User class, "
                "or on the command line using the --host option."
            )
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


class FastRequest(CompatRequest):
    """The request that was answered; after redirects, the last one."""

    @property
    def body(self) -> Any:
        """The body that was sent; `None` without one."""
        return self.payload


class FastResponse(CompatResponse):
    """A response of the fast client."""

    encoding: str | None = None
    """Set it before reading `text` where the response does not tell, or not truly."""

    timings: Timings | None
    """Where the response time went: look-up, connect, TLS, sending, waiting, receiving. None if nothing was sent."""

    @property
    def ok(self) -> bool:
        """Whether the status is below 400; also when there was no response."""
        return self.status_code < 400

    @property
    def text(self) -> str | None:
        """The body as text; bytes that are none are replaced."""
        return responses.text(self)

    @property
    def url(self) -> str | None:
        """The URL of the response: after redirects, the last one. The one asked for, when there was no response."""
        return self._url or self._asked

    def json(self) -> Any:
        """The body, read as JSON. Raises json.JSONDecodeError."""
        return json_module.loads(self.text)  # type: ignore[arg-type]

    def raise_for_status(self) -> None:
        """Raise what the response failed with."""
        error = responses.error_of(self)
        if error is not None:
            raise error

    def iter_content(self, chunk_size: int = 1024, decode_content: bool = True) -> Generator[Any, None, None]:
        """What is left of the body, as it arrives; with `decode_content` as text where it is UTF-8."""
        return responses.content_of(self, chunk_size, decode_content)

    def success(self) -> None:
        """Raise `LocustError`: a response is judged in a `with` block, and made with `catch_response=True`."""
        raise LocustError(responses.NOT_CAUGHT)

    def failure(self, *_args: object, **_kwargs: object) -> None:
        """Raise `LocustError`: a response is judged in a `with` block, and made with `catch_response=True`."""
        raise LocustError(responses.NOT_CAUGHT)

    def __enter__(self) -> FastResponse:
        return self

    def __exit__(self, *args: object) -> None:  # type: ignore[override]
        if self.stream is not None:
            self.release()


class ErrorResponse(FastResponse):
    """Stands for the response of a request that got none."""

    headers = None
    content = None
    _response = None

    def __init__(self, request: CompatRequest | None = None, error: BaseException | None = None) -> None:
        if request is not None:
            self.__dict__.update(request=request, error=error)

    @property
    def url(self) -> str | None:
        """The URL that was asked for."""
        return self._asked or self.request.url


class ResponseContextManager(FastResponse):
    """A response that is counted when its `with` block ends, as the caller judged it there."""

    if TYPE_CHECKING:
        # In a coroutine a request is awaited, or used in `async with`.

        def __await__(self) -> Generator[Any, Any, Self]: ...
        async def __aenter__(self) -> Self: ...
        async def __aexit__(self, *raised: object) -> bool | None: ...

    __enter__ = _engine.ResponseBase.__enter__
    __exit__ = _engine.ResponseBase.__exit__  # type: ignore[assignment]
    success = _engine.ResponseBase.success
    failure = _engine.ResponseBase.failure  # type: ignore[assignment]

    def raise_for_status(self) -> None:
        """Raise what the response was judged a failure with, or what its status says if nobody judged it."""
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
