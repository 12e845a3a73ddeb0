"""Hooks of Flask's around every route, and views in the place of Locust's."""

from __future__ import annotations

from ..asking import Web

LOCUSTFILE = """
import json

import flask
from flask import request

from locust import User, constant, task

class Buyer(User):
    wait_time = constant(0.05)

    @task
    def buy(self):
        _count("/buy")

_seen = []

@_events.init.add_listener
def _extend(environment, web_ui, **_):
    app = web_ui.app
    app.config["SECRET_KEY"] = "for the tests"

    @app.before_request
    def before():
        _seen.append(f"before {request.method} {request.path} {request.endpoint}")
        if request.args.get("closed"):
            return "closed", 503
        if request.path == "/swarm" and request.form.get("user_count") == "13":
            return {"success": False, "message": "unlucky"}

    @app.after_request
    def after(response):
        _seen.append(f"after {response.status_code}")
        response.headers["X-After"] = "yes"
        if request.path == "/stats/requests" and response.status_code == 200:
            response.set_data(json.dumps({**response.json, "extended_stats": [{"key": "cache", "data": [{"hit": 3}]}]}))
        return response

    @app.teardown_request
    def teardown(error):
        _seen.append("teardown")

    def other_count():
        return {"worker_count": 99}

    app.view_functions["locust.get_worker_count"] = other_count

    theirs = app.view_functions["locust.stop"]

    def stop(*args, **kwargs):
        _seen.append("stopping")
        return theirs(*args, **kwargs)

    app.view_functions["locust.stop"] = stop

    @app.route("/own")
    def own():
        return "own"
"""


def a_hook_sees_every_route(web: Web) -> None:
    web.inside("_seen.clear()")
    for path in (
        "/",
        "/stats/requests",
        "/exceptions",
        "/tasks",
        "/logs",
        "/worker-count",
        "/stats/requests/csv",
        "/stats/report",
        "/login",
        "/own",
        "/nope",
        "/stats/failures/csv",
        "/exceptions/csv",
        "/stats/requests_full_history/csv",
    ):
        answer = web.quietly("GET", path)
        web.note(
            path, [answer.status, answer.headers["X-After"], (answer.headers["Content-Type"] or "").partition(";")[0]]
        )
    web.see("_seen")


def a_hook_sees_what_is_posted(web: Web) -> None:
    web.inside("_seen.clear()")
    web.post("/swarm", {"user_count": 1, "spawn_rate": 100, "host": "http://h"})
    web.until("environment.runner.state == 'running'")
    web.post("/stats/reset")
    web.post("/stop")
    web.post_json("/user", {"user_class_name": "Buyer"})
    web.see("_seen")


def a_hook_that_has_read_the_form(web: Web) -> None:
    web.post("/swarm", {"user_count": 13, "spawn_rate": 1})
    web.post("/swarm", {"user_count": 2, "spawn_rate": 100, "run_time": "1h"})
    web.until("environment.runner.user_count == 2")


def a_hook_that_has_read_a_form_in_parts(web: Web) -> None:
    part = '--X\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    body = part % ("user_count", "3") + part % ("spawn_rate", "100") + "--X--\r\n"
    web.ask("POST", "/swarm", body.encode(), {"Content-Type": "multipart/form-data; boundary=X"})
    web.until("environment.runner.user_count == 3")


def a_hook_that_answers_itself(web: Web) -> None:
    web.get("/stats/requests?closed=1")
    web.get("/tasks?closed=1")


def statistics_with_more_in_them(web: Web) -> None:
    found = web.quietly("GET", "/stats/requests").json
    web.note("keys", sorted(found))
    web.note("more", found["extended_stats"])
    web.quietly("GET", "/stats/requests")


def another_view(web: Web) -> None:
    web.get("/worker-count")
    web.inside("_seen.clear()")
    web.post("/stop")
    web.see("'stopping' in _seen")


def wrong_methods(web: Web) -> None:
    web.inside("_seen.clear()")
    web.ask("PUT", "/swarm")
    web.get("/stop", User_Agent="Mozilla/5.0")
    web.ask("OPTIONS", "/tasks")
    web.see("_seen")


def other_origins(web: Web) -> None:
    web.get("/tasks", Origin="https://other.example")


def assets(web: Web) -> None:
    page = web.quietly("GET", "/").text
    name = page.split('type="module"')[1].split('src="./')[1].split('"')[0]
    web.note("status", web.quietly("GET", f"/{name}").status)
