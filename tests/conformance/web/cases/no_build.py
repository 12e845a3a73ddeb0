"""`--build-path` to a folder in which there is nothing."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = """
from locust import User, task

class Buyer(User):
    @task
    def buy(self):
        _gevent.sleep(1)
"""
ARGUMENTS = ["--build-path", "FOLDER/nothing"]


def the_page(web: Web) -> None:
    answer = web.quietly("GET", "/")
    web.note("answer", [answer.status, answer.headers["Content-Type"]])
    web.see_log()


def the_rest(web: Web) -> None:
    web.get("/tasks")
    web.get("/stats/requests")
