"""`locustfiles/web/cached_figures.py`."""

from __future__ import annotations

from ...harness import LOCUSTFILES
from ..asking import Web

LOCUSTFILE = (LOCUSTFILES / "web" / "cached_figures.py").read_text()


def figures(web: Web) -> None:
    web.get("/figures/fresh")
    web.inside("_count('/x', response_time=10)")
    web.get("/figures")
    web.get("/figures/fresh")


def a_gate(web: Web) -> None:
    web.inside("KEY = 'right'")
    try:
        for path in ("/stop", "/stats/reset", "/swarm"):
            web.post(path, X_Key="wrong")
        web.post("/stop", X_Key="right")
        web.get("/tasks")
    finally:
        web.inside("KEY = ''")
