"""What of requests' sessions is made only when a locustfile asks for it."""

from __future__ import annotations

import urllib.parse
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from requests import utils
from requests.structures import CaseInsensitiveDict

from . import _adapters, _cookies, _engine


def default_headers() -> CaseInsensitiveDict[str]:
    """What requests sends unasked where brotli is installed: Locust brings it, and the engine has it."""
    headers: CaseInsensitiveDict[str] = utils.default_headers()
    # Beside what Python itself can decode: from 3.14 on that is zstd, too.
    codings = [coding for coding in headers["Accept-Encoding"].split(", ") if coding != "br"]
    headers["Accept-Encoding"] = ", ".join([*codings[:2], "br", *codings[2:]])
    return headers


class SessionHeaders(CaseInsensitiveDict[str]):
    """A session's headers; tells the session when they change, so that it need not look at each request."""

    def __init__(self, session: Any, headers: Any) -> None:
        self._session = None
        super().__init__(headers)
        self._session = session

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._tell()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._tell()

    def _tell(self) -> None:
        if self._session is not None:
            self._session._attribute_changed()

    def copy(self) -> CaseInsensitiveDict[str]:
        """A plain copy that belongs to no session."""
        return CaseInsensitiveDict(self._store.values())  # type: ignore[attr-defined]


_DEFAULTS: dict[str, Callable[[Any], Any]] = {
    "headers": lambda session: SessionHeaders(session, default_headers()),
    "auth": lambda _: None,
    "proxies": lambda _: {},
    "hooks": lambda _: {"response": []},
    "params": lambda _: {},
    "stream": lambda _: False,
    "verify": lambda _: True,
    "cert": lambda _: None,
    "max_redirects": lambda _: 30,
    "trust_env": lambda _: True,
    "explicit_name": lambda _: None,
}


def _own_adapters(session: Any) -> OrderedDict[str, Any]:
    from locust.clients import LocustHttpAdapter

    return OrderedDict((prefix, LocustHttpAdapter(None, session=session)) for prefix in ("https://", "http://"))


def adapter_for(session: Any, url: str) -> Any:
    """What sends to `url`. Where nobody has looked at the session's adapters they need not all be made."""
    attributes = session.__dict__
    if "adapters" not in attributes and is_absolute(url):
        adapter = attributes.get("_adapter")
        if adapter is None:
            from locust.clients import LocustHttpAdapter

            adapter = attributes["_adapter"] = LocustHttpAdapter(None, session=session)
        return adapter
    adapter = _unix_adapter(session, url)
    if adapter is None:
        adapter = requests.Session.get_adapter(session, url)
        _adapters.take_over(adapter)
    return adapter


def is_absolute(url: str) -> bool:
    """Whether a URL needs no base: HTTP's, or a Unix socket's."""
    return url[:8].lower().startswith(("http://", "https://")) or is_unix(url)


def has_own_policy(session: Any) -> bool:
    """Whether a locustfile has said which of the session's cookies are kept and sent."""
    jar = session.__dict__.get("_cookie_jar")
    return jar is not None and jar.has_own_policy


def is_unix(url: str) -> bool:
    """Whether a URL names a Unix socket: ours, requests knows none."""
    return url[:12].lower() == "http+unix://"


def _unix_adapter(session: Any, url: str) -> Any:
    """What sends to the Unix socket of `url`, if it names one and nobody has mounted an adapter for that."""
    if not is_unix(url) or any(prefix.startswith("http+unix") for prefix in session.adapters):
        return None
    for schemes in (urllib.parse.uses_relative, urllib.parse.uses_netloc):
        if "http+unix" not in schemes:
            # So that requests can follow a redirect to a path.
            schemes.append("http+unix")
    return session.adapters.get("http://")


_DEFAULTS["adapters"] = _own_adapters

NAMES = tuple(_DEFAULTS)
"""What [`default`] knows."""

SEAMS = frozenset(
    (
        "send",
        "prepare_request",
        "merge_environment_settings",
        "resolve_redirects",
        "rebuild_auth",
        "rebuild_proxies",
        "rebuild_method",
        "get_redirect_target",
        "should_strip_auth",
        "get_adapter",
        "_build_url",
    )
)
"""The methods of a session that a plain call does without: where one is replaced, calls are made by requests' code."""

WATCHED = frozenset(_DEFAULTS) | SEAMS | {"request"}
"""Attributes that requests are prepared from."""


def default(session: Any, name: str) -> Any:
    """The attribute `name` of a session that nobody has set, as `requests.Session` would have it."""
    make = _DEFAULTS.get(name)
    if make is None:
        raise AttributeError(f"'{type(session).__name__}' object has no attribute '{name}'")
    value = make(session)
    setattr(session, name, value)
    return value


def new_jar(session: Any) -> _cookies.SessionCookies:
    """The session's cookies, shown for the first time."""
    jar = session.__dict__["_cookie_jar"] = _cookies.SessionCookies(session)
    return jar


def set_cookies(session: Any, given: Any) -> None:
    """Assigning to `session.cookies` replaces what is kept."""
    jar = session.cookies
    if given is jar:
        return
    jar.clear()
    jar.update(given or {})


def shared(manager: Any) -> _engine.SharedPool:
    """The engine's part of a `urllib3.PoolManager` that sessions share: kept among its pools, so that its `clear`
    clears it. As with urllib3, one connection is kept unless the manager has a `maxsize`, and more are opened at need
    unless it has `block=True`."""
    made: _engine.SharedPool | None = manager.pools.get(_OURS)
    if made is None:
        options = manager.connection_pool_kw
        made = manager.pools[_OURS] = _engine.SharedPool(options.get("maxsize", 1), bool(options.get("block", False)))
    return made


_OURS = "gregaria"


def split_credentials(base_url: Any) -> tuple[Any, tuple[str, str] | None]:
    """`base_url` without user and password, and these, if it has both; as it is otherwise."""
    if not isinstance(base_url, str) or "@" not in base_url:
        return base_url, None
    parts = urlsplit(base_url)
    if not (parts.username and parts.password):
        return base_url, None
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host)), (unquote(parts.username), unquote(parts.password))
