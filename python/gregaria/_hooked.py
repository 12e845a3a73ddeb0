"""Calls that the engine prepares and sends, and that a locustfile's own code sees on the way: authentication objects
before the request leaves, hooks when the response is there.

The common case of what needs requests' own objects, and several times cheaper than to have its code do everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from requests.cookies import RequestsCookieJar, extract_cookies_to_jar
from requests.hooks import default_hooks, dispatch_hook
from requests.models import PreparedRequest
from requests.sessions import merge_cookies, merge_hooks
from requests.structures import CaseInsensitiveDict

from . import _engine, _slow

_TIMES = (int, float, tuple, type(None))
_WHOLE = (str, bytes, bytearray, dict, list, tuple, type(None))


class Prepared(PreparedRequest):
    """A request as the engine has prepared it. Its cookies are gathered when they are asked for."""

    def __init__(
        self, session: Any, given: Any, method: str, url: str, pairs: list[tuple[str, str]], body: bytes | None
    ) -> None:
        self.method, self.url, self.body = method, url, body
        self.headers = CaseInsensitiveDict(pairs)
        self.hooks = default_hooks()
        self._session, self._given_cookies = session, given

    def __getattr__(self, name: str) -> Any:
        if name == "_body_position":
            return None
        if name != "_cookies":
            raise AttributeError(name)
        jar = merge_cookies(RequestsCookieJar(), self._session.cookies)  # type: ignore[no-untyped-call]
        jar = self.__dict__["_cookies"] = merge_cookies(jar, self._given_cookies or {})  # type: ignore[no-untyped-call]
        return jar


Prepared.__name__ = Prepared.__qualname__ = "PreparedRequest"


def serves(session: Any, arguments: dict[str, Any]) -> bool:
    """Whether nothing but authentication and hooks has a say in a call."""
    attributes = session.__dict__
    return not (
        _slow.has_own_seams(type(session))
        or not _slow.REPLACEABLE.isdisjoint(attributes)
        or attributes.get("proxies")
        or arguments.get("proxies")
        or not isinstance(arguments.get("data"), _WHOLE)
        or type(arguments.get("cookies")) not in (dict, type(None))
        or not isinstance(arguments.get("timeout"), _TIMES)
        or not _is_known(_auth(session, arguments))
        or not _are_plain(arguments.get("hooks") or {})
        or not _are_plain(session.hooks or {})
        or any(map(_slow.has_a_say, attributes.get("adapters", {}).values()))
        or (session.trust_env and _slow.environment() is not False)
    )


def _auth(session: Any, arguments: dict[str, Any]) -> Any:
    """Of the call, or else of the session; what is false but not None is an answer too."""
    given = arguments.get("auth")
    return session.auth if given is None else given


def _is_known(auth: Any) -> bool:
    """Whether `auth` is what requests can use: it says itself what is wrong with anything else."""
    return not auth or callable(auth) or (isinstance(auth, tuple) and len(auth) == 2)


def _are_plain(hooks: Any) -> bool:
    """Whether `hooks` are functions for the one event there is."""
    return isinstance(hooks, dict) and all(
        event == "response" and (callable(hook) or isinstance(hook, (list, tuple, type(None))))
        for event, hook in hooks.items()
    )


def send(session: Any, method: str, url: str, arguments: dict[str, Any]) -> Any:
    """One call, as `requests.Session.request` makes it. Raises requests' exceptions."""
    arguments = dict(arguments)
    auth = _auth(session, arguments)
    if callable(auth):
        arguments["auth"] = ()  # not the engine's business, nor what the URL says
    hooks = merge_hooks(_hooks(arguments.pop("hooks", None)), session.hooks)  # type: ignore[no-untyped-call]
    follow = arguments.pop("allow_redirects", True)
    request = Prepared(session, arguments.get("cookies"), *_engine.prepare(session, method, url, arguments))
    _show_text(request, arguments)
    if auth and callable(auth):
        _authenticate(request, auth)
    # After the authentication's own hooks, which answer a challenge: these see what comes of it.
    for event, added in _hooks(hooks).items():
        request.hooks.setdefault(event, []).extend(added)
    options = {
        "timeout": arguments.get("timeout"),
        "verify": session.verify if arguments.get("verify") is None else arguments["verify"],
        "proxies": {},
        "stream": bool(session.stream if arguments.get("stream") is None else arguments["stream"]),
        "cert": session.cert if arguments.get("cert") is None else arguments["cert"],
    }
    adapter = session.get_adapter(request.url)
    response = adapter.send(request, **options)
    if request.hooks["response"]:
        response = dispatch_hook("response", request.hooks, response, **options)  # type: ignore[no-untyped-call]
    for answer in (*response.history, response):
        if "set-cookie" in answer.headers:
            extract_cookies_to_jar(session.cookies, answer.request, answer.raw)  # type: ignore[no-untyped-call]
    if follow and response.is_redirect:
        return _follow(session, response, request, options)
    return response


def _hooks(given: Any) -> dict[str, list[Any]]:
    """As requests registers them: one, or several, for each event."""
    hooks: dict[str, list[Any]] = {"response": []}
    for event, hook in (given or {}).items():
        hooks[event] = [hook] if callable(hook) else [one for one in hook or () if callable(one)]
    return hooks


def _show_text(request: PreparedRequest, arguments: dict[str, Any]) -> None:
    """Text and forms are text where the caller's code sees them."""
    data = arguments.get("data")
    if not data or arguments.get("files") or not isinstance(request.body, bytes):
        return
    if isinstance(data, str):
        request.body = data
    elif isinstance(data, (dict, list, tuple)):
        request.body = request.body.decode("ascii")


def _authenticate(request: PreparedRequest, auth: Callable[[PreparedRequest], PreparedRequest]) -> None:
    # It may return another request, and it may have changed the body.
    request.__dict__.update(auth(request).__dict__)
    request.prepare_content_length(request.body)


def _follow(session: Any, response: Any, request: PreparedRequest, options: dict[str, Any]) -> Any:
    """Where the response redirects to, with the responses on the way as its history."""
    history = [response, *session.resolve_redirects(response, request, **options)]
    last = history.pop()
    if history:
        last.history = history
    return last
