"""`send` and `merge_environment_settings` of a session: what requests' do, without what nobody will look at."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import requests
from requests.cookies import extract_cookies_to_jar
from requests.hooks import dispatch_hook
from requests.models import PreparedRequest
from requests.sessions import merge_setting

from . import _adapters, _engine, _environment, _sessions

_RESOLVE_REDIRECTS: Any = requests.Session.resolve_redirects


def merge_environment(session: Any, url: str, proxies: Any, stream: Any, verify: Any, cert: Any) -> dict[str, Any]:
    """What a call, its session and, where that is trusted, the environment say, in this order."""
    if session.trust_env and _environment.found():
        if proxies is not None:
            for scheme, proxy in _environment.proxies(url, proxies.get("no_proxy")).items():
                proxies.setdefault(scheme, proxy)
        if verify is True or verify is None:
            verify = _environment.bundle() or verify
    own = session.__dict__.get("proxies")
    return {
        "proxies": merge_setting(proxies, own) if own else proxies,  # type: ignore[no-untyped-call]
        "stream": session.stream if stream is None else stream,
        "verify": session.verify if verify is None else verify,
        "cert": session.cert if cert is None else cert,
    }


def send(session: Any, request: PreparedRequest, options: dict[str, Any]) -> Any:
    """Send a prepared request, and follow where it leads. Raises requests' exceptions."""
    options.setdefault("stream", session.stream)
    options.setdefault("verify", session.verify)
    options.setdefault("cert", session.cert)
    if "proxies" not in options:
        options["proxies"] = _environment.resolved(request.url or "", session.proxies, session.trust_env)
    if isinstance(request, requests.Request):
        raise ValueError("You can only send PreparedRequests.")
    follow = options.pop("allow_redirects", True)
    adapter = session.get_adapter(url=request.url)
    token = _adapters.sender.set(session)
    try:
        started = time.perf_counter()
        response = adapter.send(request, **options)
        if not isinstance(response, _engine.ResponseBase):
            response.elapsed = timedelta(seconds=time.perf_counter() - started)
        if request.hooks:
            response = dispatch_hook("response", request.hooks, response, **options)  # type: ignore[no-untyped-call]
        for earlier in response.history:
            _keep_cookies(session, earlier.request, earlier)
        _keep_cookies(session, request, response)
        return _arrived(session, request, response, follow, options)
    finally:
        _adapters.sender.reset(token)


def _keep_cookies(session: Any, request: Any, response: Any) -> None:
    is_ours: bool = isinstance(response, _engine.ResponseBase)
    if is_ours and not _sessions.has_own_policy(session):
        session._keep_cookies(response)
    elif not is_ours or "set-cookie" in response.headers:
        extract_cookies_to_jar(session.cookies, request, response.raw)  # type: ignore[no-untyped-call]


def _arrived(session: Any, request: PreparedRequest, response: Any, follow: bool, options: dict[str, Any]) -> Any:
    """Where the response leads, if that is wanted, with the responses on the way as its history."""
    redirects = session.resolve_redirects
    replaced = getattr(redirects, "__func__", None) is not _RESOLVE_REDIRECTS
    if replaced or session.get_redirect_target(response):
        if follow:
            history = [response, *redirects(response, request, **options)]
            response = history.pop()
            if history:
                response.history = history
        elif replaced or not isinstance(response, _engine.ResponseBase):
            # The engine's responses find it when they are asked for it.
            response._next = next(redirects(response, request, yield_requests=True, **options), None)
    if not options.get("stream") and not isinstance(response, _engine.ResponseBase):
        response.content  # noqa: B018, read now, and what fails fails here
    return response
