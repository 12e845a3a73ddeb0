"""`locustfiles/web/login.py`."""

from __future__ import annotations

from ...harness import LOCUSTFILES
from ..asking import Web

LOCUSTFILE = (LOCUSTFILES / "web" / "login.py").read_text()
ARGUMENTS = ["--web-login"]


def outside(web: Web) -> None:
    for path in ("/", "/tasks", "/notes", "/login", "/login/icon.svg"):
        web.get(path)


def the_wrong_password(web: Web) -> None:
    web.post("/login/check", {"username": "ada", "password": "guessed"})
    web.get("/login")
    web.get("/notes")


def in_and_out(web: Web) -> None:
    web.post("/login/check", {"username": "ada", "password": web.inside("PASSWORD")})
    web.get("/notes")
    web.get("/worker-count")
    web.get("/logout")
    web.get("/notes")


def somebody_else(web: Web) -> None:
    web.get("/login/company")
    web.get("/login")
