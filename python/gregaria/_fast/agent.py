"""What a fast client's sessions are set up with, where a locustfile can reach and change it."""

from __future__ import annotations

from typing import Any

from .. import _contexts, _engine
from .headers import Headers, WatchedHeaders
from .responses import USER_AGENT

_STATUSES = {"valid_response_codes", "redirect_response_codes"}
SETTINGS = _STATUSES | {"max_redirects", "max_retries", "retry_delay", "default_headers"}
"""Attributes that the session sends its requests by: assigning one of them tells it."""


def default_headers(given: Any) -> Headers:
    """The client's own headers, and the user's in their place or beside them."""
    headers = Headers({"User-Agent": USER_AGENT})
    headers.update(given)
    return headers


def configuration(settings: dict[str, Any], agent: Any, authorization: str | None) -> dict[str, Any]:
    """What the engine is told: a session's settings, and in their place what was set on its agent since."""
    chosen = settings if isinstance(agent, type) else vars(agent)
    headers = default_headers(settings["headers"] if isinstance(agent, type) else agent.default_headers)
    # Of each request; the user's defaults do not count here, as in Locust.
    headers["Accept-Encoding"] = "gzip, deflate, br"
    connected = connections(settings)
    return {
        "network_timeout": connected["network_timeout"],
        "connection_timeout": connected["connection_timeout"],
        "insecure": connected["insecure"],
        "authorities": None if connected["insecure"] else _contexts.system_authorities(),
        "concurrency": connected["concurrency"],
        "max_redirects": int(chosen["max_redirects"]),
        "max_retries": int(chosen["max_retries"]),
        "retry_delay": chosen["retry_delay"],
        "headers": headers,
        "authorization": authorization,
        "statuses": _statuses(agent),
        "proxy": settings["proxy"],
    }


def proxy(host: str | None, port: int | None) -> str | None:
    """The proxy's URL, where there is one."""
    if host is None:
        return None
    if port is None:
        raise ValueError("you have to provide proxy_port if you set proxy_host")
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def connections(settings: dict[str, Any]) -> dict[str, Any]:
    """How a session connects: as its pool does, if it was given one."""
    pool = settings["client_pool"]
    return settings if pool is None else {**_POOL_DEFAULTS, **pool.client_args}


_POOL_DEFAULTS = {
    "network_timeout": 5.0,
    "connection_timeout": 5.0,
    "insecure": False,
    "concurrency": 1,
    "ssl_context_factory": None,
}


def _statuses(agent: Any) -> tuple[list[int], list[int]] | None:
    """Which statuses are successes, and which redirect, where a locustfile has chosen them."""
    valid, redirecting = agent.valid_response_codes, agent.redirect_response_codes
    if valid == VALID and redirecting == UserAgent.redirect_response_codes:
        return None
    return sorted(valid), sorted(redirecting)


VALID = frozenset([*range(200, 209), 226, *range(301, 305), 307, 308])


class HTTPClientPool:
    """Connections that sessions share: at most `concurrency` at once; who needs another one waits.

    Takes `concurrency`, `network_timeout`, `connection_timeout` and `insecure`, which hold for all its sessions.
    """

    def __init__(self, **client_args: Any) -> None:
        self.client_args = client_args
        self.clients: dict[Any, Any] = {}

    def close(self) -> None:
        """Close the connections that are kept alive."""
        for client in self.clients.values():
            client.close()


def shared(pool: Any) -> _engine.SharedPool:
    """The engine's part of a pool that sessions share: ours, or one of geventhttpclient's.

    It is kept among the pool's clients, so that closing the pool closes it.
    """
    made: _engine.SharedPool | None = pool.clients.get(_OURS)
    if made is None:
        made = pool.clients[_OURS] = _engine.SharedPool(pool.client_args.get("concurrency", 1), True)
    return made


_OURS = ("gregaria", None)


class _OwnPool(HTTPClientPool):
    """The connections of one session."""

    def __init__(self, session: Any, **client_args: Any) -> None:
        super().__init__(**client_args)
        self._session = session

    def close(self) -> None:
        self._session._close_connections()


class UserAgent:
    """The settings of one session's requests. What is assigned here holds from the next request on."""

    valid_response_codes: Any = frozenset([200, 206, 301, 302, 303, 307, 308])
    redirect_response_codes: Any = frozenset([301, 302, 303, 307, 308])
    max_redirects: int
    max_retries: int
    retry_delay: float
    default_headers: Headers
    clientpool: HTTPClientPool
    _session: Any

    def __init__(self, session: Any, settings: dict[str, Any]) -> None:
        given = dict(settings)
        pool = given.pop("client_pool")
        self.__dict__.update(
            _session=session,
            max_redirects=given.pop("max_redirects"),
            max_retries=given.pop("max_retries"),
            retry_delay=given.pop("retry_delay"),
            default_headers=WatchedHeaders(default_headers(given.pop("headers")), session._configure),
            clientpool=_OwnPool(session, **given) if pool is None else pool,
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "default_headers":
            value = WatchedHeaders(value, self._session._configure)
        object.__setattr__(self, name, value)
        if name in SETTINGS:
            self._session._configure()

    @property
    def cookiejar(self) -> Any:
        """The session's cookies."""
        return self._session.cookiejar

    @cookiejar.setter
    def cookiejar(self, cookies: Any) -> None:
        self._session.cookiejar = cookies

    def close(self) -> None:
        """Close the connections that are kept alive."""
        self.clientpool.close()

    def urlopen(self, url: str, method: str = "GET", headers: Any = None, payload: Any = None, **others: Any) -> Any:
        """Send a request that is not counted. Raises what it failed with."""
        # A response that is to be judged is counted at the end of its `with` block, and there is none.
        response = self._session.request(method, url, catch_response=True, headers=headers, data=payload, **others)
        response.raise_for_status()
        return response
