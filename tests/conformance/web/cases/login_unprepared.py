"""`--web-login` where the locustfile has prepared nothing."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = """
from locust import User, task

class Buyer(User):
    @task
    def buy(self):
        _gevent.sleep(1)
"""
ARGUMENTS = ["--web-login"]


def a_protected_route(web: Web) -> None:
    for path in ("/", "/tasks"):
        answer = web.quietly("GET", path)
        web.note(path, [answer.status, answer.headers["Content-Type"], answer.text[:22]])


def the_login_page(web: Web) -> None:
    web.note("status", web.quietly("GET", "/login").status)


def nothing_is_changed(web: Web) -> None:
    answer = web.quietly(
        "POST", "/swarm", "user_count=1&spawn_rate=1", {"Content-Type": "application/x-www-form-urlencoded"}
    )
    web.note("answer", [answer.status, answer.text[:22]])
    web.see("environment.runner.state")
