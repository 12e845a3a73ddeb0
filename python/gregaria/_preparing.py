"""`prepare_request` of a session: the engine prepares, and the request looks as requests would have made it."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookiejar import CookieJar
from typing import Any

import requests
from requests.cookies import RequestsCookieJar
from requests.hooks import default_hooks
from requests.models import PreparedRequest
from requests.sessions import merge_cookies, merge_hooks

from . import _engine, _environment, _lazy, _responses, _sessions

_WHOLE = (str, bytes, dict, list, tuple, type(None))
_COOKIES = (dict, CookieJar, type(None))


def _cookies(request: Any, _: str) -> RequestsCookieJar:
    jar = merge_cookies(RequestsCookieJar(), request._session.cookies)  # type: ignore[no-untyped-call]
    jar = request.__dict__["_cookies"] = merge_cookies(jar, request._given_cookies or {})  # type: ignore[no-untyped-call]
    return jar  # type: ignore[no-any-return]


@_lazy.attributes(_cookies, ["_cookies"])
class Prepared(PreparedRequest):
    """A request as the engine has prepared it. Its cookies are gathered when they are asked for."""

    _body_position = None

    def __init__(
        self,
        session: Any,
        given_cookies: Any,
        method: str,
        url: str,
        headers: list[tuple[str, tuple[str, str]]],
        body: bytes | None,
    ) -> None:
        self.method, self.url, self.body = method, url, body
        self.headers = _responses.case_insensitive(headers)
        self.hooks = default_hooks()
        self._session, self._given_cookies = session, given_cookies

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Pickled and copied as one of requests' own, without the session.
        return PreparedRequest, (), self.copy().__dict__


Prepared.__name__ = Prepared.__qualname__ = "PreparedRequest"


def prepare(session: Any, request: requests.Request) -> PreparedRequest | None:
    """What `requests.Session.prepare_request` makes of `request`; None where its own code has to do it."""
    url, data, auth = request.url, request.data, request.auth
    streamed = not isinstance(data, _WHOLE)
    if (
        type(url) is not str
        or type(request.method) is not str
        or not _sessions.is_absolute(url)
        or not isinstance(request.cookies, _COOKIES)
        or (streamed and (not hasattr(data, "__iter__") or isinstance(data, Mapping)))
    ):
        return None
    own_auth = session.auth
    if not auth and not own_auth and session.trust_env:
        auth = _environment.netrc_auth(url)
    if auth is None:
        auth = own_auth
    calls = callable(auth)
    if auth and not calls and not (isinstance(auth, tuple) and len(auth) == 2):
        return None  # which says what is wrong with it
    arguments = {
        "params": request.params or None,
        "headers": request.headers or None,
        "cookies": request.cookies or None,
        # An authentication object is not the engine's business, and then neither is what the URL says.
        "auth": () if calls else auth,
    }
    if not streamed:
        arguments.update(data=data or None, json=request.json, files=request.files or None)
    prepared = Prepared(session, request.cookies, *_engine.prepare(session, request.method, url, arguments, streamed))
    if streamed:
        prepared.prepare_body(data, request.files)
    elif data and not request.files:
        _show_text(prepared, data)
    if auth and calls:
        prepared.prepare_auth(auth)
    # After the authentication's own hooks, which answer a challenge: these see what comes of it.
    hooks = merge_hooks(request.hooks, session.__dict__.get("hooks") or {})  # type: ignore[no-untyped-call]
    if hooks:
        prepared.prepare_hooks(hooks)
    return prepared


def _show_text(request: PreparedRequest, data: Any) -> None:
    """Text and forms are text where the caller's code sees them."""
    if isinstance(data, str):
        request.body = data
    elif not isinstance(data, bytes) and isinstance(request.body, bytes):
        request.body = request.body.decode("ascii")


def multipart(files: Any, data: Any) -> tuple[bytes, str]:
    """A multipart body of files and fields, and its content type."""
    return PreparedRequest._encode_files(files, data)  # type: ignore[attr-defined, no-any-return]
