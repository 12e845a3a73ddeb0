"""The page over TLS."""

from __future__ import annotations

import http.client
from pathlib import Path

from certificates import Authority

from ..asking import Web

LOCUSTFILE = """
from locust import User, constant, task

class Buyer(User):
    wait_time = constant(0.05)

    @task
    def buy(self):
        _count("/buy")
"""
ARGUMENTS = ["--tls-cert", "FOLDER/ca.pem", "--tls-key", "FOLDER/ca.key"]
TLS = True


def prepare(folder: Path) -> None:
    """Make the certificate."""
    Authority(folder, "DNS:localhost")


def the_page(web: Web) -> None:
    web.get("/")


def a_test(web: Web) -> None:
    web.post("/swarm", {"user_count": 1, "spawn_rate": 100})
    web.until("environment.runner.state == 'running'")
    web.see_statistics()
    web.post("/stop")


def without_tls(web: Web) -> None:
    web.tls = False
    try:
        web.get("/")
        web.note("answered", True)
    except (OSError, http.client.HTTPException):
        web.note("answered", False)
    finally:
        web.tls = True
