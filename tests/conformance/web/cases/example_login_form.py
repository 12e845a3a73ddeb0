"""`locustfiles/web/login_form.py`."""

from __future__ import annotations

from ...harness import LOCUSTFILES
from ..asking import Web

LOCUSTFILE = (LOCUSTFILES / "web" / "login_form.py").read_text()
ARGUMENTS = ["--web-login", "--web-base-path", "/lo"]


def outside(web: Web) -> None:
    web.get("/lo/")
    web.get("/lo/login")


def the_wrong_code(web: Web) -> None:
    web.post("/lo/enter", {"team": "shop", "code": "guessed"})
    web.get("/lo/login")


def the_code(web: Web) -> None:
    web.post("/lo/enter", {"team": "search", "code": web.inside("CODE"), "stay": "on"})
    web.get("/lo/tasks")
    web.note("cookies", sorted(web.cookies))
