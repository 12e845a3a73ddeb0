"""What the environment says of requests: proxies, passwords, certificates.

The answers are those of requests' own code. It looks them up anew for each request; here they are kept, for each
origin, as long as the variables and the file they come from stay as they are.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from requests.utils import get_environ_proxies, get_netrc_auth, should_bypass_proxies

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_MATTER = frozenset(name.encode() for name in (*_PROXIES, *map(str.upper, _PROXIES), "NETRC"))
_OF_PROXIES = tuple(
    name.encode() for both in (*_PROXIES, "no_proxy", "request_method") for name in (both, both.upper())
)


def found() -> bool | str:
    """What the environment has for a session that trusts it: a bundle of certificates to check servers' against, or
    (true) proxies or passwords, which are looked up for each request."""
    variables = getattr(os.environ, "_data", None)
    if variables is None or not _MATTER.isdisjoint(variables) or _home_netrc() is not None:
        return True
    return bundle() or False


def bundle() -> str | None:
    """The certificates that the environment wants servers' checked against."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")


def proxies(url: str, no_proxy: str | None) -> Mapping[str, str]:
    """The environment's proxies for `url`: none where it is to be asked directly."""
    return _proxies(_origin(url), no_proxy, _variables())


def resolved(url: str, given: Mapping[str, str] | None, trusted: bool) -> dict[str, str]:
    """The proxies of a request that was prepared by hand: those `given`, and where the environment is `trusted` its."""
    merged = dict(given or {})
    if not trusted or not found():
        return merged
    scheme, no_proxy = url.partition(":")[0].lower(), merged.get("no_proxy")
    if not _bypasses(_origin(url), no_proxy, _variables()):
        own = proxies(url, no_proxy)
        proxy = own.get(scheme, own.get("all"))
        if proxy:
            merged.setdefault(scheme, proxy)
    return merged


def netrc_auth(url: str) -> tuple[str, str] | None:
    """User and password for `url` in the user's `.netrc`, or in the file that `NETRC` names."""
    named = os.environ.get("NETRC")
    path = _home_netrc() if named is None else os.path.expanduser(named)
    if path is None:
        return None
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError:
        return None
    return _netrc_auth(_origin(url), path, changed)


def _origin(url: str) -> str:
    """Scheme, host and port of an absolute URL: path and query have no say in any of this."""
    end = url.find("/", url.find("://") + 3)
    return url if end < 0 else url[:end]


def _variables() -> tuple[Any, ...]:
    variables = getattr(os.environ, "_data", None)
    if variables is None:
        return tuple(map(os.environ.get, map(os.fsdecode, _OF_PROXIES)))
    return tuple(map(variables.get, _OF_PROXIES))


# The last argument of each is there to be compared: another value, another answer.


@lru_cache(maxsize=256)
def _proxies(origin: str, no_proxy: str | None, variables: tuple[Any, ...]) -> Mapping[str, str]:
    return get_environ_proxies(origin, no_proxy=no_proxy)


@lru_cache(maxsize=256)
def _bypasses(origin: str, no_proxy: str | None, variables: tuple[Any, ...]) -> bool:
    return should_bypass_proxies(origin, no_proxy=no_proxy)


@lru_cache(maxsize=256)
def _netrc_auth(origin: str, path: str, changed: int) -> tuple[str, str] | None:
    return get_netrc_auth(origin)


_home_checked: tuple[float, str | None] = (0.0, None)


def _home_netrc() -> str | None:
    """The `.netrc` at home, if there is one; looked for once a second at most."""
    global _home_checked
    now = time.monotonic()
    if now - _home_checked[0] > 1 or not _home_checked[0]:
        paths = (os.path.expanduser(f"~/{name}") for name in (".netrc", "_netrc"))
        _home_checked = now, next(filter(os.path.exists, paths), None)
    return _home_checked[1]
