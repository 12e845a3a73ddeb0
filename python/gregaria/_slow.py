"""Calls that the engine does not make all by itself: requests' own `request` makes them, over our methods.

Hooks, authentication objects, proxies, mounted adapters, streamed bodies, what a locustfile or a library has replaced:
whatever has a say in requests' way of making a request has it here. `_preparing`, `_sending` and `_adapters` are the
steps of that way that cost most, done by the engine wherever nobody else does them.
"""

from __future__ import annotations

import gc
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from . import _adapters, _engine, _environment, _preparing, _sessions

multipart = _preparing.multipart
environment = _environment.found

_PLAIN: dict[str, Any] = {
    name: getattr(requests.Session, name) for name in ("request", *_sessions.SEAMS) if name != "_build_url"
}
"""As they are when nobody has patched them."""


def is_patched(name: str) -> bool:
    """Whether somebody has replaced a method of requests' sessions, for all of them."""
    return getattr(requests.Session, name) is not _PLAIN[name]


def watched() -> list[tuple[dict[str, Any], str, Any]]:
    """The methods that libraries patch while users run, unpatched: where each is kept, its name, and the function."""
    plain = [(requests.Session, _PLAIN["send"]), (HTTPAdapter, _adapters.PLAIN_SEND)]
    # The dictionary behind the proxy that a class shows: only read, and a look-up there is all it costs.
    return [(gc.get_referents(vars(class_))[0], "send", function) for class_, function in plain]


def has_own_seams(class_: Any) -> bool:
    """Whether a class, or somebody's patch, has replaced a method that the engine does without."""
    from locust.clients import HttpSession

    return (
        any(getattr(class_, name) is not getattr(HttpSession, name) for name in _sessions.SEAMS)
        or any(map(is_patched, _PLAIN))
        or HTTPAdapter.send is not _adapters.PLAIN_SEND
    )


def differs(session: Any) -> bool:
    """Whether anything set on a session has a say in its requests that only requests' code honours."""
    attributes = session.__dict__
    return bool(
        not _sessions.SEAMS.isdisjoint(attributes)
        or attributes.get("proxies")
        or any((attributes.get("hooks") or {}).values())
        or not all(map(_adapters.only_sends, attributes.get("adapters", {}).values()))
        or _sessions.has_own_policy(session)
    )


def request(
    session: Any,
    method: str,
    url: str,
    name: str | None = None,
    catch_response: bool = False,
    context: dict[str, Any] | None = None,
    **arguments: Any,
) -> Any:
    """One call. Raises what requests raises for what is no request at all."""
    name = name or session.request_name
    arguments.setdefault("data", None)
    arguments.setdefault("json", None)
    session.__dict__["explicit_name"] = name
    call = _adapters.Call()
    response: Any
    ours: Any
    token = _adapters.call.set(call)
    start_time, started = time.time(), time.perf_counter()
    full_url = session._build_url(url)
    try:
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
        _adapters.call.reset(token)
    # Who brings connections of his own is measured from outside, as Locust measures everything.
    elapsed = (time.perf_counter() - started) * 1000
    spent = sum(exchange._response_time for exchange in call.exchanges) + call.pauses
    ours = response if isinstance(response, _engine.ResponseBase) else adopt(response)
    first = (ours.history[0] if ours.history else ours).request
    user = session.user
    meta = {
        "request_type": method,
        "response_time": spent if call.exchanges else elapsed,
        "name": name or (first.path_url if first is not None else str(url)),
        "context": {**user.context(), **(context or {})} if user is not None else (context or {}),
        "response": ours,
        "exception": None,
        "start_time": start_time,
        "url": first.url if first is not None else full_url,
        "response_length": _length(ours, bool(arguments.get("stream") or session.stream)),
    }
    ours._stand_for(session, meta, error, catch_response, call.exchanges)
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
