"""Test functions: pytest checks the shop with them, and Locust loads it with the same.

gregaria target
pytest locustfiles/test_shop.py --host http://localhost:8080
locust -f locustfiles/test_shop.py --headless -H http://localhost:8080 -u 20 -r 5 -t 30s
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Not imported when it runs: under pytest, only a test that asks for a session pays for it.
    from locust.clients import HttpSession
    from locust.contrib.fasthttp import FastHttpSession


def test_a_customer_buys(session: HttpSession) -> None:
    """As load: one user's session, which is there as long as the user, in one round after the other."""
    token = session.post("/login", json={"user": "hana", "password": "secret"}).json()["access"]
    session.headers["Authorization"] = f"Bearer {token}"
    session.post("/api/cart", json={"product_id": random.randint(1, 1000), "quantity": 2}).raise_for_status()
    time.sleep(0.2)
    with session.post("/api/checkout", catch_response=True) as response:
        if response.ok and not response.json()["items"]:
            response.failure("bought nothing")
    # Under pytest this fails the test. As load, the request is counted as failed, and the next round begins.
    response.raise_for_status()


def test_a_visitor_looks_around(fastsession: FastHttpSession) -> None:
    fastsession.get("/").raise_for_status()
    time.sleep(0.1)
    with fastsession.get("/api/search?q=lamp", name="/api/search (visitor)", catch_response=True) as response:
        if response.status_code == 401:
            response.success()
    assert response.status_code == 401, "who has not logged in finds nothing"
