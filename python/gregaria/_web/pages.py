"""The pages: Locust's arguments in ours, or in the templates of a front end of the user's own."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gregaria import _engine

from .arguments import escaped
from .asked import Answer, Asked, text

if TYPE_CHECKING:
    from locust.web import AuthArgs

    from .page import Page

_SAFE = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
"""Nothing comes from elsewhere, and no script stands in the page itself: a name that holds one is but a name."""

_NO_RUNNER = "Error: Locust Environment does not have any runner"


def template(name: str) -> str:
    """A page as a Jinja template, by its name in Locust: `index.html` or `auth.html`.

    Raises `LookupError` for another.
    """
    if name not in _GAPS:
        raise LookupError(name)
    page, gap = _GAPS[name]
    return _engine.web_page(page, f"{{{{ {gap} | tojson }}}}")


_GAPS = {"index.html": ("index", "template_args"), "auth.html": ("auth", "auth_args")}


def index(page: Page, asked: Asked) -> Answer:
    """`GET /`, with the arguments as they are now."""
    web_ui = page.web_ui
    if web_ui.environment.runner is None:
        return text(_NO_RUNNER, 500)
    web_ui.update_template_args()
    if page.build_path:
        return _of_another_build(page.build_path, web_ui.template_args)
    page_of_now = _engine.web_page("index", escaped(web_ui.template_args))
    return text(page_of_now, headers=[("Content-Security-Policy", _SAFE)])


def login(page: Page, asked: Asked) -> Answer:
    """`GET /login`: the page itself; where no login is asked for, there is nothing to be done there."""
    web_ui = page.web_ui
    if page.login is None:
        return away(f"{page.base_path}/")
    # What the callback, or who was turned away, has to say.
    web_ui.auth_args["error"], web_ui.auth_args["info"] = page.login.messages()
    page_of_now = _engine.web_page("auth", escaped(web_ui.auth_args))
    return text(page_of_now, headers=[("Content-Security-Policy", _safe_for(web_ui.auth_args))])


def _safe_for(auth_args: AuthArgs) -> str:
    """Icons of providers come from elsewhere, and a form may be posted to where the locustfile says."""
    icons = [provider.get("icon_url") for provider in auth_args.get("auth_providers") or []]
    callback = (auth_args.get("custom_form") or {}).get("callback_url") or auth_args.get("username_password_callback")
    images, forms = _origins(icons), _origins([callback])
    return _SAFE.replace("img-src 'self'", f"img-src 'self'{images}").replace(
        "form-action 'self'", f"form-action 'self'{forms}"
    )


def _origins(urls: Sequence[str | None]) -> str:
    found = {f"{parts.scheme}://{parts.netloc}" for url in urls if url and (parts := urlsplit(url)).netloc}
    return "".join(f" {origin}" for origin in sorted(found) if re.fullmatch(r"https?://[\w.:\[\]-]+", origin))


def away(where: str, status: int = 302) -> Answer:
    """Look there."""
    page = f'<!doctype html>\n<html lang=en>\n<title>Elsewhere</title>\n<p>See <a href="{where}">{where}</a>.</p>\n'
    return text(page, status, headers=[("Location", where)])


def _of_another_build(path: str, args: dict[str, Any]) -> Answer:
    """`--build-path`: its `index.html` is a Jinja template."""
    if not os.path.isfile(os.path.join(path, "index.html")):
        return text(f"`--build-path {path}`: there is no `index.html` in that folder", 500)
    return text(templates_in(path).get_template("index.html").render(template_args=args))


def templates_in(path: str) -> Any:
    """The templates of a folder. Jinja comes with the extra `web`."""
    try:
        from jinja2 import Environment, FileSystemLoader
    except ImportError as error:
        raise ImportError("`--build-path` needs Jinja2: `pip install 'gregaria[web]'`") from error
    return Environment(loader=FileSystemLoader(path), autoescape=True, extensions=["jinja2.ext.do"])
