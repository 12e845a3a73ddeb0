"""Requests that the engine does not prepare itself: requests' own code does, and the engine sends them.

Whatever has a say in requests' way of making a request leads here: hooks, authentication objects, proxies, mounted
adapters, streamed bodies, methods of the session that a locustfile has replaced. Slower, and exact.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

import gevent
import requests
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from requests.utils import get_encoding_from_headers, select_proxy
from urllib3.exceptions import MaxRetryError
from urllib3.util import Timeout

from . import _engine, _hooked, _responses

SEAMS: dict[str, Any] = {
    name: getattr(requests.Session, name)
    for name in (
        "send",
        "prepare_request",
        "merge_environment_settings",
        "resolve_redirects",
        "rebuild_auth",
        "rebuild_proxies",
        "rebuild_method",
        "get_redirect_target",
        "should_strip_auth",
    )
}
"""The methods of requests' sessions that the engine does without, as they are when nobody has replaced them."""

_BELOW: dict[str, Any] = {name: getattr(requests.Session, name) for name in ("request", "get_adapter")}
"""Methods that Locust's session has too, and that call these: somebody's patch of them is meant for it as well."""

_exchanges: ContextVar[list[Any] | None] = ContextVar("exchanges", default=None)
"""The engine's responses in the call under way: the response time is the sum of theirs."""

_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")
_NAMES = frozenset(name.encode() for name in (*_PROXY_VARIABLES, *(name.upper() for name in _PROXY_VARIABLES), "NETRC"))


def has_own_seams(class_: Any) -> bool:
    """Whether a class, or somebody's patch, has replaced a method that the engine does without."""
    if any(getattr(class_, name) is not plain for name, plain in SEAMS.items()):
        return True
    if any(getattr(requests.Session, name) is not plain for name, plain in _BELOW.items()):
        return True
    from locust.clients import HttpSession

    return class_._build_url is not HttpSession._build_url or class_.get_adapter is not HttpSession.get_adapter


def environment() -> bool | str:
    """What the environment has for a session with `trust_env`: a bundle of certificates to check servers' against, or
    (true) proxies or passwords, which only requests' own code looks up."""
    variables = getattr(os.environ, "_data", None)
    if variables is None or not _NAMES.isdisjoint(variables) or _has_netrc():
        return True
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or False


_netrc_checked = (0.0, False)


def _has_netrc() -> bool:
    """Whether there is a `.netrc`; looked for once a second at most."""
    global _netrc_checked
    now = time.monotonic()
    if now - _netrc_checked[0] > 1 or not _netrc_checked[0]:
        _netrc_checked = now, any(os.path.exists(os.path.expanduser(f"~/{name}")) for name in (".netrc", "_netrc"))
    return _netrc_checked[1]


def differs(session: Any) -> bool:
    """Whether anything set on a session has a say in its requests that only requests' code honours."""
    attributes = session.__dict__
    return bool(
        not REPLACEABLE.isdisjoint(attributes)
        or attributes.get("proxies")
        or any((attributes.get("hooks") or {}).values())
        or any(has_a_say(adapter) for adapter in attributes.get("adapters", {}).values())
        or getattr(attributes.get("_cookie_jar"), "has_own_policy", False)
    )


REPLACEABLE = frozenset((*SEAMS, "_build_url", "get_adapter"))
"""What on a session leads its calls through requests' own code."""


def has_a_say(adapter: Any) -> bool:
    """Whether an adapter does anything else than to send a request once."""
    from locust.clients import LocustHttpAdapter

    return type(adapter) not in (HTTPAdapter, LocustHttpAdapter) or _retries(adapter.max_retries)


def request(
    session: Any,
    method: str,
    url: str,
    name: str | None = None,
    catch_response: bool = False,
    context: dict[str, Any] | None = None,
    **arguments: Any,
) -> Any:
    """One call, made by requests' own code. Raises what requests raises for what is no request at all."""
    name = name or session.request_name
    session.__dict__["explicit_name"] = name
    exchanges: list[Any] = []
    response: Any
    ours: Any
    token = _exchanges.set(exchanges)
    start_time, started = time.time(), time.perf_counter()
    full_url = session._build_url(url)
    try:
        if _hooked.serves(session, arguments):
            response = _hooked.send(session, method, url, arguments)
        else:
            response = requests.Session.request(session, method, full_url, **arguments)
        error = None
    except (
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
    ):
        raise
    except requests.RequestException as failure:
        response, error = _dummy(failure), failure
    finally:
        _exchanges.reset(token)
    # Who brings an adapter of his own is measured from outside, as Locust measures everything.
    elapsed = (time.perf_counter() - started) * 1000
    response_time = sum(exchange._response_time for exchange in exchanges) if exchanges else elapsed
    ours = response if isinstance(response, _engine.ResponseBase) else adopt(response)
    first = (ours.history[0] if ours.history else ours).request
    user = session.user
    meta = {
        "request_type": method,
        "response_time": response_time,
        "name": name or (first.path_url if first is not None else str(url)),
        "context": {**user.context(), **(context or {})} if user is not None else (context or {}),
        "response": ours,
        "exception": None,
        "start_time": start_time,
        "url": first.url if first is not None else full_url,
        "response_length": _length(ours, bool(arguments.get("stream") or session.stream)),
    }
    ours._stand_for(session, meta, error, catch_response, exchanges)
    return ours


def _length(response: Any, stream: bool) -> int:
    if stream:
        return int(response.headers.get("content-length") or 0)
    return len(response.content or b"")


def _dummy(error: requests.RequestException) -> Any:
    from locust.clients import ResponseContextManager

    response = ResponseContextManager(error)
    response.request = error.request  # type: ignore[assignment]
    return response


def adopt(response: requests.Response) -> Any:
    """A response that somebody else's adapter, or hook, has made: the same, in a class that can be judged."""
    from locust.clients import ResponseContextManager

    ours = ResponseContextManager()
    for name, value in response.__dict__.items():
        if value is not None or name != "status_code":
            setattr(ours, name, value)
    return ours


class EngineAdapter(HTTPAdapter):
    """Sends prepared requests over the engine's connections."""

    def __init__(self, *args: Any, session: Any = None, **kwargs: Any) -> None:
        self._session = session
        super().__init__(*args, **kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """There are no pools of urllib3's: connections are the engine's."""
        self.poolmanager = None

    @property
    def session(self) -> Any:
        """Whose connections are used: the session's that this adapter came with, or else its own."""
        if self._session is None:
            from locust.clients import HttpSession

            self._session = HttpSession("", None, None)  # type: ignore[arg-type]
        return self._session

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
        response: requests.Response = send(
            self, self.session, request, self.max_retries, stream, timeout, verify, cert, proxies
        )
        return response

    def close(self) -> None:
        """Close the connections that are kept alive."""
        if self._session is not None:
            self._session._close_connections()


class Bridged(EngineAdapter):
    """Stands for a mounted adapter of requests' own class: the engine sends, with that adapter's retries."""

    def __init__(self, session: Any, mounted: HTTPAdapter) -> None:
        super().__init__(session=session, max_retries=mounted.max_retries)


def bridge(session: Any, mounted: HTTPAdapter) -> Bridged:
    """What sends in the place of `mounted`: the same one each time, as long as that is there."""
    bridges: WeakKeyDictionary[HTTPAdapter, Bridged]
    bridges = session.__dict__.setdefault("_bridged", WeakKeyDictionary())
    bridge = bridges.get(mounted)
    if bridge is None:
        bridge = bridges[mounted] = Bridged(session, mounted)
    bridge.max_retries = mounted.max_retries
    return bridge


def _retries(policy: Any) -> bool:
    return any(getattr(policy, kind, None) for kind in ("total", "connect", "read", "redirect", "status", "other"))


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
    """Send, and send again as long as `policy` (urllib3's Retry) says so."""
    options = {
        "stream": bool(stream),
        "timeout": _timeout(timeout),
        "verify": verify,
        "cert": cert,
        "proxy": select_proxy(request.url, proxies) or None,  # type: ignore[arg-type]
    }
    retrying = _retries(policy)
    while True:
        response = _exchange(session, request, options)
        response.request = request
        response.connection = adapter
        error = response._error
        if not retrying:
            break
        method, url = request.method or "GET", request.path_url
        if error is not None:
            policy = _increment(policy, method, url, error, _responses.pool_of(request.url or ""))
            policy.sleep()
            continue
        if not policy.is_retry(method, response.status_code, "retry-after" in response.headers):
            break
        try:
            policy = policy.increment(method, url, response=response.raw, _pool=_responses.pool_of(request.url or ""))
        except MaxRetryError as spent:
            if policy.raise_on_status:
                raise requests.exceptions.RetryError(spent, request=request) from spent
            break
        policy.sleep(response.raw)
    if error is not None:
        error.request = request
        raise error
    response.url = request.url
    response.encoding = get_encoding_from_headers(response.headers)
    return response


def _increment(policy: Any, method: str, url: str, error: requests.RequestException, pool: Any) -> Any:
    """The policy with one attempt fewer. Raises the error when there is none left."""
    reason = error.args[0] if error.args else error
    reason = getattr(reason, "reason", None) or reason
    root = error.__context__
    try:
        return policy.increment(method, url, error=reason, _pool=pool)
    except Exception as spent:
        if isinstance(spent, MaxRetryError):
            error.args = (spent,)
        # What happened stays at the bottom of the chain: it is what is reported.
        spent.__context__ = root
        raise error from error.__cause__


def _exchange(session: Any, request: PreparedRequest, options: dict[str, Any]) -> Any:
    body: Any = request.body
    if body is None or isinstance(body, (bytes, str)):
        response = _engine.send_prepared(session, request, body, None, **options)
    elif isinstance(body, (bytearray, memoryview)):
        response = _engine.send_prepared(session, request, bytes(body), None, **options)
    else:
        response = _upload(session, request, _pieces(body), options)
    exchanges = _exchanges.get()
    if exchanges is not None:
        exchanges.append(response)
    return response


def _pieces(body: Any) -> Iterator[bytes]:
    """A file's content in blocks, or what an iterable gives, as http.client would send it."""
    pieces: Iterable[Any]
    if hasattr(body, "read"):
        read: Callable[[], Any] = lambda: body.read(64 * 1024)  # noqa: E731
        pieces = iter(read, None)
    else:
        pieces = body
    for piece in pieces:
        data = piece.encode() if isinstance(piece, str) else bytes(piece)
        if data:
            yield data
        elif hasattr(body, "read"):
            return


def _upload(session: Any, request: PreparedRequest, pieces: Iterator[bytes], options: dict[str, Any]) -> Any:
    """Send a body while it is being made. The exchange waits in a greenlet of its own."""
    upload = _engine.Upload("Content-Length" not in request.headers)
    exchange = gevent.spawn(_outcome, session, request, upload, options)
    try:
        for piece in pieces:
            if not upload.push(piece):
                break  # answered, or broken, before the end
        upload.end()
        response, error = exchange.get()
    except BaseException:
        exchange.kill(block=False)
        raise
    if error is not None:
        raise error
    return response


def _outcome(
    session: Any, request: PreparedRequest, upload: Any, options: dict[str, Any]
) -> tuple[Any, BaseException | None]:
    try:
        return _engine.send_prepared(session, request, None, upload, **options), None
    except Exception as error:
        return None, error


def _timeout(timeout: Any) -> Any:
    if not isinstance(timeout, Timeout):
        return timeout
    running = timeout.clone()
    running.start_connect()  # one with a `total` does not say what is left of it before
    return running.connect_timeout, running.read_timeout


def multipart(files: Any, data: Any) -> tuple[bytes, str]:
    """A multipart body of files and fields, and its content type."""
    return PreparedRequest._encode_files(files, data)  # type: ignore[attr-defined, no-any-return]
