"""Routes beside the page: figures for a dashboard, made once in a while however many ask, and a gate for all requests.

PAGE_KEY=... locust -f locustfiles/web/cached_figures.py -H http://localhost:8080
curl http://localhost:8089/figures
"""

import hmac
import os
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from locust import HttpUser, constant, events, task
from locust.env import Environment
from locust.util.cache import memoize

KEY = os.environ.get("PAGE_KEY", "")
"""What a program has to send in `X-Key` before it may change anything; empty: nobody has to."""


@events.init.add_listener
def extend(environment: Environment, **kwargs: Any) -> None:
    web_ui = environment.web_ui
    if web_ui is None:
        return

    @web_ui.app.before_request
    def gate() -> ResponseReturnValue | None:
        """A hook sees every request, those of Locust's own routes, too; what it returns is the answer."""
        if KEY and request.method == "POST" and not hmac.compare_digest(request.headers.get("X-Key", ""), KEY):
            return {"success": False, "message": "the header `X-Key` is missing or wrong"}, 403
        return None

    @web_ui.app.route("/figures")
    @memoize(timeout=2, dynamic_timeout=True)
    def figures() -> dict[str, Any]:
        total = environment.stats.total
        return {
            "requests": total.num_requests,
            "failures": total.num_failures,
            "p95_ms": total.get_response_time_percentile(0.95),
            "users": environment.runner.user_count if environment.runner is not None else 0,
        }

    @web_ui.app.route("/figures/fresh")
    def fresh() -> dict[str, Any]:
        """The same, and those of Locust's `/stats/requests`, made anew now."""
        web_ui.app.view_functions["locust.request_stats"].clear_cache()  # type: ignore[union-attr]
        figures.clear_cache()
        answer: dict[str, Any] = figures()
        return answer


class Visitor(HttpUser):
    wait_time = constant(0.2)

    @task
    def look(self) -> None:
        self.client.get("/json")
