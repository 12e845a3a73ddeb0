"""A session's cookies, seen from Python: requests' cookie jar over the engine's."""

from __future__ import annotations

from http.cookiejar import Cookie, CookieJar, CookiePolicy
from typing import Any

from requests.cookies import RequestsCookieJar


class SessionCookies(RequestsCookieJar):
    """The engine keeps a session's cookies. This jar shows them, and passes on what is changed here."""

    def __init__(self, session: Any) -> None:
        self._session: Any = None
        self._shown: dict[str, Any] = {}
        self._version = -1
        self.has_own_policy = False
        super().__init__()
        self._session = session

    @property
    def _cookies(self) -> dict[str, Any]:
        """domain → path → name → cookie, which is where the standard library's jar keeps them."""
        if self._session is not None and self._version != self._session._cookies_version:
            self._show()
        return self._shown

    @_cookies.setter
    def _cookies(self, cookies: dict[str, Any]) -> None:
        self._shown = cookies

    def _show(self) -> None:
        self._version = self._session._cookies_version
        self._shown.clear()
        for fields in self._session._cookies_list():
            cookie = Cookie(version=0, comment=None, comment_url=None, **fields)
            self._shown.setdefault(cookie.domain, {}).setdefault(cookie.path, {})[cookie.name] = cookie

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> None:
        super().set_cookie(cookie, *args, **kwargs)
        if self._session is not None:
            self._session._cookies_set(cookie)
            self._version = self._session._cookies_version

    def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
        super().clear(domain, path, name)
        if self._session is not None:
            self._session._cookies_clear(domain, path, name)
            self._version = self._session._cookies_version

    def set_policy(self, policy: CookiePolicy) -> None:
        """Which cookies are kept is up to `policy` from now on, which the engine does not know of: requests asks it."""
        super().set_policy(policy)
        self.has_own_policy = True
        if self._session is not None:
            self._session._attribute_changed()

    def copy(self) -> RequestsCookieJar:
        """A plain jar with the same cookies that belongs to no session."""
        jar = RequestsCookieJar()
        jar.set_policy(self.get_policy())
        jar.update(self)
        return jar


def replace(jar: Any, cookies: Any) -> None:
    """Have `cookies` (a jar, a mapping, or nothing) in the place of what is in `jar`."""
    if cookies is jar:
        return
    kept = list(cookies) if isinstance(cookies, CookieJar) else cookies
    jar.clear()
    if isinstance(kept, list):
        for cookie in kept:
            jar.set_cookie(cookie)
    else:
        jar.update(kept)
