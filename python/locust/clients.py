"""The client of `HttpUser`: requests' session, with the engine underneath."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import requests
from requests.adapters import BaseAdapter
from requests.auth import HTTPBasicAuth
from requests.cookies import RequestsCookieJar
from requests.models import REDIRECT_STATI

from gregaria import _adapters, _engine, _lazy, _preparing, _responses, _sending, _sessions, _slow

from .event import EventHook
from .exception import CatchResponseError as CatchResponseError
from .exception import LocustError
from .exception import ResponseError as ResponseError

if TYPE_CHECKING:
    from urllib3 import PoolManager

    from gregaria.timings import Timings

    from .user import User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping
    from typing import Self, TypedDict, Unpack

    class RequestKwargs(TypedDict, total=False):
        """What requests itself takes."""

        params: Any
        headers: Mapping[str, str | bytes | None] | None
        cookies: RequestsCookieJar | MutableMapping[str, str] | None
        files: Any
        auth: Any
        timeout: float | tuple[float | None, float | None] | None
        allow_redirects: bool
        proxies: MutableMapping[str, str] | None
        hooks: Mapping[str, Iterable[Callable[..., Any]] | Callable[..., Any]] | None
        stream: bool | None
        verify: bool | str | None
        cert: str | tuple[str, str] | None

    class RESTKwargs(RequestKwargs, total=False):
        """What every verb takes."""

        name: str | None
        catch_response: bool
        context: dict[str, Any]

    class _JsonKwargs(RESTKwargs, total=False):
        json: Any

    class _BodyKwargs(_JsonKwargs, total=False):
        data: Any

    class CallKwargs(RequestKwargs, total=False):
        """What `request` takes beside the name."""

        catch_response: bool
        context: dict[str, Any]
        data: Any
        json: Any


absolute_http_url_regexp = re.compile(r"^https?://", re.IGNORECASE)


@_lazy.attributes(_sessions.default, _sessions.NAMES)
class HttpSession(_engine.SessionBase, requests.Session):
    """A `requests.Session` whose requests are counted, and sent by the engine.

    URLs that are no absolute ones are appended to `base_url`. Beside what requests accepts, `get`, `post` and the
    others take `name` (the label in the statistics), `catch_response` (to judge the response in a `with` block) and
    `context` (a dict that listeners of `events.request` get).
    """

    _style: ClassVar[str] = "requests"

    if TYPE_CHECKING:
        # What editors and type checkers see; the methods are the engine's.

        def request(  # type: ignore[override]
            self, method: str, url: str, name: str | None = None, **kwargs: Unpack[CallKwargs]
        ) -> ResponseContextManager: ...
        def get(self, url: str, **kwargs: Unpack[_BodyKwargs]) -> ResponseContextManager: ...  # type: ignore[override]
        def head(self, url: str, **kwargs: Unpack[_BodyKwargs]) -> ResponseContextManager: ...  # type: ignore[override]
        def options(self, url: str, **kwargs: Unpack[_BodyKwargs]) -> ResponseContextManager: ...  # type: ignore[override]
        def delete(self, url: str, **kwargs: Unpack[_BodyKwargs]) -> ResponseContextManager: ...  # type: ignore[override]
        def post(  # type: ignore[override]
            self, url: str, data: Any = None, json: Any = None, **kwargs: Unpack[RESTKwargs]
        ) -> ResponseContextManager: ...
        def put(  # type: ignore[override]
            self, url: str, data: Any = None, **kwargs: Unpack[_JsonKwargs]
        ) -> ResponseContextManager: ...
        def patch(  # type: ignore[override]
            self, url: str, data: Any = None, **kwargs: Unpack[_JsonKwargs]
        ) -> ResponseContextManager: ...

    def __init__(
        self,
        base_url: str,
        request_event: EventHook,
        user: User | None,
        *args: Any,
        pool_manager: PoolManager | None = None,
        **kwargs: Any,
    ) -> None:
        base_url, credentials = _sessions.split_credentials(base_url)
        self._bind(base_url, request_event, user)
        if pool_manager is not None:
            self._join(_sessions.shared(pool_manager))
        if credentials:
            self.auth = HTTPBasicAuth(*credentials)

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        if name in _sessions.WATCHED:
            self._attribute_changed()

    @property
    def cookies(self) -> RequestsCookieJar:
        """The cookies of this session; the engine sends them and keeps what servers set."""
        jar: RequestsCookieJar | None = self.__dict__.get("_cookie_jar")
        return _sessions.new_jar(self) if jar is None else jar

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        _sessions.set_cookies(self, cookies)

    def _build_url(self, path: str) -> str:
        """The whole URL of what `get` and the others are given."""
        is_absolute = absolute_http_url_regexp.match(path) or _sessions.is_unix(path)
        return path if is_absolute else f"{self.base_url}{path}"

    # These three do what requests' do, for less. Somebody's patch of requests' comes first.

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """A request with what the session adds to it, ready for `send`."""
        prepared = None if _slow.is_patched("prepare_request") else _preparing.prepare(self, request)
        prepared = super().prepare_request(request) if prepared is None else prepared
        if name := getattr(self, "explicit_name", None):
            prepared._explicit_name = name  # type: ignore[attr-defined]  # for those who name spans
        return prepared

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """`proxies`, `stream`, `verify` and `cert` of a request: its own, the environment's, the session's."""
        if _slow.is_patched("merge_environment_settings"):
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        return _sending.merge_environment(self, url, proxies, stream, verify, cert)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a prepared request, uncounted. Raises requests' exceptions."""
        if _slow.is_patched("send"):
            return super().send(request, **kwargs)
        response: requests.Response = _sending.send(self, request, kwargs)
        return response

    def get_adapter(self, url: str) -> BaseAdapter:
        """What sends requests to `url`. Adapters of requests' own class do so over the engine, with their retries."""
        if _slow.is_patched("get_adapter"):
            return super().get_adapter(url=url)
        adapter: BaseAdapter = _sessions.adapter_for(self, url)
        return adapter

    def close(self) -> None:
        """Close the connections that are kept alive; the session stays usable."""
        self._close_connections()
        for adapter in self.__dict__.get("adapters", {}).values():
            adapter.close()

    @contextmanager
    def rename_request(self, name: str) -> Generator[None, None, None]:
        """Count all requests within the block under `name`."""
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None


class LocustHttpAdapter(_adapters.EngineAdapter):
    """What sends the requests that requests' own code has made."""

    def __init__(self, pool_manager: PoolManager | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


@_lazy.attributes(_responses.attribute, _responses.NAMES)
class ResponseContextManager(_engine.ResponseBase, requests.Response):  # type: ignore[misc]
    """A response. With `catch_response=True` it is a context manager, and counted when its `with` block ends::

        with self.client.get("/", catch_response=True) as response:
            if response.text != "fine":
                response.failure("not fine")

    The last verdict of the block is what counts; without one, the status is.
    """

    error: BaseException | None
    """What the request failed with when it got no response."""

    timings: Timings | None
    """Where the response time went: look-up, connect, TLS, sending, waiting, receiving. None if nothing was sent."""

    if TYPE_CHECKING:
        # In a coroutine a request is awaited, or used in `async with`.

        def __await__(self) -> Generator[Any, Any, Self]: ...
        async def __aenter__(self) -> Self: ...
        async def __aexit__(self, *raised: object) -> bool | None: ...

    @property
    def is_redirect(self) -> bool:
        """Whether it leads elsewhere."""
        return self.status_code in REDIRECT_STATI and "location" in self.headers

    def json(self, **kwargs: Any) -> Any:
        """The body, read as JSON. Raises requests' JSONDecodeError."""
        if not kwargs and self._is_plain_json and self.__dict__.keys().isdisjoint(("encoding", "_content")):
            return _responses.plain_json(self)
        return requests.Response.json(self, **kwargs)

    def raise_for_status(self) -> None:
        """Raise what the response failed with: the caller's verdict, the connection's error, or a bad status."""
        verdict = self._manual_result
        if isinstance(verdict, Exception):
            raise verdict
        if verdict is None:
            if self.error is not None:
                raise self.error
            requests.Response.raise_for_status(self)


class RestResponseContextManager(ResponseContextManager):
    """What `rest` gives, as type checkers see it. The object itself is a `ResponseContextManager`."""

    js: Any
    """The JSON that came, or None."""


def _not_caught(self: requests.Response, *args: object) -> None:
    raise LocustError(
        "If you want to change the state of the request using .success() or .failure(), "
        "you must pass catch_response=True. "
        "See http://docs.locust.io/en/stable/writing-a-locustfile.html#validating-responses"
    )


# Locust has these on requests' own class: whoever calls them on a plain response learns what to do.
requests.Response.success = _not_caught  # type: ignore[attr-defined]
requests.Response.failure = _not_caught  # type: ignore[attr-defined]
