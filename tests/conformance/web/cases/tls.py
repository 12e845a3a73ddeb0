"""The page over TLS."""

from __future__ import annotations

import http.client
import subprocess
from pathlib import Path

from ..asking import Web

LOCUSTFILE = """
from locust import User, constant, task

class Buyer(User):
    wait_time = constant(0.05)

    @task
    def buy(self):
        _count("/buy")
"""
ARGUMENTS = ["--tls-cert", "FOLDER/cert.pem", "--tls-key", "FOLDER/key.pem"]
TLS = True


def prepare(folder: Path) -> None:
    """Make the certificate."""
    files = ["-keyout", "key.pem", "-out", "cert.pem"]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        *files,
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


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
