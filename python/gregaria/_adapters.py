"""What sends a prepared request: the engine, in the place of requests' adapters and with their retries.

An adapter of a locustfile's own that calls `super().send` gets the engine there, too, unless it has replaced
something that only urllib3's connections honour.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from requests.utils import select_proxy
from urllib3 import PoolManager
from urllib3.exceptions import MaxRetryError
from urllib3.util import Retry, Timeout
from urllib3.util.request import set_file_position

from . import _engine, _responses, _uploads

PLAIN_SEND: Any = HTTPAdapter.send
"""As it is when nobody has patched it."""


class Call:
    """What one call of the client has taken so far: its exchanges, and the pauses before further attempts, in ms."""

    __slots__ = ("exchanges", "pauses")

    def __init__(self) -> None:
        self.exchanges: list[Any] = []
        self.pauses = 0.0


call: ContextVar[Call | None] = ContextVar("call", default=None)
"""The call under way: its response time is the sum of its exchanges' and pauses'."""

sender: ContextVar[Any] = ContextVar("sender", default=None)
"""The session that is sending, for adapters that belong to none."""

_streams: ContextVar[bool] = ContextVar("streams", default=False)


class _Connection:
    """What a patched `HTTPAdapter.send` that goes on to the original one finds in the place of a connection pool."""

    def __init__(self, adapter: HTTPAdapter, session: Any, request: PreparedRequest, options: dict[str, Any]) -> None:
        self._send = adapter, session, request
        self._options = options

    def urlopen(self, timeout: Any, retries: Any, **_: Any) -> Any:
        """Send the request. An error comes back: what is raised here would be wrapped once more."""
        try:
            return send(*self._send, retries, _streams.get(), timeout, **self._options)
        except requests.RequestException as error:
            return error


class _OverEngine(HTTPAdapter):
    """Sends over the engine's connections."""

    def _whose(self) -> Any:
        """The session whose connections are used."""
        return sender.get()

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send a prepared request. Raises requests' exceptions."""
        session = self._whose()
        options = {"stream": stream, "timeout": timeout, "verify": verify, "cert": cert, "proxies": proxies}
        if session is None or HTTPAdapter.send is not PLAIN_SEND:
            token = _streams.set(stream)
            try:
                return HTTPAdapter.send(self, request, **options)
            finally:
                _streams.reset(token)
        self.add_headers(request, **options)
        response: requests.Response = send(
            self, session, request, self.max_retries, stream, timeout, verify, cert, proxies
        )
        return response

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Asked by requests' own `send` alone."""
        session = self._whose()
        if session is None:
            return super().get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        return _Connection(self, session, request, {"verify": verify, "proxies": proxies, "cert": cert})

    def build_response(self, req: PreparedRequest, resp: Any) -> Any:
        """Asked by requests' own `send` alone, with what the connection gave."""
        if isinstance(resp, BaseException):
            raise resp
        return resp if isinstance(resp, _engine.ResponseBase) else super().build_response(req, resp)


class EngineAdapter(_OverEngine):
    """An adapter that has nothing but the engine: that of its session, or else one of its own."""

    def __init__(self, *args: Any, session: Any = None, **kwargs: Any) -> None:
        self._session = session
        super().__init__(*args, **kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """There are no pools of urllib3's: connections are the engine's."""
        self.poolmanager = None

    def _whose(self) -> Any:
        if self._session is None:
            sending = sender.get()
            if sending is not None:
                return sending
            from locust.clients import HttpSession

            self._session = HttpSession("", None, None)  # type: ignore[arg-type]
        return self._session

    def close(self) -> None:
        """Close the connections that are kept alive."""
        if self._session is not None:
            self._session._close_connections()


_BELOW_SEND = frozenset(vars(HTTPAdapter)) - {"__init__", "send", "add_headers", "close", "max_retries"}
_BELOW_SEND -= {name for name in _BELOW_SEND if name.startswith("__") and name != "__getattribute__"}

PlainAdapter = type("HTTPAdapter", (_OverEngine,), {"__module__": HTTPAdapter.__module__})
"""What a mounted adapter of requests' own class becomes."""


def take_over(adapter: Any) -> None:
    """Have a mounted adapter of requests' class, or of a class on top of it, find the engine where it sends."""
    kind = type(adapter)
    if issubclass(kind, _OverEngine) or not issubclass(kind, HTTPAdapter):
        return
    over = PlainAdapter if kind is HTTPAdapter else _over_engine(kind)
    if over is not None and _has_plain_pools(adapter):
        adapter.__class__ = over


_OVER = "_over_engine"
"""Where a class keeps what its adapters become: it lives as long as the class."""


def _over_engine(kind: type) -> type | None:
    """`kind` with the engine between it and requests' adapter; None where that would pass over something it does."""
    if _OVER not in vars(kind):
        setattr(kind, _OVER, _made_over(kind))
    over: type | None = vars(kind)[_OVER]
    return over


def _made_over(kind: type) -> type | None:
    own = kind.__mro__[: kind.__mro__.index(HTTPAdapter)]
    if any(not _BELOW_SEND.isdisjoint(vars(class_)) for class_ in own):
        return None
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    try:
        return type(kind)(kind.__name__, (kind, _OverEngine), names)
    except TypeError:
        return None  # its metaclass, or its place among other bases, does not allow it


def _has_plain_pools(adapter: Any) -> bool:
    """Whether the adapter's pools of connections are as requests makes them."""
    pools = adapter.__dict__.get("poolmanager")
    return (
        type(pools) is PoolManager
        and pools.connection_pool_kw.keys() <= {"maxsize", "block"}
        and _BELOW_SEND.isdisjoint(adapter.__dict__)
    )


def only_sends(adapter: Any) -> bool:
    """Whether an adapter does nothing else than to send a request once."""
    take_over(adapter)
    if type(adapter) is not PlainAdapter:
        from locust.clients import LocustHttpAdapter

        if type(adapter) is not LocustHttpAdapter:
            return False
    return "send" not in adapter.__dict__ and not _retries(_policy(adapter.max_retries))


def _policy(given: Any) -> Retry:
    """Of an adapter's `max_retries`: it may be a number as well."""
    return given if isinstance(given, Retry) else Retry.from_int(given, redirect=False)


def _retries(policy: Any) -> bool:
    """Whether a policy ever sends a request again."""
    return bool(policy.total or policy.connect or policy.read or policy.redirect or policy.status or policy.other)


def send(
    adapter: HTTPAdapter,
    session: Any,
    request: PreparedRequest,
    policy: Any,
    stream: bool,
    timeout: Any,
    verify: Any,
    cert: Any,
    proxies: Any,
) -> Any:
    """Send, and send again as long as `policy` says so. Raises requests' exceptions."""
    proxy = select_proxy(request.url, proxies) or None if proxies else None  # type: ignore[arg-type]
    options = {"stream": bool(stream), "timeout": timeout, "verify": verify, "cert": cert, "proxy": proxy}
    if isinstance(timeout, Timeout):
        options["timeout"] = _as_pair(timeout)
    policy = _policy(policy)
    if _retries(policy):
        response = _send_again_and_again(session, request, policy, options)
    else:
        response = _exchange(session, request, options)
    error = response._error
    if error is not None:
        if not response._is_of_the_body:
            error.request = request
        raise error
    response.__dict__.update(request=request, connection=adapter, url=request.url, history=[])
    return response


def _send_again_and_again(session: Any, request: PreparedRequest, policy: Any, options: dict[str, Any]) -> Any:
    """The first response that `policy` takes, or the one after which it has no more attempts."""
    method, url = request.method or "GET", request.path_url
    position = None
    while True:
        if not isinstance(request.body, (bytes, str, type(None))):
            position = set_file_position(request.body, position)
        response = _exchange(session, request, options)
        if response._error is not None:
            policy = _after_error(policy, method, url, response._error, request)
            _pause(policy)
            continue
        if not policy.is_retry(method, response.status_code, "retry-after" in response.headers):
            return response
        try:
            policy = policy.increment(method, url, response=response.raw, _pool=_pool_of(request))
        except MaxRetryError as spent:
            if policy.raise_on_status:
                raise requests.exceptions.RetryError(spent, request=request) from spent
            return response
        _pause(policy, response.raw)


def _pool_of(request: PreparedRequest) -> Any:
    return _responses.pool_of(request.url or "")


def _after_error(policy: Any, method: str, url: str, error: requests.RequestException, request: PreparedRequest) -> Any:
    """The policy with one attempt fewer. Raises the error when there is none left."""
    reason = error.args[0] if error.args else error
    reason = getattr(reason, "reason", None) or reason
    root = error.__context__
    try:
        return policy.increment(method, url, error=reason, _pool=_pool_of(request))
    except Exception as spent:
        if isinstance(spent, MaxRetryError):
            error.args = (spent,)
        # What happened stays at the bottom of the chain: it is what is reported.
        spent.__context__ = root
        raise error from error.__cause__


def _pause(policy: Any, response: Any = None) -> None:
    """Wait as long as the policy, or the server, wants: part of the response time, as everything a user waits for."""
    began = time.perf_counter()
    policy.sleep(response)
    under_way = call.get()
    if under_way is not None:
        under_way.pauses += (time.perf_counter() - began) * 1000


def _exchange(session: Any, request: PreparedRequest, options: dict[str, Any]) -> Any:
    body: Any = request.body
    if body is None or isinstance(body, (bytes, str)):
        response = _engine.send_prepared(session, request, body, None, **options)
    elif isinstance(body, (bytearray, memoryview)):
        response = _engine.send_prepared(session, request, bytes(body), None, **options)
    else:
        response = _uploads.send(session, request, options)
    under_way = call.get()
    if under_way is not None:
        under_way.exchanges.append(response)
    return response


def _as_pair(timeout: Timeout) -> tuple[Any, Any]:
    running = timeout.clone()
    running.start_connect()  # one with a `total` does not say what is left of it before
    return running.connect_timeout, running.read_timeout
