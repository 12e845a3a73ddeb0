"""The Flask application that locustfiles extend, made when one is asked for.

The engine's server goes on receiving every request. What it does not know goes to the application, and everything does
once a locustfile has given the application a say in it: a hook, a view in the place of one of Locust's, a login.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

try:
    import flask
except ImportError as _error:
    raise ImportError("`web_ui.app` is a Flask application: `pip install 'gregaria[web]'`") from _error
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, TemplateNotFound

from . import pages
from .views import blueprint

if TYPE_CHECKING:
    from .page import Page

_HOOKS = ("before_request_funcs", "after_request_funcs", "teardown_request_funcs", "url_value_preprocessors")


class Application(flask.Flask):
    """Flask, which notices what has a say in requests that the server would answer by itself."""

    def __init__(self, page: Page) -> None:
        super().__init__("locust.web", static_folder=None)
        self._page = page
        self.debug = True  # As in Locust: what a route raises is not turned into a page.
        self.jinja_env.add_extension("jinja2.ext.do")
        self.jinja_loader = _templates(page.build_path)
        self.config["SESSION_COOKIE_SAMESITE"] = self.config["REMEMBER_COOKIE_SAMESITE"] = "Lax"
        self.config["SESSION_COOKIE_HTTPONLY"] = self.config["REMEMBER_COOKIE_HTTPONLY"] = True
        self.config["SESSION_COOKIE_SECURE"] = self.config["REMEMBER_COOKIE_SECURE"] = page.is_secure
        self.register_blueprint(blueprint(page))
        self._originals = dict(self.view_functions)
        self.view_functions = _Views(self.view_functions, page.hand_over_what_is_needed)

    @property
    def has_a_say(self) -> bool:
        """Whether requests that the server could answer by itself are the application's, too."""
        hooks = (getattr(self, kind) for kind in _HOOKS)
        if "wsgi_app" in vars(self) or any(
            by_blueprint.get(name) for by_blueprint in hooks for name in (None, "locust")
        ):
            return True
        return any(self.view_functions.get(name) is not view for name, view in self._originals.items())

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "wsgi_app":
            self._page.hand_over_what_is_needed()

    def register_blueprint(self, blueprint: Any, **options: Any) -> None:
        """Flask's; a blueprint may bring hooks for all routes."""
        super().register_blueprint(blueprint, **options)
        self._page.hand_over_what_is_needed()

    def before_request(self, f: Any) -> Any:
        """Flask's."""
        return self._noticed(super().before_request(f))

    def after_request(self, f: Any) -> Any:
        """Flask's."""
        return self._noticed(super().after_request(f))

    def teardown_request(self, f: Any) -> Any:
        """Flask's."""
        return self._noticed(super().teardown_request(f))

    def url_value_preprocessor(self, f: Any) -> Any:
        """Flask's."""
        return self._noticed(super().url_value_preprocessor(f))

    def _noticed(self, hook: Any) -> Any:
        self._page.hand_over_what_is_needed()
        return hook


class _Views(dict[str, Any]):
    """The views of an application. It notices when one is replaced."""

    def __init__(self, views: dict[str, Any], changed: Callable[[], None]) -> None:
        super().__init__(views)
        self._changed = changed

    def __setitem__(self, endpoint: str, view: Any) -> None:
        super().__setitem__(endpoint, view)
        self._changed()


class _Pages(BaseLoader):
    """The engine's pages, as templates."""

    def get_source(self, environment: Any, template: str) -> tuple[str, None, Callable[[], bool]]:
        try:
            return pages.template(template), None, lambda: True
        except LookupError:
            raise TemplateNotFound(template) from None


def _templates(build_path: str | None) -> BaseLoader:
    return ChoiceLoader([FileSystemLoader(build_path), _Pages()]) if build_path else _Pages()
