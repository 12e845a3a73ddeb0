"""`locustfiles/web/own_tab.py`."""

from __future__ import annotations

from ...harness import LOCUSTFILES
from ..asking import Web

LOCUSTFILE = (LOCUSTFILES / "web" / "own_tab.py").read_text()


def its_page(web: Web) -> None:
    web.get("/sizes")


def its_figures(web: Web) -> None:
    web.inside("sizes.clear(); _count('small', length=100); _count('small', length=301); _count('large', length=10000)")
    found = web.quietly("GET", "/stats/requests").json
    web.note("figures", [found["extended_stats"], sorted(found)])
    web.get("/sizes/csv")
    web.post("/stats/reset")
    web.note("after a reset", web.quietly("GET", "/stats/requests").json["extended_stats"])


def its_users(web: Web) -> None:
    web.start(3, host=web.inside("__import__('os').environ['TARGET']"))
    web.until("len(sizes) == 2")
    web.quietly("POST", "/stop")
    web.note("sizes", sorted((row["name"], row["largest"]) for row in web.inside("rows()")))
