"""Calls that the engine prepares and sends, and that a locustfile's own code sees on the way: authentication objects
before the request leaves, hooks when the response is there.

The common case of what needs requests' own objects, and several times cheaper than to have its code do everything.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from requests.cookies import RequestsCookieJar, extract_cookies_to_jar
from requests.hooks import dispatch_hook
from requests.models import PreparedRequest
from requests.sessions import merge_cookies, merge_hooks
from requests.structures import CaseInsensitiveDict

from . import _engine, _slow

_TIMES = (int, float, tuple, type(None))
_WHOLE = (str, bytes, bytearray, dict, list, tuple, type(None))


class Prepared(PreparedRequest):
    """A request as the engine has prepared it. The session's cookies are copied when they are asked for."""

    def __init__(
        self, session: Any, method: str, url: str, pairs: list[tuple[str, str]], body: bytes | None, hooks: Any
    ) -> None:
        self.method, self.url, self.body = method, url, body
        self.headers = CaseInsensitiveDict(pairs)
        self.hooks = hooks
        self._session = session

    def __getattr__(self, name: str) -> Any:
        if name == "_body_position":
            return None
        if name != "_cookies":
            raise AttributeError(name)
        jar = self.__dict__["_cookies"] = merge_cookies(RequestsCookieJar(), self._session.cookies)  # type: ignore[no-untyped-call]
        return jar


Prepared.__name__ = Prepared.__qualname__ = "PreparedRequest"


@cache
def _has_own_seams(class_: Any) -> bool:
    return _slow.has_own_seams(class_)


def serves(session: Any, arguments: dict[str, Any]) -> bool:
    """Whether nothing but authentication and hooks has a say in a call."""
    attributes = session.__dict__
    return not (
        _has_own_seams(type(session))  # type: ignore[arg-type]
        or not _slow.REPLACEABLE.isdisjoint(attributes)
        or attributes.get("proxies")
        or arguments.get("proxies")
        or not isinstance(arguments.get("data"), _WHOLE)
        or type(arguments.get("cookies")) not in (dict, type(None))
        or not isinstance(arguments.get("timeout"), _TIMES)
        or not _is_known(arguments.get("auth") or session.auth)
        or not _are_plain(arguments.get("hooks") or {})
        or any(map(_slow.has_a_say, attributes.get("adapters", {}).values()))
        or (session.trust_env and _slow.environment() is not False)
    )


def _is_known(auth: Any) -> bool:
    """Whether `auth` is what requests can use: it says itself what is wrong with anything else."""
    return not auth or callable(auth) or (isinstance(auth, tuple) and len(auth) == 2)


def _are_plain(hooks: Any) -> bool:
    """Whether `hooks` are functions for the one event there is."""
    return isinstance(hooks, dict) and all(
        event == "response" and (callable(hook) or isinstance(hook, (list, tuple))) for event, hook in hooks.items()
    )


def send(session: Any, method: str, url: str, arguments: dict[str, Any]) -> Any:
    """One call, as `requests.Session.request` makes it. Raises requests' exceptions."""
    arguments = dict(arguments)
    auth = arguments.get("auth") or session.auth
    if callable(auth):
        arguments["auth"] = ()  # not the engine's business, nor what the URL says
    hooks: dict[str, list[Any]] = merge_hooks(  # type: ignore[no-untyped-call]
        _hooks(arguments.pop("hooks", None)), session.hooks
    )
    follow = arguments.pop("allow_redirects", None)
    request = Prepared(session, *_engine.prepare(session, method, url, arguments), hooks)
    if arguments.get("data") and isinstance(arguments["data"], str):
        request.body = arguments["data"]  # text stays text where the caller's code sees it
    if callable(auth):
        _authenticate(request, auth)
    options = {
        "timeout": arguments.get("timeout"),
        "verify": session.verify if arguments.get("verify") is None else arguments["verify"],
        "proxies": {},
        "stream": bool(session.stream if arguments.get("stream") is None else arguments["stream"]),
        "cert": session.cert if arguments.get("cert") is None else arguments["cert"],
    }
    adapter = session.get_adapter(request.url)
    response = adapter.send(request, **options)
    if hooks["response"]:
        response = dispatch_hook("response", hooks, response, **options)  # type: ignore[no-untyped-call]
    for answer in (*response.history, response):
        if "set-cookie" in answer.headers:
            extract_cookies_to_jar(session.cookies, answer.request, answer.raw)  # type: ignore[no-untyped-call]
    if follow is not False and response.is_redirect:
        return _follow(session, response, request, options)
    return response


def _hooks(given: Any) -> dict[str, list[Any]]:
    """As requests registers them: one, or several, for each event."""
    hooks: dict[str, list[Any]] = {"response": []}
    for event, hook in (given or {}).items():
        hooks[event] = [hook] if callable(hook) else [one for one in hook if callable(one)]
    return hooks


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
