"""A tab of one's own on the web page, with a table, its CSV file and fresh figures: how large answers are.

locust -f locustfiles/web/own_tab.py -H http://localhost:8080    # then open http://localhost:8089/sizes
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, render_template, request

from locust import HttpUser, constant, events, task
from locust.env import Environment

sizes: dict[str, list[int]] = defaultdict(list)
"""The lengths of answers, by the name of the request."""

TAB = {
    "extended_tabs": [{"title": "Sizes", "key": "sizes"}],
    "extended_tables": [
        {
            "key": "sizes",
            "structure": [
                {"key": "name", "title": "Name"},
                {"key": "largest", "title": "Largest (bytes)"},
                {"key": "mean", "title": "Mean (bytes)", "round": 1},
            ],
        }
    ],
    "extended_csv_files": [{"href": "/sizes/csv", "title": "Download sizes CSV"}],
}


def rows() -> list[dict[str, Any]]:
    return [
        {"name": name, "largest": max(lengths), "mean": sum(lengths) / len(lengths)}
        for name, lengths in sorted(sizes.items())
    ]


@events.request.add_listener
def remember(name: str, response_length: int, **kwargs: Any) -> None:
    sizes[name].append(response_length)


@events.reset_stats.add_listener
def forget(**kwargs: Any) -> None:
    sizes.clear()


@events.init.add_listener
def extend(environment: Environment, **kwargs: Any) -> None:
    if environment.web_ui is None:  # headless, or a worker
        return
    web_ui = environment.web_ui
    own = Blueprint("sizes", "sizes", static_folder=str(Path(__file__).parent))

    @own.route("/sizes")
    def page() -> str:
        """The page with one more tab."""
        web_ui.update_template_args()
        return render_template("index.html", template_args={**web_ui.template_args, **TAB})

    @own.route("/sizes/csv")
    def file() -> Response:
        lines = ["name,largest,mean", *(f"{row['name']},{row['largest']},{row['mean']:.1f}" for row in rows())]
        disposition = {"Content-Disposition": "attachment;filename=sizes.csv"}
        return Response("\r\n".join(lines) + "\r\n", mimetype="text/csv", headers=disposition)

    @web_ui.app.after_request
    def add_sizes(response: Response) -> Response:
        """The page asks for statistics; what it finds under `extended_stats` goes into the tables of that key."""
        if request.path == "/stats/requests" and response.status_code == 200:
            answer = {**response.get_json(), "extended_stats": [{"key": "sizes", "data": rows()}]}
            response.set_data(json.dumps(answer))
        return response

    web_ui.app.register_blueprint(own)


class Visitor(HttpUser):
    wait_time = constant(0.2)

    @task(3)
    def small(self) -> None:
        self.client.get("/bytes/100", name="small")

    @task
    def large(self) -> None:
        self.client.get("/bytes/10000", name="large")
